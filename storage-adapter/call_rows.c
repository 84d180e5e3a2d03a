/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Every call of SMAPIv2 (contract 4), one row each: parameters, scripts,
 * result.  call_int.h says how a row is read.
 */
#include <stdio.h>
#include <string.h>

#include "call_int.h"
#include "v2.h"

/* ---- parameters ---- */

#define S(n)                                                                   \
	{                                                                      \
		n, &idl_string, false                                          \
	}
#define B(n)                                                                   \
	{                                                                      \
		n, &idl_bool, false                                            \
	}
#define I(n)                                                                   \
	{                                                                      \
		n, &idl_int64, false                                           \
	}
#define M(n)                                                                   \
	{                                                                      \
		n, &v2_map, false                                              \
	}
#define V(n)                                                                   \
	{                                                                      \
		n, &v2_vdi_info, false                                         \
	}
#define END                                                                    \
	{                                                                      \
		NULL, NULL, false                                              \
	}

/* dbg comes first in all of them. */
#define P0	     ((const struct idl_field[]){S("dbg"), END})
#define P(...)	     ((const struct idl_field[]){S("dbg"), __VA_ARGS__, END})
#define SR(...)	     P(S("sr"), __VA_ARGS__)
#define JUST_SR	     P(S("sr"))
#define VDI	     P(S("sr"), S("vdi"))
#define VDI_(...)    P(S("sr"), S("vdi"), __VA_ARGS__)
#define DP_VDI	     P(S("dp"), S("sr"), S("vdi"), S("vm"))
#define DP_VDI_(...) P(S("dp"), S("sr"), S("vdi"), S("vm"), __VA_ARGS__)

/* ---- rows and steps ---- */

#define CALL(n, p, ...)                                                        \
	{                                                                      \
		.name = (n), .params = (p), __VA_ARGS__                        \
	}
#define NOT(n)                                                                 \
	{                                                                      \
		.name = (n)                                                    \
	}

#define STEPS(...)                                                             \
	((const struct step[]){__VA_ARGS__, {.method = END_OF_STEPS}})
#define RUN(m, a, ...)                                                         \
	{                                                                      \
		.method = SMAPI_##m, .args = (a), __VA_ARGS__                  \
	}
#define DO(fn)                                                                 \
	{                                                                      \
		.method = NO_SCRIPT, .then = (fn)                              \
	}

/* The record of a volume; and of the one that stands in for it. */
#define STAT RUN(VOLUME_STAT, "key=$vdi", .to = "vol")
#define FOLLOW                                                                 \
	RUN(VOLUME_STAT, "key=@vol.keys.clone-on-boot", .to = "vol",           \
	    .when = "vol.keys.clone-on-boot")
