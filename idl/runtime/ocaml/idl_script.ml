(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

type t = {
  name : string;
  file : string;
  params : (string * Idl.any) list;
  present : bool;
  serve : Idl.members -> Idl.json;
  help : string;
}

exception Usage of string

let find scripts name =
  let lower = String.lowercase_ascii name in
  List.find_opt (fun s -> String.lowercase_ascii s.name = lower) scripts

let serve script json = script.serve (Idl.arguments script.name json)

let call scripts name params =
  match find scripts name with
  | Some script -> serve script (Idl.members params)
  | None -> raise (Idl.Unimplemented name)

(* ---- the command line ---- *)

let is_number word =
  match Idl.parse word with
  | `Int _ | `Intlit _ | `Float _ -> true
  | _ | (exception Failure _) -> false

let is_option word =
  String.length word > 1 && word.[0] = '-' && not (is_number word)

let options_of script =
  List.filter (fun (_, Idl.Any typ) -> Idl.is_map typ) script.params

let positional_of script =
  List.filter (fun (_, Idl.Any typ) -> not (Idl.is_map typ)) script.params

let read_word name (Idl.Any typ) word =
  match Idl.word typ word with
  | json -> json
  | exception Failure _ ->
      raise
        (Usage
           (Printf.sprintf "argument %s: invalid %s value: '%s'" name
              (Idl.name_of typ) word))

(* Words without options, and what the options gave: name, key, value. *)
let split script words =
  let option_of word =
    List.find_opt (fun (name, _) -> "--" ^ name = word) (options_of script)
  in
  let rec from words plain given =
    match words with
    | [] -> (List.rev plain, List.rev given)
    | "--" :: rest -> (List.rev_append plain rest, List.rev given)
    | word :: rest when is_option word -> (
        match (option_of word, rest) with
        | Some (name, typ), key :: value :: rest ->
            from rest plain ((name, key, read_word word typ value) :: given)
        | Some _, _ ->
            raise (Usage ("argument " ^ word ^ ": expected 2 arguments"))
        | None, _ -> raise (Usage ("unrecognized arguments: " ^ word)))
    | word :: rest -> from rest (word :: plain) given
  in
  from words [] []

(* One word for each positional parameter. *)
let rec pair_up params words =
  match (params, words) with
  | [], [] -> []
  | (name, typ) :: params, word :: words ->
      let value = read_word name typ word in
      (name, value) :: pair_up params words
  | [], _ ->
      raise (Usage ("unrecognized arguments: " ^ String.concat " " words))
  | _, [] ->
      raise
        (Usage
           ("the following arguments are required: "
           ^ String.concat ", " (List.map fst params)))

let of_words script words =
  let plain, given = split script words in
  let map (name, _) =
    let mine (n, key, value) = if n = name then Some (key, value) else None in
    (name, `Assoc (List.filter_map mine given))
  in
  let values = pair_up (positional_of script) plain in
  `Assoc (values @ List.map map (options_of script))

(* ---- standard input and output ---- *)

let of_stdin () =
  let refuse why =
    raise
      (Idl.Unmarshal_error
         { path = ""; thing = "arguments"; ty = "dict"; desc = why })
  in
  match Idl.parse (input_line stdin) with
  | `Assoc _ as json -> json
  | _ -> refuse "standard input is not a JSON object"
  | exception End_of_file -> refuse "standard input is empty"
  | exception Failure why ->
      refuse ("standard input is not one line of JSON: " ^ why)

(* Standard output is for the result: what anybody else writes there
   meanwhile goes to standard error. *)
let diverted f =
  let real = Unix.dup ~cloexec:true Unix.stdout in
  (try Unix.dup2 Unix.stderr Unix.stdout with Unix.Unix_error _ -> ());
  let restore () =
    (try flush stdout with Sys_error _ -> ());
    Unix.dup2 real Unix.stdout;
    Unix.close real
  in
  Fun.protect ~finally:restore f

let print_line text =
  print_string (text ^ "\n");
  flush stdout

(* ---- errors ---- *)

