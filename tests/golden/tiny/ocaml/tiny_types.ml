(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)

module Label = struct
  type t = string

  let typ = Idl.string
end

module Colour = struct
  type t =
    | Plain
    | Mixed of (Label.t * float) list

  let default = Plain

  let typ =
    Idl.variant "colour"
      [
        Idl.tag_only "Plain" Plain;
        Idl.tag "Mixed" (Idl.list (Idl.pair Label.typ Idl.float))
          (fun v -> Mixed v);
      ]
      (function
        | Plain -> Idl.put_tag_only "Plain"
        | Mixed v ->
            Idl.put_tag "Mixed" (Idl.list (Idl.pair Label.typ Idl.float)) v)
end

module Thing = struct
  type t = {
    label : Label.t;
    size : int;
    weight : int64;
    fragile : bool;
    colour : Colour.t option;
    notes : (string * Label.t) list;
  }

  let typ =
    Idl.record "thing"
      (fun m' ->
        let label = Idl.get m' "label" Label.typ in
        let size = Idl.get m' "size" Idl.int in
        let weight = Idl.get m' "weight" Idl.int64 in
        let fragile = Idl.get m' "fragile" Idl.bool in
        let colour = Idl.get_opt m' "colour" Colour.typ in
        let notes = Idl.get m' "notes" (Idl.map Label.typ) in
        { label; size; weight; fragile; colour; notes })
      (fun v ->
        [
          Idl.put "label" Label.typ v.label;
          Idl.put "size" Idl.int v.size;
          Idl.put "weight" Idl.int64 v.weight;
          Idl.put "fragile" Idl.bool v.fragile;
          Idl.put_opt "colour" Colour.typ v.colour;
          Idl.put "notes" (Idl.map Label.typ) v.notes;
        ])
end

let all =
  [
    ("label", Idl.Any Label.typ);
    ("colour", Idl.Any Colour.typ);
    ("thing", Idl.Any Thing.typ);
  ]
