(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

(** The programs of a plugin.

    A plugin is a folder with one file per call, named after the call:
    [Volume.create]. All of them may be links to one program, which looks at
    the name that it was called by. With [--json] it reads the parameters as
    one line of JSON from standard input and writes the result or the error as
    one line to standard output; without, the parameters are words of the
    command line. *)

type t = {
  name : string;  (** As in [Volume.create]. *)
  file : string;  (** The usual name of the program. *)
  params : (string * Idl.any) list;  (** In the order of the command line. *)
  present : bool;  (** The implementation has it. *)
  serve : Idl.members -> Idl.json;  (** Check, call, and encode the result. *)
  help : string;  (** Begins with the line that says how to call it. *)
}
(** One call of an implementation; generated modules make lists of them. *)

val main : t list -> 'a
(** Do what the program's name and its arguments ask for and end the process:
    with status 0 when all went well, 1 after an error, 2 when the command line
    makes no sense.

    By another name than that of a call, the program lists the calls it has
    ([--links]) or puts links to itself into a folder ([--install DIR]). *)

val call : t list -> string -> Idl.member list -> Idl.json
(** A call within the process, as the transport of a client.
    @raise Idl.Unimplemented when there is no such call. *)

val find : t list -> string -> t option
(** By its name in any case. *)