/* Choose the datapath plugin, and run its script. */
#define PICK STAT, FOLLOW, DO(do_pick)
#define DATAPATH(m)                                                            \
	STEPS(PICK,                                                            \
	    RUN(DATAPATH_##m, "uri=@uri domain=@domain", .to = "backend"))
/* Set a key of a volume. */
#define SET(key, k, v) RUN(VOLUME_SET, "key=" key " k=" k " v=" v)
#define UNSET(key, k)  RUN(VOLUME_UNSET, "key=" key " k=" k)
#define CLONE	       "'clone-on-boot"
/* Set all keys of a new volume; if one can't be, there is no new volume. */
#define SETS	 RUN(VOLUME_SET, "key=@new.key k=@item.0 v=@item.1", .each = "sets")
#define UNDO_NEW STEPS(RUN(VOLUME_DESTROY, "key=@new.key", .when = "new"))

/* ---- the table ---- */

const struct row call_rows[] = {
    CALL("Query.query", P0,
	.steps = STEPS(RUN(PLUGIN_QUERY, NULL, .to = "query")),
	.make = make_query),
    CALL("Query.diagnostics", P0,
	.steps = STEPS(RUN(PLUGIN_DIAGNOSTICS, NULL, .to = "text")),
	.result = "text"),

    CALL("SR.probe", P(S("queue"), M("device_config"), M("sm_config")),
	.steps =
	    STEPS(RUN(SR_PROBE, "configuration=$device_config", .to = "probe")),
	.make = make_probe),
    CALL("SR.create",
	SR(S("name_label"), S("name_description"), M("device_config"),
	    I("physical_size")),
	.steps = STEPS(RUN(SR_CREATE,
	    "uuid=$sr configuration=$device_config name=$name_label "
	    "description=$name_description",
	    .to = "config")),
	.result = "config"),
    CALL("SR.attach", SR(M("device_config")),
	.steps = STEPS(
	    RUN(SR_ATTACH, "configuration=$device_config", .to = "handle"),
	    RUN(SR_STAT, "sr=@handle", .to = "stat"), DO(do_attach_keep)),
	.undo = STEPS(
	    DO(do_attach_undo), RUN(SR_DETACH, "sr=@handle", .when = "fresh"))),
    CALL("SR.detach", JUST_SR,
	.steps = STEPS(DO(do_attached),
	    RUN(SR_DETACH, "sr=@handle", .when = "attached",
		.then = do_detach_keep))),
    CALL("SR.destroy", JUST_SR,
	.steps = STEPS(RUN(SR_DESTROY, NULL), DO(do_destroy_keep))),
    CALL("SR.reset", JUST_SR),
    CALL("SR.list", P0, .make = make_list),
    CALL("SR.stat", JUST_SR, .steps = STEPS(RUN(SR_STAT, NULL, .to = "stat")),
	.make = make_sr),
    CALL("SR.scan", JUST_SR, .steps = STEPS(RUN(SR_LS, NULL, .to = "ls")),
	.make = make_scan),
    CALL("SR.scan2", JUST_SR,
	.steps = STEPS(RUN(SR_STAT, NULL, .to = "stat", .then = do_health),
	    RUN(SR_LS, NULL, .to = "ls")),
	.make = make_scan2),
    CALL("SR.set_name_label", SR(S("new_name_label")),
	.steps = STEPS(RUN(SR_SET_NAME, "new_name=$new_name_label"))),
    CALL("SR.set_name_description", SR(S("new_name_description")),
	.steps = STEPS(
	    RUN(SR_SET_DESCRIPTION, "new_description=$new_name_description"))),

    CALL("VDI.create", SR(V("vdi_info")),
	.steps =
	    STEPS(RUN(VOLUME_CREATE,
		      "name=$vdi_info.name_label "
		      "description=$vdi_info.name_description "
		      "size=$vdi_info.virtual_size sharable=$vdi_info.sharable",
		      .to = "new"),
		DO(do_sets_create), SETS),
	.undo = UNDO_NEW, .make = make_new),
    CALL("VDI.destroy", VDI,
	.steps = STEPS(STAT,
	    RUN(VOLUME_DESTROY, "key=@vol.keys.clone-on-boot",
		.when = "vol.keys.clone-on-boot", .gone_ok = true),
	    RUN(VOLUME_DESTROY, "key=$vdi"))),
    CALL("VDI.snapshot", SR(V("vdi_info")),
	.steps = STEPS(RUN(VOLUME_SNAPSHOT, "key=$vdi_info.vdi", .to = "new"),
	    DO(do_sets_snapshot), SETS),
	.undo = UNDO_NEW, .make = make_new),
    CALL("VDI.clone", SR(V("vdi_info")),
	.steps = STEPS(RUN(VOLUME_CLONE, "key=$vdi_info.vdi", .to = "new"),
	    DO(do_sets_clone), SETS),
	.undo = UNDO_NEW, .make = make_new),
    CALL("VDI.revert", SR(V("snapshot_info")),
	.steps = STEPS(RUN(VOLUME_REVERT,
	    "snapshot=$snapshot_info.vdi key=$snapshot_info.snapshot_of"))),
    CALL("VDI.resize", VDI_(I("new_size")),
	.steps = STEPS(RUN(VOLUME_RESIZE, "key=$vdi"), STAT),
	.result = "vol.virtual_size"),
    CALL("VDI.stat", VDI, .steps = STEPS(STAT), .make = make_vdi),
    CALL("VDI.introduce", SR(S("uuid"), M("sm_config"), S("location")),
	.steps = STEPS(RUN(VOLUME_STAT, "key=$location", .to = "vol")),
	.make = make_vdi),
    CALL("VDI.set_name_label", VDI_(S("new_name_label")),
	.steps =
	    STEPS(RUN(VOLUME_SET_NAME, "key=$vdi new_name=$new_name_label"))),
    CALL("VDI.set_name_description", VDI_(S("new_name_description")),
	.steps = STEPS(RUN(VOLUME_SET_DESCRIPTION,
	    "key=$vdi new_description=$new_name_description"))),
    CALL("VDI.set_persistent", VDI_(B("persistent"))),
    CALL("VDI.set_content_id", VDI_(S("content_id")),
	.steps = STEPS(SET("$vdi", "'content_id", "$content_id"))),
    CALL("VDI.add_to_sm_config", VDI_(S("key"), S("value")),
	.steps = STEPS(SET("$vdi", "'_sm_config_+$key", "$value"))),
    CALL("VDI.remove_from_sm_config", VDI_(S("key")),
	.steps = STEPS(UNSET("$vdi", "'_sm_config_+$key"))),
    CALL("VDI.add_tags", VDI_(S("key")),
	.steps = STEPS(SET("$vdi", "'tags+$key", "$key"))),
    CALL("VDI.remove_tags", VDI_(S("key")),
	.steps = STEPS(UNSET("$vdi", "'tags+$key"))),
    CALL("VDI.similar_content", VDI, .make = make_empty),
    CALL("VDI.compose", SR(S("vdi1"), S("vdi2")),
	.steps = STEPS(RUN(VOLUME_COMPOSE, "key=$vdi2 key2=$vdi1"))),
    CALL("VDI.enable_cbt", VDI,
	.steps = STEPS(RUN(VOLUME_ENABLE_CBT, "key=$vdi"))),
    CALL("VDI.disable_cbt", VDI,
	.steps = STEPS(RUN(VOLUME_DISABLE_CBT, "key=$vdi"))),
    CALL("VDI.data_destroy", VDI,
	.steps = STEPS(RUN(VOLUME_DATA_DESTROY, "key=$vdi"),
	    SET("$vdi", "'vdi-type", "'cbt_metadata"))),
    CALL("VDI.list_changed_blocks", SR(S("vdi_from"), S("vdi_tp")),
	.steps = STEPS(RUN(VOLUME_LIST_CHANGED_BLOCKS,
	    "key=$vdi_from key2=$vdi_tp offset=#0 length=#-1", .to = "blocks")),
	.result = "blocks.bitmap"),

    CALL("VDI.attach3", DP_VDI_(B("read_write")), .steps = DATAPATH(ATTACH),
	.result = "backend"),
    CALL("VDI.activate3", DP_VDI, .steps = DATAPATH(ACTIVATE)),
    CALL("VDI.activate_readonly", DP_VDI, .steps = DATAPATH(ACTIVATE_READONLY)),
    CALL("VDI.deactivate", DP_VDI, .steps = DATAPATH(DEACTIVATE)),
    CALL("VDI.detach", DP_VDI, .steps = DATAPATH(DETACH)),
    CALL("VDI.epoch_begin", VDI_(S("vm"), B("persistent")),
	.steps = STEPS(STAT, DO(do_pick_begin),
	    RUN(DATAPATH_OPEN, "uri=@uri", .to = "opened", .when = "open"),
	    RUN(VOLUME_DESTROY, "key=@old", .when = "old", .gone_ok = true),
	    RUN(VOLUME_CLONE, "key=$vdi", .to = "new", .when = "reset"),
	    RUN(VOLUME_SET, "key=$vdi k=" CLONE " v=@new.key", .when = "reset"),
	    DO(do_epoch_keep)),
	.undo = STEPS(RUN(DATAPATH_CLOSE, "uri=@uri", .when = "opened"),
	    RUN(VOLUME_DESTROY, "key=@new.key", .when = "new"))),
    CALL("VDI.epoch_end", VDI_(S("vm")),
	.steps = STEPS(STAT, DO(do_pick_end),
	    RUN(DATAPATH_CLOSE, "uri=@uri", .when = "close"),
	    RUN(VOLUME_DESTROY, "key=@old", .when = "old", .gone_ok = true),
	    RUN(VOLUME_UNSET, "key=$vdi k=" CLONE, .when = "old"),
	    DO(do_epoch_forget))),
    CALL("DP.attach_info", DP_VDI, .steps = DATAPATH(ATTACH),
	.result = "backend"),
    CALL("DP.destroy2", DP_VDI_(B("allow_leak")),
	.steps =
	    STEPS(PICK, RUN(DATAPATH_DEACTIVATE, "uri=@uri domain=@domain"),
		RUN(DATAPATH_DETACH, "uri=@uri domain=@domain"))),
    CALL("DATA.mirror", VDI_(S("image_format"), S("vm"), S("url")),
	.steps = STEPS(PICK,
	    RUN(DATA_MIRROR, "uri=@uri domain=$vm remote=$url", .to = "op")),
	.result = "op"),
    CALL("DATA.stat", VDI_(S("vm"), {"operation", &smapi_operation, false}),
	.steps = STEPS(PICK, RUN(DATA_STAT, NULL, .to = "status")),
	.result = "status"),
    CALL("DATA.import_activate", DP_VDI,
	.steps = STEPS(PICK, DO(do_mirror_in),
	    RUN(DATAPATH_IMPORT_ACTIVATE, "uri=@uri domain=$vm", .to = "path")),
	.result = "path"),
    CALL("DATA.get_nbd_server", DP_VDI,
	.steps = STEPS(
	    PICK, RUN(DATAPATH_ATTACH, "uri=@uri domain=$vm", .to = "backend")),
	.make = make_nbd),

    /* not implemented: no parameters */
    NOT("get_by_name"),
    NOT("VDI.get_by_name"),
    NOT("VDI.attach"),
    NOT("VDI.attach2"),
    NOT("VDI.activate"),
    NOT("VDI.get_url"),
    NOT("DP.create"),
    NOT("DP.destroy"),
    NOT("DP.diagnostics"),
    NOT("DP.stat_vdi"),
    NOT("SR.update_snapshot_info_src"),
    NOT("SR.update_snapshot_info_dest"),
    NOT("Policy.get_backend_vm"),
    NOT("TASK.stat"),
    NOT("TASK.cancel"),
    NOT("TASK.destroy"),
    NOT("TASK.list"),
    NOT("UPDATES.get"),
    NOT("DATA.copy"),
    NOT("DATA.MIRROR.send_start"),
    NOT("DATA.MIRROR.receive_start"),
    NOT("DATA.MIRROR.receive_start2"),
    NOT("DATA.MIRROR.receive_start3"),
    NOT("DATA.MIRROR.receive_finalize"),
    NOT("DATA.MIRROR.receive_finalize2"),
    NOT("DATA.MIRROR.receive_finalize3"),
    NOT("DATA.MIRROR.receive_cancel"),
    NOT("DATA.MIRROR.receive_cancel2"),
    NOT("DATA.MIRROR.pre_deactivate_hook"),
    NOT("DATA.MIRROR.has_mirror_failed"),
    NOT("DATA.MIRROR.list"),
    NOT("DATA.MIRROR.stat"),
};

#define N_ROWS (sizeof(call_rows) / sizeof(call_rows[0]))
const size_t call_nrows = N_ROWS;

/* ---- looking into it ---- */

/* A row by its wire name. */
const struct row *
call_row_find(const char *name)
{
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		if (strcmp(call_rows[i].name, name) == 0)
			return &call_rows[i];
	return NULL;
}

/* May all scripts be run again? */
static bool
all_idempotent(const struct step *s)
{
	for (; s != NULL && s->method != END_OF_STEPS; s++)
		if (s->method != NO_SCRIPT &&
		    !smapi_methods[s->method].idempotent)
			return false;
	return true;
}

/* Of a row. */
static bool
row_idempotent(const struct row *r)
{
	return all_idempotent(r->steps) && all_idempotent(r->undo);
}

/* Of a call. */
bool
call_idempotent(const struct call *c)
{
	return c->row == NULL || row_idempotent(c->row);
}

#define N_INFOS (N_ROWS + SMAPI_N_METHODS)

/* What is told of each: rows first, then the methods of SMAPIv3. */
static void
fill(struct call_info *infos)
{
	static char names[SMAPI_N_METHODS][64];
	size_t i;

	for (i = 0; i < N_ROWS; i++)
		infos[i] = (struct call_info){.name = call_rows[i].name,
		    .implemented = call_rows[i].params != NULL,
		    .idempotent = row_idempotent(&call_rows[i])};
	for (i = 0; i < SMAPI_N_METHODS; i++) {
		snprintf(names[i], sizeof(names[i]), "smapiv3.%s",
		    smapi_methods[i].name);
		infos[N_ROWS + i] = (struct call_info){.name = names[i],
		    .implemented = true,
		    .idempotent = smapi_methods[i].idempotent};
	}
}

/* One after the other. */
const struct call_info *
call_at(size_t i)
{
	static struct call_info infos[N_INFOS];

	if (infos[0].name == NULL)
		fill(infos);
	return i < N_INFOS ? &infos[i] : NULL;
}
