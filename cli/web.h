/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The broker's dashboard for a browser of this machine: a web server on the
 * loopback interface that passes on GET of what only looks, and nothing else.
 *
 * Any program and any web page on this machine can reach such a port.  So the
 * address that is printed has a token that works once; it gives a cookie without
 * which nothing is answered; and the Host field must name this server, or else a
 * foreign name that resolves to 127.0.0.1 would do.
 */
#ifndef XMSG_CLI_WEB_H
#define XMSG_CLI_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

#define WEB_SECRET 33 /* 128 bits in hexadecimal, and a NUL */

struct web {
	const char *socket; /* of the broker */
	uint16_t port; /* 0: any that is free; then the one */
	int fd;
	bool used; /* the token */
	char token[WEB_SECRET], cookie[WEB_SECRET];
};

/* Listen, and make the secrets; 0 or -1. */
int web_open(struct web *w, struct err *e);

/* Serve until the process ends; returns -1 when that is not possible. */
int web_run(struct web *w, struct err *e);

/* May this target be passed on to the broker? */
bool web_may_pass(struct str target);

#endif
