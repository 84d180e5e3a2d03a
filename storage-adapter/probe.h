/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Asking plugins who they are: runs of Plugin.Query outside of any call
 * (contract 1.7).
 */
#ifndef XMSG_PROBE_H
#define XMSG_PROBE_H

struct ctx;
struct plugin;
struct probes;

struct probes *probes_new(struct ctx *ctx);
/* Scripts that run are left alone; plugins_probed is not called any more. */
void probes_free(struct probes *ps);

/* Ask p; plugins_probed is told, later or at once. */
void probe_start(struct probes *ps, struct plugin *p, unsigned ticket);

#endif
