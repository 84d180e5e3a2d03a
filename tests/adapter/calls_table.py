# SPDX-FileCopyrightText: 2026 the xmsg authors
# SPDX-License-Identifier: ISC
"""Every call of SMAPIv2: what is asked, which scripts run, what is answered.

A Row is one call with its scripts in order.  Each script: its name, all that it
gets on standard input (without dbg), what it prints.  From one row come the
success and a failure of each kind at each of its scripts (test_calls.py).
Strings are for the stage "sruuid", whose datapath plugin is "dpx".
"""
import re

from support import answer_of_query, sr_info, sr_stat, vdi_info, volume

SR = "sruuid"
HANDLE = "file:///srs/one"
NO_URI = ["Backend_error", ["MISSING_URI", [
    "Please include a URI in the device-config"]]]


class Like:
    """A text that is known by its pattern only."""

    def __init__(self, pattern):
        self.pattern = re.compile(pattern, re.S)

    def __eq__(self, other):
        return isinstance(other, str) and bool(self.pattern.fullmatch(other))

    def __repr__(self):
        return "Like(%r)" % self.pattern.pattern


NOW = Like(r"20\d{6}T\d\d:\d\d:\d\dZ")
ANY = Like(r".*")


class Script:
    """One run: name, standard input without dbg, what is printed."""

    def __init__(self, name, params, prints=None, undo=()):
        self.name, self.params, self.prints = name, params, prints
        self.undo = list(undo)  # scripts that run when this one fails
        self.spare = False      # if it is not there, it is not asked

    def volume(self):
        return self.name.split(".")[0] not in ("Datapath", "Data")


class Row:
    def __init__(self, method, params, scripts=(), result=None, error=None,
                 name=None, sr=True, forgets=False, features=()):
        self.method, self.params = method, params
        self.scripts, self.result, self.error = list(scripts), result, error
        self.name = name or method
        self.sr = sr                  # is refused when SR is not attached
        self.forgets = forgets        # SR is not attached afterwards
        self.features = list(features)  # of the datapath plugin


def run(script, prints=None, undo=(), /, **params):
    """A script of the volume plugin that is told of the attached SR."""
    return Script(script, dict(params, sr=HANDLE), prints, undo)


def bare(script, prints=None, undo=(), /, **params):
    """A script that is not told of an SR."""
    return Script(script, params, prints, undo)


def asked(**info):
    """The vdi_info that xapi sends along."""
    return dict({"tags": [], "sm_config": {}, "sharable": False,
                 "persistent": True, "physical_utilisation": 0,
                 "virtual_size": 1073741824, "cbt_enabled": False,
                 "read_only": False, "snapshot_of": "",
                 "snapshot_time": "19700101T00:00:00Z",
                 "is_a_snapshot": False, "metadata_of_pool": "",
                 "ty": "user", "name_description": "dd",
                 "name_label": "disk", "content_id": "", "vdi": ""}, **info)


K1 = volume("k1", keys={
    "vdi-type": "system", "content_id": "cid", "_sm_config_a": "b",
    "tagsred": "red", "snapshot_time": "20200101T00:00:00Z",
    "is_a_snapshot": "true", "snapshot_of": "k0"})
K9 = volume("k9", name="disk", description="dd", virtual_size=1073741824,
            physical_utilisation=0, uri=["dpx:///k9"])
BOOT = volume("k1", keys={"clone-on-boot": "k1c"})
CLONE = volume("k1c", uri=["dpx:///k1c"])
STAT = sr_stat(HANDLE)
BACKEND = {"implementations": [
    ["XenDisk", {"backend_type": "vbd3", "extra": {"k": "v"},
                 "params": "p"}],
    ["BlockDevice", {"path": "/dev/sm/x"}], ["File", {"path": "/f"}],
    ["Nbd", {"uri": "nbd:unix:/run/s.sock:exportname=exp"}]]}


