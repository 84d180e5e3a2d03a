/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The tables of commands, and finding one in them.  To add a command: write its
 * file with its row, name the row here and in the table of cmd.c, and give it a
 * paragraph in doc/xmsg.1.
 */
#ifndef XMSG_CLI_CMD_H
#define XMSG_CLI_CMD_H

#include "cli.h"

extern const struct cmd cmd_list, cmd_show, cmd_status, cmd_create, cmd_destroy,
    cmd_send, cmd_call, cmd_serve, cmd_recv, cmd_ack, cmd_hold, cmd_release,
    cmd_reply, cmd_tail, cmd_trace, cmd_mscgen, cmd_clients, cmd_health,
    cmd_diagnostics, cmd_shutdown, cmd_help, cmd_completion, cmd_version,
    cmd_complete;

/* of the storage adapter */
extern const struct cmd cmd_plugins, cmd_plugin, cmd_scripts, cmd_calls,
    cmd_smapi;

/* the operator's */
extern const struct cmd cmd_why, cmd_cancel, cmd_requeue, cmd_dead, cmd_replay,
    cmd_purge, cmd_pause, cmd_resume, cmd_undo, cmd_log, cmd_stats, cmd_monitor,
    cmd_bugtool, cmd_db, cmd_doctor, cmd_top;

extern const struct cmd cmd_web;

extern const struct cmd old_list, old_tail, old_mscgen, old_ack, old_destroy,
    old_call, old_serve, old_diagnostics, old_shutdown;

/* The commands of xmsg and of message-cli, NULL-terminated; options for all. */
extern const struct cmd *const cmds[], *const old_cmds[];
extern const struct opt cmd_opts[], old_opts[];

/* The command meant by word, abbreviated or not; NULL with a sentence. */
const struct cmd *cmd_find(
    const struct cmd *const *table, const char *word, struct err *e);

/* Offer a word for completion, and say what it is (or NULL). */
void cmd_offer(struct cli *c, struct str word, const char *help);

/* Print how to use one command, or all of them. */
void cmd_usage(struct buf *b, const char *prog, const struct cmd *c,
    const struct opt *common);
void cmd_overview(struct buf *b, const char *prog,
    const struct cmd *const *table, const struct opt *common);

#endif
