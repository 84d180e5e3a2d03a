(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

type json = Yojson.Safe.t

(* ---- texts ---- *)

let not_utf8 () = failwith "a text is not UTF-8"

(* The code point at [i], and how many bytes it takes. *)
let code_point text i =
  let tail k =
    let there = i + k < String.length text in
    let byte = if there then Char.code text.[i + k] else 0 in
    if byte land 0xc0 = 0x80 then byte land 0x3f else not_utf8 ()
  in
  let checked least length code =
    if code < least || not (Uchar.is_valid code) then not_utf8 ()
    else (code, length)
  in
  match Char.code text.[i] with
  | b when b < 0x80 -> (b, 1)
  | b when b land 0xe0 = 0xc0 ->
      checked 0x80 2 (((b land 0x1f) lsl 6) lor tail 1)
  | b when b land 0xf0 = 0xe0 ->
      checked 0x800 3 (((b land 0xf) lsl 12) lor (tail 1 lsl 6) lor tail 2)
  | b when b land 0xf8 = 0xf0 ->
      checked 0x10000 4
        (((b land 7) lsl 18) lor (tail 1 lsl 12) lor (tail 2 lsl 6) lor tail 3)
  | _ -> not_utf8 ()

let iter_code_points f text =
  let rec from i =
    if i < String.length text then (
      let code, length = code_point text i in
      f code;
      from (i + length))
  in
  from 0

let parse text =
  iter_code_points ignore text;
  match Yojson.Safe.from_string text with
  | json -> json
  | exception Yojson.Json_error why ->
      failwith (String.concat " " (String.split_on_char '\n' why))

(* ---- printing ---- *)

let add_escape buf code = Printf.bprintf buf "\\u%04x" code

let add_code_point buf = function
  | 0x22 -> Buffer.add_string buf "\\\""
  | 0x5c -> Buffer.add_string buf "\\\\"
  | 0x0a -> Buffer.add_string buf "\\n"
  | 0x0d -> Buffer.add_string buf "\\r"
  | 0x09 -> Buffer.add_string buf "\\t"
  | 0x08 -> Buffer.add_string buf "\\b"
  | 0x0c -> Buffer.add_string buf "\\f"
  | code when code >= 0x20 && code < 0x7f -> Buffer.add_char buf (Char.chr code)
  | code when code < 0x10000 -> add_escape buf code
  | code ->
      add_escape buf (0xd800 + ((code - 0x10000) lsr 10));
      add_escape buf (0xdc00 + ((code - 0x10000) land 0x3ff))

let add_string buf text =
  Buffer.add_char buf '"';
  iter_code_points (add_code_point buf) text;
  Buffer.add_char buf '"'

(* The fewest digits that read back as the same number, with an exponent. *)
let shortest number =
  let rec at_precision p =
    let text = Printf.sprintf "%.*e" p number in
    if p >= 16 || float_of_string text = number then text
    else at_precision (p + 1)
  in
  at_precision 0

(* Small and large numbers keep the exponent, others are written out. *)
let float_text number =
  if not (Float.is_finite number) then failwith "a number is not finite";
  let text = shortest number in
  let e = String.index text 'e' in
  let exponent = String.sub text (e + 1) (String.length text - e - 1) in
  let power = int_of_float (float_of_string exponent) in
  if power < -4 || power >= 16 then text
  else
    let sign = if text.[0] = '-' then 1 else 0 in
    let digits = max 0 (e - sign - 2) in
    Printf.sprintf "%.*f" (max 1 (digits - power)) number

let rec add buf (json : json) =
  let separated first last f elements =
    Buffer.add_char buf first;
    List.iteri
      (fun i element ->
        if i > 0 then Buffer.add_string buf ", ";
        f element)
      elements;
    Buffer.add_char buf last
  in
  let member (name, value) =
    add_string buf name;
    Buffer.add_string buf ": ";
    add buf value
  in
  (match json with
  | `Null -> Buffer.add_string buf "null"
  | `Bool b -> Buffer.add_string buf (string_of_bool b)
  | `Int i -> Buffer.add_string buf (string_of_int i)
  | `Intlit digits -> Buffer.add_string buf digits
  | `Float number -> Buffer.add_string buf (float_text number)
  | `String text -> add_string buf text
  | `List elements -> separated '[' ']' (add buf) elements
  | `Assoc members -> separated '{' '}' member members
  | _ -> failwith "a value is not JSON")
  [@warning "-11"]

let print json =
  let buf = Buffer.create 256 in
  add buf json;
  Buffer.contents buf

(* ---- errors ---- *)

exception Type_error of { path : string; expected : string; actual : string }

exception
  Unmarshal_error of {
    path : string;
    thing : string;
    ty : string;
    desc : string;
  }

exception Unimplemented of string
exception Internal_error of string
exception Xenapi_error of string * string list

let declared = ref []
let declare_error name ~make ~get = declared := (name, make, get) :: !declared
let backend_failure = "SR_BACKEND_FAILURE"

let () =
  declare_error "Unimplemented"
    ~make:(fun call -> Unimplemented call)
    ~get:(function Unimplemented call -> Some call | _ -> None);
  declare_error "InternalError"
    ~make:(fun text -> Internal_error text)
    ~get:(function Internal_error text -> Some text | _ -> None)

(* The last part of an exception's name: Unix_error for Unix.Unix_error. *)
let own_name exn =
  let name = Printexc.exn_slot_name exn in
  match String.rindex_opt name '.' with
  | Some dot -> String.sub name (dot + 1) (String.length name - dot - 1)
  | None -> name

(* The name and the argument that a caller gets to see. *)
let name_and_text exn =
  let known (name, _, get) = Option.map (fun arg -> (name, arg)) (get exn) in
  match (exn, List.find_map known !declared) with
  | _, Some found -> found
  | Type_error { expected; actual; _ }, _ ->
      ( "TypeError",
        Printf.sprintf "TypeError expected=%s actual=%s" expected actual )
  | Unmarshal_error { thing; ty; desc; _ }, _ ->
      ( "UnmarshalException",
        Printf.sprintf "UnmarshalException thing=%s ty=%s desc=%s" thing ty desc
      )
  | Failure text, _ -> ("Failure", text)
  | _ -> (own_name exn, Printexc.to_string exn)

let describe exn =
  let name, text = name_and_text exn in
  match exn with
  | Xenapi_error (code, params) -> (code, params, String.concat ": " params)
  | (Type_error { path; _ } | Unmarshal_error { path; _ }) when path <> "" ->
      (backend_failure, [ name; text ], path ^ ": " ^ text)
  | _ -> (backend_failure, [ name; text ], text)

let error_of code params =
  match params with
  | [ name; arg ] when code = backend_failure -> (
      match List.find_opt (fun (n, _, _) -> n = name) !declared with
      | Some (_, make, _) -> make arg
      | None -> Xenapi_error (code, params))
  | _ -> Xenapi_error (code, params)

(* ---- types ---- *)

type 'a typ = {
  name : string;
  decode : json -> 'a;
  encode : 'a -> json;
  word : string -> json;
  is_map : bool;
}

type any = Any : 'a typ -> any

let name_of typ = typ.name
let decode typ json = typ.decode json
let encode typ value = typ.encode value
let word typ text = typ.word text
let is_map typ = typ.is_map

let wrong expected json =
  let actual =
    try print json with Failure _ -> Yojson.Safe.to_string json
  in
  raise (Type_error { path = ""; expected; actual })

(* A path from the outside in: a.b[2]. *)
let join name path =
  if path = "" || path.[0] = '[' then name ^ path else name ^ "." ^ path

(* Read a part, whose name goes in front of the path of what is wrong. *)
let decode_part typ name json =
  try typ.decode json with
  | Type_error e -> raise (Type_error { e with path = join (name ()) e.path })
  | Unmarshal_error e ->
      raise (Unmarshal_error { e with path = join (name ()) e.path })

let basic ?(word = parse) name decode encode =
  let decode json =
    match decode json with Some value -> value | None -> wrong name json
  in
  { name; decode; encode; word; is_map = false }

let unit = basic "unit" (fun _ -> Some ()) (fun () -> `Null)

let string =
  basic "string"
    ~word:(fun text -> `String text)
    (function `String text -> Some text | _ -> None)
    (fun text -> `String text)

let int =
  basic "int" (function `Int i -> Some i | _ -> None) (fun i -> `Int i)

let int64 =
  basic "int64"
    (function
      | `Int i -> Some (Int64.of_int i)
      | `Intlit digits -> Int64.of_string_opt digits
      | _ -> None)
    (fun i ->
      if Int64.of_int (Int64.to_int i) = i then `Int (Int64.to_int i)
      else `Intlit (Int64.to_string i))

let float =
  basic "float"
    (function
      | `Float number when Float.is_finite number -> Some number
      | `Int i -> Some (float_of_int i)
      | `Intlit digits -> float_of_string_opt digits
      | _ -> None)
    (fun number -> `Float number)

let bool =
  basic "bool"
    ~word:(fun text -> parse (String.lowercase_ascii text))
    (function `Bool b -> Some b | _ -> None)
    (fun b -> `Bool b)

let list element =
  let name = element.name ^ " list" in
  let part (i, parts) json =
    let name () = Printf.sprintf "[%d]" i in
    (i + 1, decode_part element name json :: parts)
  in
  let decode = function
    | `List parts -> List.rev (snd (List.fold_left part (0, []) parts))
    | json -> wrong name json
  in
  let encode values = `List (List.rev (List.rev_map element.encode values)) in
  { name; decode; encode; word = parse; is_map = false }

(* Each name once: where it came first, with the value that came last. *)
let unique members =
  let last = Hashtbl.create 16 in
  List.iter (fun (name, value) -> Hashtbl.replace last name value) members;
  let take (name, _) =
    let value = Hashtbl.find_opt last name in
    Hashtbl.remove last name;
    Option.map (fun value -> (name, value)) value
  in
  List.filter_map take members

let map element =
  let name = Printf.sprintf "(string * %s) list" element.name in
  let part (key, json) =
    let name () = "[" ^ print (`String key) ^ "]" in
    (key, decode_part element name json)
  in
  let decode = function
    | `Assoc members -> List.rev (List.rev_map part (unique members))
    | json -> wrong name json
  in
  let encode values =
    `Assoc (List.map (fun (key, value) -> (key, element.encode value)) values)
  in
  { name; decode; encode; word = element.word; is_map = true }

let pair first second =
  let name = Printf.sprintf "(%s * %s)" first.name second.name in
  let decode = function
    | `List [ a; b ] ->
        let a = decode_part first (fun () -> "[0]") a in
        (a, decode_part second (fun () -> "[1]") b)
    | json -> wrong name json
  in
  let encode (a, b) = `List [ first.encode a; second.encode b ] in
  { name; decode; encode; word = parse; is_map = false }

(* ---- records ---- *)

type members = { owner : string; given : (string * json) list }
type member = (string * json) option

(* By its name, or by its name in other case; the last one counts. *)
let find members name =
  let same (n, _) = n = name in
  let lower = String.lowercase_ascii name in
  let alike (n, _) = String.lowercase_ascii n = lower in
  let backwards = List.rev members.given in
  match List.find_opt same backwards with
  | Some (_, json) -> Some json
  | None -> Option.map snd (List.find_opt alike backwards)

let missing thing ty desc =
  raise (Unmarshal_error { path = ""; thing; ty; desc })

let get members name typ =
  match find members name with
  | Some json -> decode_part typ (fun () -> name) json
  | None -> missing "member missing" name members.owner

let get_opt members name typ =
  match find members name with
  | Some `Null | None -> None
  | Some json -> Some (decode_part typ (fun () -> name) json)

let put name typ value = Some (name, typ.encode value)
let put_opt name typ = Option.map (fun value -> (name, typ.encode value))
let members list = `Assoc (List.filter_map Fun.id list)

let record name read write =
  let decode = function
    | `Assoc given -> read { owner = name; given }
    | json -> wrong name json
  in
  let encode value = members (write value) in
  { name; decode; encode; word = parse; is_map = false }

(* ---- variants ---- *)

type 'a tag = { label : string; read : json option -> 'a option }

let tag label typ make =
  let read content =
    let value json = make (decode_part typ (fun () -> "[1]") json) in
    Option.map value content
  in
  { label; read }

let tag_only label value =
  let read = function None | Some `Null -> Some value | Some _ -> None in
  { label; read }

let put_tag label typ value = `List [ `String label; typ.encode value ]
let put_tag_only label = `String label

let variant name tags encode =
  let named label = List.find_opt (fun tag -> tag.label = label) tags in
  let read label content =
    Option.bind (named label) (fun tag -> tag.read content)
  in
  let decode = function
    | `String label | `List [ `String label ] -> read label None
    | `List [ `String label; content ] -> read label (Some content)
    | _ -> None
  in
  let word text =
    match named text with Some _ -> `String text | None -> parse text
  in
  basic name ~word decode encode

(* ---- calls ---- *)

let arguments call = function
  | `Assoc given -> { owner = call; given }
  | _ -> missing "arguments" "dict" (call ^ " takes an object")

let argument members name typ =
  match List.assoc_opt name (List.rev members.given) with
  | Some json -> decode_part typ (fun () -> name) json
  | None -> missing "argument missing" name ""