def stat(v=K1, key="k1"):
    return run("Volume.stat", v, key=key)


def setting(key, k, v, undo=()):
    return run("Volume.set", None, undo, v=v, k=k, key=key)


def through(script, prints=None, uri="dpx:///k1", domain="4", **more):
    """A script of the datapath plugin."""
    return bare(script, prints, domain=domain, uri=uri, **more)


QUERY = answer_of_query("staged", features=["SR_ATTACH", "VDI_DESTROY",
                                            "VDI_CONFIG_CBT"])
QUERIED = {
    "smapi_version": "SMAPIv3", "supported_image_formats": [],
    "required_cluster_stack": [], "configuration": {"path": "a path"},
    "features": ["VDI_RESET_ON_BOOT/2", "SR_ATTACH", "VDI_DELETE",
                 "VDI_CONFIG_CBT", "VDI_UPDATE", "VDI_DELETE", "VDI_RESIZE",
                 "VDI_SNAPSHOT", "VDI_CLONE", "VDI_CREATE", "SR_PROBE",
                 "SR_UPDATE", "SR_SCAN", "SR_DETACH", "SR_DELETE",
                 "SR_CREATE", "SR_ATTACH", "VDI_ATTACH", "VDI_DETACH",
                 "VDI_ACTIVATE", "VDI_DEACTIVATE", "VDI_INTRODUCE"],
    "required_api_version": "5.0", "version": "1.0", "copyright": "c",
    "vendor": "v", "description": "d", "name": "T one", "driver": "staged"}


def probed(sr=None, complete=True, **configuration):
    p = {"configuration": configuration, "complete": complete,
         "extra_info": {}}
    if sr is not None:
        p["sr"] = sr
    return p


PROBE = {"sm_config": {}, "device_config": {"path": "/x"}, "queue": "q"}


def probe(name, prints, result=None, error=None):
    return Row("SR.probe", PROBE, [
        bare("SR.probe", prints, configuration={"path": "/x"})],
        result, error, name="SR.probe: " + name, sr=False)


def probe_error(name, prints, *words):
    return probe(name, prints, error=["Backend_error", ["SCRIPT_FAILED", [
        "SR.probe", Like(".*" + ".*".join(words) + ".*")]]])


NO_UUID = sr_stat(HANDLE, "Unreachable")
del NO_UUID["uuid"]

PLUGIN_ROWS = [
    Row("Query.query", {}, [bare("Plugin.Query", QUERY)], QUERIED,
        sr=False),
    Row("Query.diagnostics", {}, [
        bare("Plugin.diagnostics", "all \"well\"\n\u00e9")],
        "all \"well\"\n\u00e9", sr=False),
]

