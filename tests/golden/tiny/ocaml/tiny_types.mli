(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)

(** The types of the interface. *)

(** A name for people.
    @since The first *)
module Label : sig
  type t = string

  val typ : t Idl.typ
end

(** What it looks like.
    @since The first *)
module Colour : sig
  type t =
    | Plain  (** It has no colour. *)
    | Mixed of (Label.t * float) list
        (** Colours and their shares.
            @since The second *)

  val default : t
  val typ : t Idl.typ
end

(** What is in a box.
    @since The first *)
module Thing : sig
  type t = {
    label : Label.t;  (** Its name. *)
    size : int;  (** In millimetres. *)
    weight : int64;  (** In "grams" \ really. *)
    fragile : bool;  (** Handle with care. *)
    colour : Colour.t option;  (** Its colour. *)
    notes : (string * Label.t) list;
        (** Anything else: names with texts that are long enough for more
            than one line.
            @since The second
            @deprecated Nobody reads them. *)
  }

  val typ : t Idl.typ
end

(** Every type by its declared name. *)
val all : (string * Idl.any) list
