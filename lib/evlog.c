/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* libevent would write to standard error by itself, and end the program with a
 * status that no manual has. */
#include "evlog.h"

#include <stdlib.h>
#include <sysexits.h>

#include <event2/event.h>

#include "log.h"

/* One of its lines. */
static void
said(int severity, const char *text)
{
	switch (severity) {
	case EVENT_LOG_ERR: log_error("event", "%s", text); break;
	case EVENT_LOG_WARN: log_warn("event", "%s", text); break;
	default: log_debug("event", "%s", text);
	}
}

/* It has said why. */
static void
fatal(int code)
{
	(void)code;
	exit(EX_OSERR);
}

void
evlog_open(void)
{
	event_set_log_callback(said);
	event_set_fatal_callback(fatal);
}