SR_ROWS = [
    Row("SR.create", {"physical_size": 0, "device_config": {"path": "/x"},
                      "name_description": "nd", "name_label": "l",
                      "sr": SR},
        [bare("SR.create", {"path": "/x", "more": ""}, description="nd",
              name="l", configuration={"path": "/x"}, uuid=SR)],
        {"path": "/x", "more": ""}, sr=False),
    Row("SR.attach", {"device_config": {"path": "/x"}, "sr": SR},
        [bare("SR.attach", HANDLE, configuration={"path": "/x"}),
         run("SR.stat", STAT)], sr=False),
    Row("SR.detach", {"sr": SR}, [run("SR.detach")], sr=False,
        forgets=True),
    Row("SR.detach", {"sr": "never"}, [], sr=False,
        name="SR.detach of what is not attached"),
    Row("SR.destroy", {"sr": SR}, [run("SR.destroy")], forgets=True),
    Row("SR.reset", {"sr": SR}, sr=False),
    Row("SR.list", {}, [], [SR], sr=False),
    Row("SR.stat", {"sr": SR}, [run("SR.stat", STAT)], sr_info(STAT)),
    Row("SR.stat", {"sr": SR}, [run("SR.stat", NO_UUID)], sr_info(NO_UUID),
        name="SR.stat without uuid"),
    Row("SR.scan", {"sr": SR}, [run("SR.ls", [K1, K9])],
        [vdi_info(K1), vdi_info(K9)]),
    Row("SR.scan", {"sr": SR}, [run("SR.ls", [])], [],
        name="SR.scan of nothing"),
    Row("SR.scan", {"sr": SR}, [run("SR.ls", [BOOT, CLONE, K9])],
        [vdi_info(BOOT), vdi_info(K9)], name="SR.scan hides boot clones"),
    Row("SR.scan", {"sr": SR}, [run("SR.ls", [
        {"key": "bad"}, K9, 7,
        volume("k1", keys={"is_a_snapshot": "maybe"})])],
        [vdi_info(K9), vdi_info(volume("k1"))],
        name="SR.scan leaves out bad records"),
    Row("SR.scan", {"sr": SR}, [run("SR.ls", [
        dict(K9, uuid=None, volume_type=None, cbt_enabled=None,
             extra=[1])])], [vdi_info(dict(K9, uuid=None, cbt_enabled=0))],
        name="SR.scan: null is absent"),
    Row("SR.scan", {"sr": SR}, [run("SR.ls", [
        dict(K9, virtual_size=2 ** 62 + 1, volume_type=["Data", None],
             physical_utilisation=9007199254740993)])],
        [vdi_info(dict(K9, virtual_size=2 ** 62 + 1,
                       physical_utilisation=9007199254740993))],
        name="SR.scan: 64 bits"),
    Row("SR.scan2", {"sr": SR}, [run("SR.stat", STAT), run("SR.ls", [K1])],
        [[vdi_info(K1)], sr_info(STAT)]),
    Row("SR.scan2", {"sr": SR},
        [run("SR.stat", sr_stat(HANDLE, "Unavailable"))],
        error=["Sr_unhealthy", [SR, "Unavailable"]],
        name="SR.scan2 unavailable"),
    Row("SR.set_name_label", {"new_name_label": "n", "sr": SR},
        [run("SR.set_name", new_name="n")]),
    Row("SR.set_name_description", {"new_name_description": "n", "sr": SR},
        [run("SR.set_description", new_description="n")]),
]

PROBE_ROWS = [
    probe("two", [probed(None, path="/x"), dict(
        probed(NO_UUID, path="/x", sr_uuid="abc"),
        extra_info={"lun": "1"})],
        ["Probe", [
            {"extra_info": {}, "complete": True,
             "configuration": {"path": "/x"}},
            {"extra_info": {"lun": "1"}, "sr": sr_info(NO_UUID),
             "complete": True,
             "configuration": {"path": "/x", "sr_uuid": "abc"}}]]),
    probe("none", [], ["Probe", []]),
    probe("incomplete", [probed(None, False, path="/x")],
          ["Probe", [{"extra_info": {}, "complete": False,
                      "configuration": {"path": "/x"}}]]),
    probe("complete with uuid, no SR", [probed(None, True, sr_uuid="a")],
          ["Probe", [{"extra_info": {}, "complete": True,
                      "configuration": {"sr_uuid": "a"}}]]),
    probe_error("incomplete with uuid", [probed(None, False, sr_uuid="a")],
                "uuid", "incomplete"),
    probe_error("incomplete SR with uuid",
                [probed(STAT, False, sr_uuid="a")], "uuid", "incomplete"),
    probe_error("SR without uuid", [probed(STAT, True, path="/x")],
                "uuid"),
    probe_error("two errors", [probed(STAT, True, path="/x"),
                               probed(None, True, path="/y"),
                               probed(None, False, sr_uuid="a")],
                "uuid", "incomplete"),
]


