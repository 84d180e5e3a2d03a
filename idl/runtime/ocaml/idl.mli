(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

(** What generated modules are made of: JSON, errors and types.

    A value of an interface is an OCaml value on the inside and JSON on the
    outside; a {!typ} is the way between the two. Reading checks everything and
    says what is wrong and where. *)

(** {1 JSON} *)

type json = Yojson.Safe.t

val parse : string -> json
(** The value that a text holds.
    @raise Failure when it is not JSON in UTF-8. *)

val print : json -> string
(** One line of ASCII with the same separators, escapes and digits as Python's
    [json.dumps].
    @raise Failure
      for what JSON cannot say: infinite numbers, bytes that are not UTF-8. *)

(** {1 Errors} *)

exception Type_error of { path : string; expected : string; actual : string }
(** A value is of another type than declared. [path] leads to it: [uri[0]]. *)

exception
  Unmarshal_error of {
    path : string;
    thing : string;
    ty : string;
    desc : string;
  }
(** A value does not have the parts that it should have. *)

exception Unimplemented of string
(** The plugin does not have this call. *)

exception Internal_error of string
(** Something went wrong that no declared error describes. *)

exception Xenapi_error of string * string list
(** An error with a code of the toolstack, such as [SR_BACKEND_FAILURE_40], and
    its parameters. *)

val declare_error :
  string -> make:(string -> exn) -> get:(exn -> string option) -> unit
(** Makes a declared error known by its name; generated modules do this. *)

val describe : exn -> string * string list * string
(** The code and the parameters that callers get to see of an exception, and
    what a person wants to know of it. *)

val error_of : string -> string list -> exn
(** The other way round: the exception behind a code and parameters. *)

(** {1 Types} *)

type 'a typ
(** How values of ['a] are read and written. *)

type any = Any : 'a typ -> any  (** A type, whichever it is. *)

val name_of : 'a typ -> string
(** For people, as in the texts of type errors. *)

val decode : 'a typ -> json -> 'a
(** @raise Type_error where the value is wrong.
    @raise Unmarshal_error where a part is missing. *)

val encode : 'a typ -> 'a -> json
(** In the form that every consumer reads. *)

val unit : unit typ
(** For results; whatever comes counts as nothing. *)

val string : string typ
val int : int typ
val int64 : int64 typ
val float : float typ
val bool : bool typ
val list : 'a typ -> 'a list typ
val map : 'a typ -> (string * 'a) list typ
val pair : 'a typ -> 'b typ -> ('a * 'b) typ

(** {2 Records} *)

type members
(** The members of an object while they are being read. *)

type member
(** One that is being written. *)

val record : string -> (members -> 'a) -> ('a -> member list) -> 'a typ
val get : members -> string -> 'a typ -> 'a

val get_opt : members -> string -> 'a typ -> 'a option
(** [null] is taken for an absent member. *)

val put : string -> 'a typ -> 'a -> member
val put_opt : string -> 'a typ -> 'a option -> member

(** {2 Variants} *)

type 'a tag
(** One way to read a variant. *)

val variant : string -> 'a tag list -> ('a -> json) -> 'a typ
val tag : string -> 'b typ -> ('b -> 'a) -> 'a tag
val tag_only : string -> 'a -> 'a tag
val put_tag : string -> 'b typ -> 'b -> json
val put_tag_only : string -> json

(** {2 Calls} *)

val arguments : string -> json -> members
(** The parameters of a call of this name. *)

val argument : members -> string -> 'a typ -> 'a
val members : member list -> json

(** {1 Command lines} *)

val word : 'a typ -> string -> json
(** What one word of a command line means; structures are JSON.
    @raise Failure when it means nothing of this type. *)

val is_map : 'a typ -> bool
(** Whether it is given as options, [--name KEY VALUE]. *)
