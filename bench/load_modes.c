/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * load: puts load on a broker that speaks the stock protocol on a Unix socket,
 * as stock clients would, checks the answers, and says what it cost.  The table
 * of modes; each is in its own file.
 */
#include "load.h"

const char program[] = "load";

const struct mode modes[] = {
    {"rpc", "remote calls by --conns callers to --servers servers", mode_rpc, 1,
	true},
    {"send", "publish only, on --conns connections", mode_send, 1, true},
    {"parked", "publish while --parked polls wait on other queues", mode_parked,
	16, true},
    {"fill", "put --count messages in and leave them", mode_fill, 256, true},
    {"drain", "fill, then transfer and acknowledge until empty", mode_drain, 64,
	true},
    {"restart", "fill, kill -9, start again, time the first answer",
	mode_restart, 256, true},
    {"ping", "wait up to --seconds until the broker answers", mode_ping, 1,
	false},
    {NULL, NULL, NULL, 0, false},
};