def vdi(method, scripts=(), result=None, vdi="k1", **params):
    """A call about one volume."""
    name = params.pop("name", None)
    more = {k: params.pop(k) for k in ("sr_needed", "features", "error")
            if k in params}
    more["sr"] = more.pop("sr_needed", True)
    return Row(method, dict(params, vdi=vdi, sr=SR), scripts, result,
               name=name, **more)


def spare(script):
    """One that is passed over when the plugin does not have it."""
    script.spare = True
    return script


def undo(key):
    """What becomes of a new volume when a later step fails."""
    return [run("Volume.destroy", key=key)]


SNAP = volume("k5", name="n1", keys={})


def snapshot(tags, ty, content_id, name):
    sets = [("snapshot_time", NOW), ("is_a_snapshot", "true"),
            ("snapshot_of", "k1"), ("content_id", content_id),
            ("vdi-type", ty)] + [("tags" + t, t) for t in tags]
    return vdi(
        "VDI.snapshot", [run("Volume.snapshot", SNAP, key="k1")] +
        [setting("k5", k, v, undo("k5")) for k, v in sets],
        vdi_info(SNAP, snapshot_time=NOW, is_a_snapshot=True,
                 snapshot_of="k1", content_id=content_id, ty=ty, tags=tags),
        vdi_info=asked(vdi="k1", tags=tags, ty=ty, content_id=content_id),
        name=name)


def drop_vdi(row):
    """For calls that have no parameter `vdi`."""
    del row.params["vdi"]
    return row


VDI_ROWS = [
    drop_vdi(vdi("VDI.create", [
        run("Volume.create", K9, sharable=False, size=1073741824,
            description="dd", name="disk"),
        setting("k9", "vdi-type", "user", undo("k9"))],
        vdi_info(K9, ty="user"), vdi_info=asked(
            tags=["t"], sm_config={"k": "v"}))),
    drop_vdi(vdi("VDI.create", [
        run("Volume.create", K9, sharable=True, size=9007199254740993,
            description="dd", name="disk")],
        vdi_info(K9), vdi_info=asked(
            ty="", sharable=True, virtual_size=9007199254740993),
        name="VDI.create without a type")),
    vdi("VDI.destroy", [stat(), run("Volume.destroy", key="k1")]),
    vdi("VDI.destroy", [
        stat(BOOT), run("Volume.destroy", key="k1c"),
        run("Volume.destroy", key="k1")],
        name="VDI.destroy with a boot clone"),
    drop_vdi(snapshot([], "user", "cid", "VDI.snapshot")),
    drop_vdi(snapshot(["red", "blue"], "system", "",
                      "VDI.snapshot with tags")),
    drop_vdi(vdi("VDI.clone", [run("Volume.clone", K9, key="k1")],
                 vdi_info(K9), vdi_info=asked(vdi="k1", ty=""))),
    drop_vdi(vdi("VDI.clone", [
        run("Volume.clone", K9, key="k1"),
        spare(setting("k9", "content_id", "cid", undo("k9"))),
        spare(setting("k9", "vdi-type", "system", undo("k9"))),
        spare(setting("k9", "_sm_config_a", "b", undo("k9"))),
        spare(setting("k9", "tagsred", "red", undo("k9")))],
        vdi_info(K9, content_id="cid", ty="system", sm_config={"a": "b"},
                 tags=["red"]),
        vdi_info=asked(vdi="k1", content_id="cid", ty="system",
                       sm_config={"a": "b"}, tags=["red"]),
        name="VDI.clone of what has a type and tags")),
    drop_vdi(vdi("VDI.revert", [run("Volume.revert", key="k1",
                                    snapshot="k5")],
                 snapshot_info=asked(vdi="k5", snapshot_of="k1"))),
    vdi("VDI.resize", [run("Volume.resize", new_size=9007199254740993,
                           key="k1"), stat()],
        1048576, new_size=9007199254740993),
    vdi("VDI.stat", [stat()], vdi_info(K1)),
    vdi("VDI.stat", [stat(volume("k1", read_write=False))],
        vdi_info(volume("k1", read_write=False)),
        name="VDI.stat read-only"),
    drop_vdi(vdi("VDI.introduce", [stat()], vdi_info(K1), uuid="u",
                 sm_config={"a": "b"}, location="k1")),
    vdi("VDI.set_name_label", [run("Volume.set_name", new_name="n",
                                   key="k1")], new_name_label="n"),
    vdi("VDI.set_name_description", [
        run("Volume.set_description", new_description="n", key="k1")],
        new_name_description="n"),
    vdi("VDI.set_persistent", persistent=False, sr_needed=False),
    vdi("VDI.set_content_id", [setting("k1", "content_id", "c")],
        content_id="c"),
    vdi("VDI.add_to_sm_config", [setting("k1", "_sm_config_a", "b")],
        key="a", value="b"),
    vdi("VDI.remove_from_sm_config", [
        run("Volume.unset", k="_sm_config_a", key="k1")], key="a"),
    vdi("VDI.add_tags", [setting("k1", "tagsred", "red")], key="red"),
    vdi("VDI.remove_tags", [run("Volume.unset", k="tagsred", key="k1")],
        key="red"),
    vdi("VDI.similar_content", [], [], sr_needed=False),
    drop_vdi(vdi("VDI.compose", [run("Volume.compose", key2="parent",
                                     key="child")],
                 vdi1="parent", vdi2="child")),
    vdi("VDI.enable_cbt", [run("Volume.enable_cbt", key="k1")]),
    vdi("VDI.disable_cbt", [run("Volume.disable_cbt", key="k1")]),
    vdi("VDI.data_destroy", [run("Volume.data_destroy", key="k1"),
                             setting("k1", "vdi-type", "cbt_metadata")]),
    drop_vdi(vdi("VDI.list_changed_blocks", [
        run("Volume.list_changed_blocks",
            {"granularity": 65536, "bitmap": "AAE="}, length=-1, offset=0,
            key2="b", key="a")], "AAE=", vdi_from="a", vdi_tp="b")),
    drop_vdi(vdi("VDI.list_changed_blocks", [
        run("Volume.list_changed_blocks",
            {"granularity": 65536, "bitmap": "AAE="}, length=-1, offset=0,
            key2="b", key="a")], "AAE=", vdi_from="a", vdi_to="b",
        name="VDI.list_changed_blocks spelled right")),
]


