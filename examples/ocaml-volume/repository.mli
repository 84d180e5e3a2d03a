(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

(** A storage repository as a folder of files.

    {v
    FOLDER/sr.json          name, description, uuid, the next free number
    FOLDER/vol-N.img        a volume's data, sparse
    FOLDER/vol-N.json       what is known of it
    FOLDER/attached-HOST    there while the repository is attached on HOST
    v}

    A volume exists when its .json does; the data is put there first and
    removed last, and every .json is replaced whole, so that a crash at any
    moment leaves a repository that can be used. The layout is that of the
    plugin in Python beside this one. *)

open Smapi

type t
(** An existing or a future repository, by its folder. *)

type info = { uuid : string; name : string; description : string; next : int }

type volume = {
  name : string;
  description : string;
  read_write : bool;
  sharable : bool;
  keys : (string * string) list;
}

val uri_key : string
(** The member of a configuration that says where the folder is. *)

val of_configuration : Types.Configuration.t -> t
val of_sr : Types.Sr.t -> t

val attached : Types.Sr.t -> t
(** @raise Smapi.Volume.Sr_not_attached when it is not. *)

val folder : t -> string
val uri : t -> string
val exists : t -> bool

val locked : t -> (unit -> 'a) -> 'a
(** Nobody else changes the repository meanwhile. *)

val read : t -> info
val write : t -> info -> unit
val attach : t -> unit
val detach : t -> unit

val remove : t -> unit
(** What is left when all volumes are gone. *)

(** {1 Volumes} *)

val keys : t -> string list
(** The oldest first. *)

val new_key : t -> string
(** One that no volume ever had; call it with the lock held. *)

val image : t -> string -> string
val read_volume : t -> string -> volume
val write_volume : t -> string -> volume -> unit
val remove_volume : t -> string -> unit

(** {1 Files} *)

val sync : string -> unit
(** Makes a file's data or a folder's names durable. *)

val remove_file : string -> unit
(** Even when it is gone already. *)

val run : string list -> string
(** What a command prints.
    @raise Smapi.Idl.Internal_error when it fails. *)