(* Files and lines, the outermost first. *)
let frames backtrace =
  let slots = Printexc.backtrace_slots backtrace in
  let locations =
    List.filter_map Printexc.Slot.location
      (Array.to_list (Option.value slots ~default:[||]))
  in
  List.rev_map
    (fun { Printexc.filename; line_number; _ } -> (filename, line_number))
    locations

let error_object exn backtrace =
  let code, params, text = Idl.describe exn in
  let frames = frames backtrace in
  let texts list = `List (List.map (fun text -> `String text) list) in
  `Assoc
    [
      ("code", `String code);
      ("params", texts params);
      ( "backtrace",
        `Assoc
          [
            ("error", `String text);
            ("files", texts (List.map fst frames));
            ("lines", `List (List.map (fun (_, line) -> `Int line) frames));
          ] );
    ]

(* Bytes that are not UTF-8, as paths may have, must not hide the error. *)
let printable text =
  match Idl.print (`String text) with
  | _ -> text
  | exception Failure _ -> String.escaped text

let rec printable_json = function
  | `String text -> `String (printable text)
  | `List l -> `List (List.map printable_json l)
  | `Assoc l -> `Assoc (List.map (fun (k, v) -> (k, printable_json v)) l)
  | json -> json

(* For programs on standard output, for people on standard error. *)
let report ~json program exn backtrace =
  if json then
    print_line (Idl.print (printable_json (error_object exn backtrace)))
  else
    let _, params, text = Idl.describe exn in
    let name = match params with name :: _ -> name ^ ": " | [] -> "" in
    Printf.eprintf "%s: %s%s\n%s%!" program name text
      (Printexc.raw_backtrace_to_string backtrace)

(* ---- programs ---- *)

let run ~json script words =
  let arguments = if json then of_stdin () else of_words script words in
  let result = diverted (fun () -> serve script arguments) in
  print_line (Idl.print result)

(* The plugin itself, by a name that is not a call's. *)
let present scripts = List.filter (fun s -> s.present) scripts

let install scripts program folder =
  let target =
    if Filename.is_relative program then
      Filename.concat (Sys.getcwd ()) program
    else program
  in
  let link name =
    let path = Filename.concat folder name in
    (try Unix.unlink path with Unix.Unix_error (Unix.ENOENT, _, _) -> ());
    Unix.symlink target path
  in
  List.iter (fun s -> link s.file) (present scripts)

let about scripts program words =
  match words with
  | [ "--links" ] -> List.iter (fun s -> print_endline s.file) (present scripts)
  | [ "--install"; folder ] -> install scripts Sys.executable_name folder
  | [ "-h" ] | [ "--help" ] ->
      Printf.printf
        "usage: %s --links | --install DIR\n\n\
         A storage plugin: call it by the name of a link to it, as in\n\
         Volume.create --help. --links lists the calls that it has;\n\
         --install DIR puts a link for each of them into a folder.\n"
        program
  | _ -> raise (Idl.Unimplemented program)

let given words options = List.exists (fun o -> List.mem o words) options

let start scripts ~json program words =
  match find scripts program with
  | Some script when (not json) && given words [ "-h"; "--help" ] ->
      print_string script.help
  | Some script -> run ~json script words
  | None when json -> raise (Idl.Unimplemented program)
  | None -> about scripts program words

let usage_of scripts program =
  match find scripts program with
  | Some script -> List.hd (String.split_on_char '\n' script.help)
  | None -> ""

(* What could not be written must not be tried again at the end. *)
let finish status =
  (try flush stdout with Sys_error _ -> close_out_noerr stdout);
  exit status

let main scripts =
  let program = Filename.basename Sys.argv.(0) in
  let words = List.tl (Array.to_list Sys.argv) in
  let json = given words [ "-j"; "--json" ] in
  if json then Printexc.record_backtrace true;
  match
    start scripts ~json program words;
    flush stdout
  with
  | () -> exit 0
  | exception Usage why ->
      let usage = usage_of scripts program in
      Printf.eprintf "%s\n%s: error: %s\n" usage program why;
      finish 2
  | exception exn ->
      let backtrace = Printexc.get_raw_backtrace () in
      (try report ~json program exn backtrace with Sys_error _ -> ());
      finish 1