def picks(method, script, prints=None, result=None, **params):
    """Calls that look a volume up and go to its datapath: by guest, by dom0,
    through a boot clone, with no datapath."""
    def row(name, v, domain, uri="dpx:///k1", dp="vbd/4/xvda", vm="4",
            extra=()):
        return vdi(method, [stat(v)] + list(extra) + [
            through(script, prints, uri, domain)], result, dp=dp, vm=vm,
            name=method + name, **params)
    return [
        row("", K1, "4"),
        row(" in dom0", K1, "u0_vbd_0_a_b", dp="vbd/0/a-b", vm="0"),
        row(" by boot clone", BOOT, "4", "dpx:///k1c",
            extra=[stat(CLONE, "k1c")]),
        row(" by scheme in capitals", volume("k1", uri=[
            "no scheme", "DPX:///K 1?x=%20"]), "4", "DPX:///K 1?x=%20"),
        vdi(method, [stat(volume("k1", uri=["foo:///x", "/y"]))],
            dp="d", vm="4", error=NO_URI, name=method + " without URI",
            **params),
    ]


DATAPATH_ROWS = (
    picks("VDI.attach3", "Datapath.attach", BACKEND, BACKEND,
          read_write=True) +
    picks("DP.attach_info", "Datapath.attach", BACKEND, BACKEND) +
    picks("VDI.activate3", "Datapath.activate") +
    picks("VDI.activate_readonly", "Datapath.activate_readonly") +
    picks("VDI.deactivate", "Datapath.deactivate") +
    picks("VDI.detach", "Datapath.detach") + [
        vdi("DP.destroy2", [stat(), through("Datapath.deactivate"),
                            through("Datapath.detach")],
            dp="d", vm="4", allow_leak=False),
        vdi("DATA.mirror", [stat(), through(
            "Data.mirror", ["MirrorV1", "mk1"],
            remote="nbd+unix:///e?socket=/x", domain="0")],
            ["MirrorV1", "mk1"], image_format="", vm="0",
            url="nbd+unix:///e?socket=/x"),
        vdi("DATA.stat", [stat(), bare(
            "Data.stat", {"failed": False, "complete": False,
                          "progress": 0.5}, operation=["MirrorV1", "mk1"])],
            {"progress": 0.5, "complete": False, "failed": False},
            operation=["MirrorV1", "mk1"], vm="0"),
        vdi("DATA.stat", [stat(), bare(
            "Data.stat", {"failed": True, "complete": True},
            operation=["CopyV1", "c"])],
            {"complete": True, "failed": True},
            operation=["CopyV1", "c"], vm="0",
            name="DATA.stat without progress"),
        vdi("DATA.import_activate", [stat(), through(
            "Datapath.import_activate", "/run/sock", domain="0")],
            "/run/sock", dp="d", vm="0", features=["VDI_MIRROR_IN"]),
        vdi("DATA.import_activate", [stat()], dp="d", vm="0",
            error=["Unimplemented", "VDI_MIRROR_IN"],
            name="DATA.import_activate without the feature"),
        vdi("DATA.get_nbd_server", [stat(), through(
            "Datapath.attach", BACKEND, domain="0")], "/run/s.sock",
            dp="d", vm="0"),
        vdi("DATA.get_nbd_server", [stat(), through(
            "Datapath.attach", {"implementations": [
                ["File", {"path": "/f"}]]}, domain="0")],
            error=["Backend_error", ["No nbd server found", []]],
            dp="d", vm="0", name="DATA.get_nbd_server without one"),
        vdi("DATA.get_nbd_server", [stat(), through(
            "Datapath.attach", {"implementations": [
                ["Nbd", {"uri": "nbd+unix:///e?socket=/run/a"}],
                ["Nbd", {"uri": "nbd:unix:/run/b:exportname=e"}]]},
            domain="0")],
            "/run/a", dp="d", vm="0",
            name="DATA.get_nbd_server: the first, newer spelling"),
    ])

