(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

(* Reads values line by line, unmarshals, marshals and prints each: a kind, a
   name and JSON, with tabs between.

   type NAME VALUE: a value of that type.
   call NAME OBJECT: its members are the parameters and the result of a call,
   which goes through a server and a client whose server is far away.

   What is wrong with a value comes as a line that begins with "!". *)

open Smapi

let far_result = ref `Null
let far_params = ref `Null

let far_away _ params =
  far_params := Idl.members params;
  !far_result

let scripts =
  Plugin.Plugin.(scripts (client far_away))
  @ Volume.SR.(scripts (client far_away))
  @ Volume.Volume.(scripts (client far_away))
  @ Datapath.Datapath.(scripts (client far_away))
  @ Datapath.Data.(scripts (client far_away))
  @ Task.Task.(scripts (client far_away))

let of_type name json =
  match List.assoc_opt name Types.all with
  | Some (Idl.Any typ) -> Idl.encode typ (Idl.decode typ json)
  | None -> failwith ("there is no type " ^ name)

let of_call name json =
  let member = Yojson.Safe.Util.member in
  far_result := member "result" json;
  match Script.find scripts name with
  | None -> raise (Idl.Unimplemented name)
  | Some script ->
      let params = Idl.arguments name (member "params" json) in
      let result = script.serve params in
      `Assoc [ ("params", !far_params); ("result", result) ]

let answer line =
  match String.split_on_char '\t' line with
  | [ "type"; name; text ] -> of_type name (Idl.parse text)
  | [ "call"; name; text ] -> of_call name (Idl.parse text)
  | _ -> failwith "the line has no three parts"

let rec each () =
  match input_line stdin with
  | exception End_of_file -> ()
  | line ->
      (match answer line with
      | json -> print_endline (Idl.print json)
      | exception e ->
          let _, _, text = Idl.describe e in
          print_endline ("! " ^ text));
      each ()

let () = each ()
