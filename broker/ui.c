/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The dashboard.  It goes out with a policy under which a browser runs the
 * script that was compiled in and nothing else, and talks to nobody else.
 */
#include "ui.h"

#include <strings.h>

#include "api.h"

#define TYPE "text/html; charset=utf-8"

/* What stands around the page. */
static void
put_fields(struct buf *b)
{
	buf_adds(b, "content-security-policy: default-src 'none'; script-src ");
	buf_adds(b, ui_script_source);
	buf_adds(b, "; style-src ");
	buf_adds(b, ui_style_source);
	buf_adds(b,
	    "; img-src data:; connect-src 'self'; base-uri 'none';"
	    " form-action 'none'; frame-ancestors 'none'\r\n"
	    "x-frame-options: DENY\r\n"
	    "referrer-policy: no-referrer\r\n"
	    "cross-origin-opener-policy: same-origin\r\n"
	    "cross-origin-resource-policy: same-origin\r\n"
	    "cache-control: no-store\r\n");
}

/* The next part of a list, without blanks around it. */
static struct str
next_of(struct str *list, char comma)
{
	const char *at = list->n ? memchr(list->p, comma, list->n) : NULL;
	size_t n = at ? (size_t)(at - list->p) : list->n;
	struct str s = {list->p, n};

	list->p += at ? n + 1 : n;
	list->n -= at ? n + 1 : n;
	for (; s.n > 0 && (*s.p == ' ' || *s.p == '\t'); s.p++)
		s.n--;
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* "q=0", "q=0.000": what is not wanted. */
static bool
is_refused(struct str s)
{
	if (s.n < 3 || strncasecmp(s.p, "q=0", 3) != 0)
		return false;
	for (size_t i = 3; i < s.n; i++)
		if (s.p[i] != '.' && s.p[i] != '0')
			return false;
	return true;
}

/* Does an Accept field name text/html?  Stock clients send none, other programs
 * send a star: both want what the original answers. */
static bool
wants_html(struct str accept)
{
	while (accept.n > 0) {
		struct str range = next_of(&accept, ',');
		struct str type = next_of(&range, ';');
		bool refused = false;

		while (range.n > 0)
			refused |= is_refused(next_of(&range, ';'));
		if (!refused && type.n == 9 &&
		    strncasecmp(type.p, "text/html", 9) == 0)
			return true;
	}
	return false;
}

/* The page, when it is asked for. */
bool
ui(struct peer *p, const struct http_request *r)
{
	const char *mark = memchr(r->target.p, '?', r->target.n);
	struct str path = r->target;
	struct buf *b;

	if (mark != NULL)
		path.n = (size_t)(mark - path.p);
	if (!str_eq(r->method, STR("GET")) ||
	    !(str_eq(path, STR("/ui")) ||
		(str_eq(path, STR("/")) && wants_html(r->accept))))
		return false;
	b = api_out(p->api);
	put_fields(b);
	if (buf_ok(b))
		http_reply_with(p->conn, 200, TYPE, (struct str){b->p, b->n},
		    (struct str){(const char *)ui_page, ui_page_size});
	else
		api_ms_error(p, MS_NO_MEMORY, NULL);
	return true;
}
