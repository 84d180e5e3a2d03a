(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

open Smapi

type t = string
type info = { uuid : string; name : string; description : string; next : int }

type volume = {
  name : string;
  description : string;
  read_write : bool;
  sharable : bool;
  keys : (string * string) list;
}

(* ---- what the .json files hold ---- *)

let info_typ =
  Idl.record "sr.json"
    (fun m ->
      let uuid = Idl.get m "uuid" Idl.string in
      let name = Idl.get m "name" Idl.string in
      let description = Idl.get m "description" Idl.string in
      let next = Idl.get m "next" Idl.int in
      ({ uuid; name; description; next } : info))
    (fun (v : info) ->
      [
        Idl.put "uuid" Idl.string v.uuid;
        Idl.put "name" Idl.string v.name;
        Idl.put "description" Idl.string v.description;
        Idl.put "next" Idl.int v.next;
      ])

let volume_typ =
  Idl.record "volume"
    (fun m ->
      let name = Idl.get m "name" Idl.string in
      let description = Idl.get m "description" Idl.string in
      let read_write = Idl.get m "read_write" Idl.bool in
      let sharable = Idl.get m "sharable" Idl.bool in
      let keys = Idl.get m "keys" (Idl.map Idl.string) in
      { name; description; read_write; sharable; keys })
    (fun v ->
      [
        Idl.put "name" Idl.string v.name;
        Idl.put "description" Idl.string v.description;
        Idl.put "read_write" Idl.bool v.read_write;
        Idl.put "sharable" Idl.bool v.sharable;
        Idl.put "keys" (Idl.map Idl.string) v.keys;
      ])

(* ---- files ---- *)

let with_file path flags f =
  let fd = Unix.openfile path (Unix.O_CLOEXEC :: flags) 0o600 in
  Fun.protect ~finally:(fun () -> Unix.close fd) (fun () -> f fd)

let sync path = with_file path [ Unix.O_RDONLY ] Unix.fsync

let remove_file path =
  try Unix.unlink path with Unix.Unix_error (Unix.ENOENT, _, _) -> ()

let read_all channel =
  let buf = Buffer.create 1024 in
  let rec more () =
    match input_char channel with
    | c ->
        Buffer.add_char buf c;
        more ()
    | exception End_of_file -> Buffer.contents buf
  in
  more ()

let read_json typ path =
  let text =
    with_file path [ Unix.O_RDONLY ] (fun fd ->
        read_all (Unix.in_channel_of_descr fd))
  in
  Idl.decode typ (Idl.parse text)

(* Replaces a file whole, durably. *)
let write_json typ path value =
  let text = Idl.print (Idl.encode typ value) ^ "\n" in
  let fresh = Printf.sprintf "%s.new-%d" path (Unix.getpid ()) in
  let put fd =
    let bytes = Bytes.of_string text in
    if Unix.write fd bytes 0 (Bytes.length bytes) <> Bytes.length bytes then
      failwith (fresh ^ ": it cannot be written whole");
    Unix.fsync fd
  in
  (try
     with_file fresh Unix.[ O_WRONLY; O_CREAT; O_TRUNC ] put;
     Unix.rename fresh path
   with e ->
     remove_file fresh;
     raise e);
  sync (Filename.dirname path)

let run words =
  let words = Array.of_list words in
  let channel = Unix.open_process_args_in words.(0) words in
  let output = read_all channel in
  match Unix.close_process_in channel with
  | Unix.WEXITED 0 -> output
  | _ ->
      let command = String.concat " " (Array.to_list words) in
      raise (Idl.Internal_error ("this command failed: " ^ command))

(* ---- repositories ---- *)

let uri_key = "file-uri"
let scheme = "file://"
let folder t = t
let uri t = scheme ^ t
let path t name = Filename.concat t name
let marker t = path t ("attached-" ^ Unix.gethostname ())
let exists t = Sys.file_exists (path t "sr.json")
let of_sr sr = sr

let of_configuration configuration =
  let uri = Option.value (List.assoc_opt uri_key configuration) ~default:"" in
  let n = String.length scheme in
  if String.length uri > n && String.sub uri 0 (n + 1) = scheme ^ "/" then
    String.sub uri n (String.length uri - n)
  else raise (Volume.SR_does_not_exist uri)

let attached sr =
  if Sys.file_exists (marker sr) then sr
  else raise (Volume.Sr_not_attached sr)

let read t =
  try read_json info_typ (path t "sr.json")
  with Unix.Unix_error (Unix.ENOENT, _, _) ->
    raise (Volume.SR_does_not_exist (uri t))

let write t info = write_json info_typ (path t "sr.json") info

let locked t f =
  with_file (path t "lock") Unix.[ O_WRONLY; O_CREAT ] (fun fd ->
      Unix.lockf fd Unix.F_LOCK 0;
      f ())

let attach t =
  let (_ : info) = read t in
  with_file (marker t) Unix.[ O_WRONLY; O_CREAT ] ignore

let detach t = remove_file (marker t)

let remove t =
  remove_file (path t "sr.json");
  detach t;
  remove_file (path t "lock")

(* ---- volumes ---- *)

(* The number in vol-N.json, or None. *)
let number_of name =
  match Scanf.sscanf name "vol-%u.json%!" Fun.id with
  | number -> Some number
  | exception (Scanf.Scan_failure _ | Failure _ | End_of_file) -> None

let keys t =
  Sys.readdir t |> Array.to_list
  |> List.filter_map number_of
  |> List.sort compare
  |> List.map (Printf.sprintf "vol-%d")

let new_key t =
  let info = read t in
  write t { info with next = info.next + 1 };
  Printf.sprintf "vol-%d" info.next

let image t key = path t (key ^ ".img")

let read_volume t key =
  let missing () = raise (Volume.Volume_does_not_exist key) in
  if String.contains key '/' then missing ();
  try read_json volume_typ (path t (key ^ ".json"))
  with Unix.Unix_error (Unix.ENOENT, _, _) -> missing ()

let write_volume t key = write_json volume_typ (path t (key ^ ".json"))

let remove_volume t key =
  let (_ : volume) = read_volume t key in
  remove_file (path t (key ^ ".json"));
  sync t;
  remove_file (image t key)
