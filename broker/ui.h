/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The operators' dashboard: one page, compiled in, for GET /ui and for a GET /
 * that asks for text/html.  There is no folder, hence no way out of it.
 */
#ifndef XMSG_UI_H
#define XMSG_UI_H

#include <stdbool.h>
#include <stddef.h>

struct http_request;
struct peer;

/* A request that may be for the page; false when it is not. */
bool ui(struct peer *p, const struct http_request *r);

/* Made by ui/embed.c: the page, and what its policy names of it. */
extern const unsigned char ui_page[];
extern const size_t ui_page_size;
extern const char ui_script_source[], ui_style_source[];

#endif
