(* SPDX-FileCopyrightText: 2026 the xmsg authors
   SPDX-License-Identifier: ISC *)

(* A volume plugin: a repository is a folder, a volume is a sparse file.  One
   program serves all calls; the links to it carry their names. *)

open Smapi

let refuse params = raise (Idl.Xenapi_error ("SR_BACKEND_FAILURE", params))

(* The numbers that stat prints. *)
let stat_numbers options path =
  Repository.run (("stat" :: options) @ [ "--"; path ])
  |> String.trim |> String.split_on_char ' ' |> List.map Int64.of_string

(* ---- who it is ---- *)

module Plugin_calls = struct
  include Plugin.Plugin.Unimplemented

  let query ~dbg:_ =
    {
      Types.Query_result.plugin = "filebased";
      name = "File-backed volumes";
      description = "Keeps each volume as a sparse file in a folder";
      vendor = "The xmsg authors";
      copyright = "2026 the xmsg authors";
      version = "1.0";
      required_api_version = "5.0";
      features = [ Features.thin_provisioning; Features.vdi_revert ];
      configuration = [ (Repository.uri_key, "The folder, as file:///path") ];
      required_cluster_stack = [];
    }

  let diagnostics ~dbg:_ = "filebased 1.0, OCaml " ^ Sys.ocaml_version
end

(* ---- volumes ---- *)

(* A volume as the toolstack wants to see it. *)
let describe sr key =
  let info = Repository.read_volume sr key in
  let image = Repository.image sr key in
  let virtual_size, physical_utilisation =
    match stat_numbers [ "-c"; "%s %b %B" ] image with
    | [ size; blocks; block_size ] -> (size, Int64.mul blocks block_size)
    | _ -> raise (Idl.Internal_error ("stat says nothing of " ^ image))
  in
  {
    Types.Volume.key;
    uuid = None;
    name = info.name;
    description = info.description;
    read_write = info.read_write;
    sharable = info.sharable;
    virtual_size;
    physical_utilisation;
    uri = [ "loop+file://" ^ image ];
    keys = info.keys;
    volume_type = None;
    cbt_enabled = None;
  }

(* The size that a volume of at least this size has. *)
let round_up size =
  let block = 4096L in
  if size < 0L then
    refuse [ "a size cannot be negative"; Int64.to_string size ]
  else if size > Int64.sub Int64.max_int block then
    refuse [ "a size is too large"; Int64.to_string size ]
  else
    let blocks = Int64.div (Int64.add size (Int64.pred block)) block in
    Int64.mul (max 1L blocks) block

let set_size image size =
  let fd =
    Unix.openfile image Unix.[ O_WRONLY; O_CREAT; O_CLOEXEC ] 0o600
  in
  let finally () = Unix.close fd in
  Fun.protect ~finally (fun () ->
      Unix.LargeFile.ftruncate fd size;
      Unix.fsync fd)

(* A copy that shares blocks where the file system can. *)
let copy_data source target =
  let cp = [ "cp"; "--reflink=auto"; "--sparse=always"; "--" ] in
  let (_ : string) = Repository.run (cp @ [ source; target ]) in
  Repository.sync target

(* Do something in an attached repository, with nobody else around. *)
let inside sr f =
  let sr = Repository.attached sr in
  Repository.locked sr (fun () -> f sr)