EPOCH_ROWS = [
    vdi("VDI.epoch_begin", [
        stat(), run("Volume.clone", CLONE, key="k1"),
        setting("k1", "clone-on-boot", "k1c", undo("k1c"))],
        vm="4", persistent=False),
    vdi("VDI.epoch_begin", [
        stat(BOOT), run("Volume.destroy", key="k1c"),
        run("Volume.clone", volume("k1d"), key="k1"),
        setting("k1", "clone-on-boot", "k1d", undo("k1d"))],
        vm="4", persistent=False, name="VDI.epoch_begin a second time"),
    vdi("VDI.epoch_begin", [stat()], vm="4", persistent=True,
        name="VDI.epoch_begin persistent"),
    vdi("VDI.epoch_end", [stat()], vm="4"),
    vdi("VDI.epoch_end", [
        stat(BOOT), run("Volume.destroy", key="k1c"),
        run("Volume.unset", k="clone-on-boot", key="k1")],
        vm="4", name="VDI.epoch_end with a boot clone"),
    vdi("VDI.epoch_begin", [
        stat(), bare("Datapath.open", persistent=False, uri="dpx:///k1")],
        vm="4", persistent=False, features=["NONPERSISTENT"],
        name="VDI.epoch_begin: the datapath can"),
    vdi("VDI.epoch_begin", [
        stat(), bare("Datapath.open", persistent=True, uri="dpx:///k1")],
        vm="4", persistent=True, features=["NONPERSISTENT"],
        name="VDI.epoch_begin persistent: the datapath can"),
    vdi("VDI.epoch_end", [
        stat(), bare("Datapath.close", uri="dpx:///k1")],
        vm="4", features=["NONPERSISTENT"],
        name="VDI.epoch_end: the datapath can"),
]

