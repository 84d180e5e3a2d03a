(* Made by xmsg-idl from the declarations of tiny 1.2:
   change those instead. *)

(** Boxes.

    Things are put into boxes. *)

module Types = Tiny_types

exception Glued of string
(** The box is glued shut. *)

(** A box.

    Takes things. *)
module Box : sig
  (** What an implementation is. *)
  module type S = sig
    val put : dbg:string -> what:string -> unit
    (** Put a thing into the box.

        Makes room first.

        Then puts it.

        @param dbg Who asks.
        @param what The thing.
        @return Nothing: [null].
        @raise Glued when the box is glued shut
        @since The second *)

    val look :
      dbg:string ->
      colour:Types.Colour.t ->
      limits:(string * string) list ->
      Types.Thing.t list
    (** Look into the box.

        Does not take anything out.

        @param dbg Who asks.
        @param colour Which things.
        @param limits Limits by name.
        @return What is in it.
        @since The first *)
  end

  (** Raises {!Idl.Unimplemented} whatever the call: include it in
      an implementation that does not have them all. *)
  module Unimplemented : S

  val scripts : (module S) -> Idl_script.t list
  (** The programs of an implementation, for {!Idl_script.main}. *)

  val client : (string -> Idl.member list -> Idl.json) -> (module S)
  (** The calls of somebody else, by a function that brings a
      call's name and its parameters there and the result back.
      {!Idl.error_of} makes the exception it should raise. *)
end