module Volume_calls = struct
  include Volume.Volume.Unimplemented

  let create ~dbg:_ ~sr ~name ~description ~size ~sharable =
    inside sr (fun sr ->
        let size = round_up size in
        let key = Repository.new_key sr in
        set_size (Repository.image sr key) size;
        Repository.write_volume sr key
          { name; description; read_write = true; sharable; keys = [] };
        describe sr key)

  (* A new volume with the data of another, without its notes. *)
  let copy_of sr key read_write =
    inside sr (fun sr ->
        let info = Repository.read_volume sr key in
        let fresh = Repository.new_key sr in
        let image = Repository.image sr fresh in
        (try copy_data (Repository.image sr key) image
         with e ->
           Repository.remove_file image;
           raise e);
        Repository.write_volume sr fresh { info with read_write; keys = [] };
        describe sr fresh)

  let snapshot ~dbg:_ ~sr ~key = copy_of sr key false
  let clone ~dbg:_ ~sr ~key = copy_of sr key true

  let revert ~dbg:_ ~sr ~snapshot ~key =
    inside sr (fun sr ->
        let (_ : Repository.volume) = Repository.read_volume sr key in
        let (_ : Repository.volume) = Repository.read_volume sr snapshot in
        let image = Repository.image sr key in
        let fresh = image ^ ".new" in
        let finally () = Repository.remove_file fresh in
        Fun.protect ~finally (fun () ->
            copy_data (Repository.image sr snapshot) fresh;
            Unix.rename fresh image;
            Repository.sync (Repository.folder sr)))

  let destroy ~dbg:_ ~sr ~key =
    inside sr (fun sr -> Repository.remove_volume sr key)

  let stat ~dbg:_ ~sr ~key = inside sr (fun sr -> describe sr key)

  let resize ~dbg:_ ~sr ~key ~new_size =
    inside sr (fun sr ->
        let present = (describe sr key).virtual_size in
        let size = round_up new_size in
        if size < present then
          refuse [ "volumes do not shrink"; key; Int64.to_string present ];
        set_size (Repository.image sr key) size)

  let change sr key f =
    inside sr (fun sr ->
        Repository.write_volume sr key (f (Repository.read_volume sr key)))

  let set_name ~dbg:_ ~sr ~key ~new_name =
    change sr key (fun info -> { info with name = new_name })

  let set_description ~dbg:_ ~sr ~key ~new_description =
    change sr key (fun info -> { info with description = new_description })

  let without k = List.remove_assoc k

  let set ~dbg:_ ~sr ~key ~k ~v =
    change sr key (fun info ->
        { info with keys = (k, v) :: without k info.keys })

  let unset ~dbg:_ ~sr ~key ~k =
    change sr key (fun info -> { info with keys = without k info.keys })
end

(* ---- repositories ---- *)

module Sr_calls = struct
  include Volume.SR.Unimplemented

  let stat_of repository =
    let folder = Repository.folder repository in
    let info = Repository.read repository in
    let total_space, free_space =
      match stat_numbers [ "-f"; "-c"; "%S %b %a" ] folder with
      | [ size; all; free ] -> (Int64.mul size all, Int64.mul size free)
      | _ -> raise (Idl.Internal_error ("stat says nothing of " ^ folder))
    in
    {
      Types.Sr_stat.sr = folder;
      name = info.name;
      uuid = Some info.uuid;
      description = info.description;
      free_space;
      total_space;
      datasources = [];
      clustered = false;
      health = Healthy "";
    }

  let configuration_of repository =
    [ (Repository.uri_key, Repository.uri repository) ]

  let is_folder path = Sys.file_exists path && Sys.is_directory path

  let probe ~dbg:_ ~configuration =
    let repository = Repository.of_configuration configuration in
    if not (is_folder (Repository.folder repository)) then
      raise (Volume.SR_does_not_exist (Repository.uri repository));
    let sr =
      if Repository.exists repository then Some (stat_of repository) else None
    in
    [
      {
        Types.Probe_result.configuration = configuration_of repository;
        complete = true;
        sr;
        extra_info = [];
      };
    ]

  let rec make_folder path =
    if not (is_folder path) then (
      make_folder (Filename.dirname path);
      try Unix.mkdir path 0o700 with Unix.Unix_error (Unix.EEXIST, _, _) -> ())

  let create ~dbg:_ ~uuid ~configuration ~name ~description =
    let repository = Repository.of_configuration configuration in
    make_folder (Repository.folder repository);
    Repository.locked repository (fun () ->
        if Repository.exists repository then
          refuse
            [
              "there is a storage repository already";
              Repository.folder repository;
            ];
        Repository.write repository { uuid; name; description; next = 1 });
    configuration_of repository

  let attach ~dbg:_ ~configuration =
    let repository = Repository.of_configuration configuration in
    Repository.attach repository;
    Repository.folder repository

  let detach ~dbg:_ ~sr = Repository.detach (Repository.of_sr sr)

  let destroy ~dbg:_ ~sr =
    inside sr (fun sr ->
        List.iter (Repository.remove_volume sr) (Repository.keys sr);
        Repository.remove sr)

  let stat ~dbg:_ ~sr = stat_of (Repository.attached sr)

  let change sr f =
    inside sr (fun sr -> Repository.write sr (f (Repository.read sr)))

  let set_name ~dbg:_ ~sr ~new_name =
    change sr (fun info -> { info with name = new_name })

  let set_description ~dbg:_ ~sr ~new_description =
    change sr (fun info -> { info with description = new_description })

  let ls ~dbg:_ ~sr =
    inside sr (fun sr -> List.map (describe sr) (Repository.keys sr))
end

let () =
  Script.main
    (Plugin.Plugin.scripts (module Plugin_calls)
    @ Volume.SR.scripts (module Sr_calls)
    @ Volume.Volume.scripts (module Volume_calls))