ROWS = (PLUGIN_ROWS + SR_ROWS + PROBE_ROWS + VDI_ROWS + DATAPATH_ROWS +
        EPOCH_ROWS)

# name: parameters that the call declares, with values of the right types
UNIMPLEMENTED = {
    "get_by_name": {"name": "n"},
    "VDI.get_by_name": {"sr": SR, "name": "n"},
    "VDI.attach": {"dp": "d", "sr": SR, "vdi": "k1", "read_write": True},
    "VDI.attach2": {"dp": "d", "sr": SR, "vdi": "k1", "read_write": True},
    "VDI.activate": {"dp": "d", "sr": SR, "vdi": "k1"},
    "VDI.get_url": {"sr": SR, "vdi": "k1"},
    "DP.create": {"id": "i"},
    "DP.destroy": {"dp": "d", "allow_leak": True},
    "DP.diagnostics": {"unit": None},
    "DP.stat_vdi": {"sr": SR, "vdi": "k1", "unit": None},
    "SR.update_snapshot_info_src": {
        "sr": SR, "vdi": "k1", "url": "u", "dest": "d", "dest_vdi": "e",
        "snapshot_pairs": {"a": "b"}, "verify_dest": True},
    "SR.update_snapshot_info_dest": {
        "sr": SR, "vdi": "k1", "src_vdi": asked(),
        "snapshot_pairs": {"a": asked()}},
    "Policy.get_backend_vm": {"vm": "4", "sr": SR, "vdi": "k1"},
    "TASK.stat": {"task": "t"},
    "TASK.cancel": {"task": "t"},
    "TASK.destroy": {"task": "t"},
    "TASK.list": {},
    "UPDATES.get": {"from": "f", "timeout": 0},
    "DATA.copy": {"sr": SR, "vdi": "k1", "vm": "0", "url": "u",
                  "dest": "d", "verify_dest": True},
    "DATA.MIRROR.send_start": {
        "dp": "d", "task_id": "t", "src_sr": "s", "vdi": "k1",
        "image_format": "", "mirror_vm": "0", "id": "i",
        "local_vdi": asked(), "copy_vm": "0", "live_vm": "0", "url": "u",
        "recv_result": "r", "dest_sr": "e", "verify_dest": True},
    "DATA.MIRROR.receive_start": {
        "sr": SR, "vdi_info": asked(), "id": "i", "similar": []},
    "DATA.MIRROR.receive_start2": {
        "sr": SR, "vdi_info": asked(), "id": "i", "similar": ["a"],
        "vm": "0"},
    "DATA.MIRROR.receive_start3": {
        "sr": SR, "vdi_info": asked(), "id": "i", "image_format": "",
        "similar": [], "vm": "0", "url": "u", "verify_dest": True},
    "DATA.MIRROR.receive_finalize": {"id": "i"},
    "DATA.MIRROR.receive_finalize2": {"id": "i"},
    "DATA.MIRROR.receive_cancel": {"id": "i"},
    "DATA.MIRROR.receive_finalize3": {
        "id": "i", "sr": SR, "url": "u", "verify_dest": True},
    "DATA.MIRROR.receive_cancel2": {
        "id": "i", "url": "u", "verify_dest": True},
    "DATA.MIRROR.pre_deactivate_hook": {"dp": "d", "sr": SR, "vdi": "k1"},
    "DATA.MIRROR.has_mirror_failed": {"id": "i", "sr": SR},
    "DATA.MIRROR.list": {},
    "DATA.MIRROR.stat": {"id": "i"},
}
assert len({r.method for r in ROWS}) == 49
assert len(UNIMPLEMENTED) == 32
