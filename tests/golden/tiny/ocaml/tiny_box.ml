(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)

module Types = Tiny_types

exception Glued of string

let () =
  Idl.declare_error "Glued"
    ~make:(fun arg -> Glued arg)
    ~get:(function Glued arg -> Some arg | _ -> None)

module Box = struct
  module type S = sig
    val put : dbg:string -> what:string -> unit
    val look :
      dbg:string ->
      colour:Types.Colour.t ->
      limits:(string * string) list ->
      Types.Thing.t list
  end

  module Unimplemented = struct
    let put ~dbg:_ ~what:_ =
      raise (Idl.Unimplemented "Box.put")

    let look ~dbg:_ ~colour:_ ~limits:_ =
      raise (Idl.Unimplemented "Box.look")
  end

  let scripts (module I : S) =
    [
      {
        Idl_script.name = "Box.put";
        file = "Box.put";
        params =
          [
            ("dbg", Idl.Any Idl.string);
            ("what", Idl.Any Idl.string);
          ];
        present = I.put != Unimplemented.put;
        serve =
          (fun args' ->
            let dbg = Idl.argument args' "dbg" Idl.string in
            let what = Idl.argument args' "what" Idl.string in
            Idl.encode Idl.unit (I.put ~dbg ~what));
        help =
          {help|usage: Box.put [-h] [-j] dbg what

Put a thing into the box.

Makes room first.

Then puts it.

positional arguments:
  dbg           Who asks. (text; example: 'task 1')
  what          The thing. (text; example: 'a shoe')

options:
  -h, --help    Show this text.
  -j, --json    Read the parameters as one line of JSON from standard input;
                write the result or the error as one line of JSON to standard
                output.

Result (unit): Nothing: `null`.

Errors to expect:

- Glued when the box is glued shut

Example: A shoe

    $ Box.put 'task 1' 'a shoe'
    null

Example: A box that is glued

    $ Box.put 'task 1' 'a shoe'
    Glued: the box

Since The second.
|help};
      };
      {
        Idl_script.name = "Box.look";
        file = "Box.look";
        params =
          [
            ("dbg", Idl.Any Idl.string);
            ("colour", Idl.Any Types.Colour.typ);
            ("limits", Idl.Any (Idl.map Idl.string));
          ];
        present = I.look != Unimplemented.look;
        serve =
          (fun args' ->
            let dbg = Idl.argument args' "dbg" Idl.string in
            let colour = Idl.argument args' "colour" Types.Colour.typ in
            let limits = Idl.argument args' "limits" (Idl.map Idl.string) in
            Idl.encode (Idl.list Types.Thing.typ)
              (I.look ~dbg ~colour ~limits));
        help =
          {help|usage: Box.look [-h] [-j] [--limits KEY VALUE] dbg colour

Look into the box.

Does not take anything out.

positional arguments:
  dbg           Who asks. (text; example: 'task 1')
  colour        Which things. (colour as JSON; example: '["Mixed", [["red",
                0.5], ["blue", 0.5]]]')

options:
  -h, --help    Show this text.
  -j, --json    Read the parameters as one line of JSON from standard input;
                write the result or the error as one line of JSON to standard
                output.
  --limits KEY VALUE
                Limits by name. (may be repeated; default: none)

Result (list<thing>): What is in it.

Example: One shoe

    $ Box.look 'task 1' Plain
    [{"label": "a shoe", "size": 300, "weight": 500, "fragile": false, "notes": {"from": "someone's \"house\""}}]

Since The first (2020-01).
|help};
      };
    ]

  let client call' =
    (module struct
      let put ~dbg ~what =
        Idl.decode Idl.unit
          (call' "Box.put"
             [
               Idl.put "dbg" Idl.string dbg;
               Idl.put "what" Idl.string what;
             ])

      let look ~dbg ~colour ~limits =
        Idl.decode (Idl.list Types.Thing.typ)
          (call' "Box.look"
             [
               Idl.put "dbg" Idl.string dbg;
               Idl.put "colour" Types.Colour.typ colour;
               Idl.put "limits" (Idl.map Idl.string) limits;
             ])
    end : S)
end
