/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* URIs are taken apart by hand: schemes and paths are all that is needed. */
#include "pick.h"

#include <ctype.h>
#include <string.h>

#include "buf.h"
#include "call.h"
#include "call_text.h"
#include "each.h"

/* A letter, then letters, digits, + - . up to a colon. */
bool
pick_scheme(const char *uri, char scheme[PICK_SCHEME])
{
	size_t i;

	for (i = 0; uri[i] != ':'; i++) {
		if (i == PICK_SCHEME - 1 || uri[i] == '\0' ||
		    !isascii(uri[i]) ||
		    (i == 0 && !isalpha((unsigned char)uri[i])) ||
		    (!isalnum((unsigned char)uri[i]) &&
			strchr("+-.", uri[i]) == NULL))
			return false;
		scheme[i] = (char)tolower((unsigned char)uri[i]);
	}
	scheme[i] = '\0';
	return i > 0;
}

/* A served plugin's feature; feature NULL: is it served? */
bool
pick_has(const struct call_world *w, const char *scheme, const char *feature)
{
	const struct call_datapath *d = w->datapath(w->arg, scheme);
	size_t i;

	if (d == NULL || feature == NULL)
		return d != NULL;
	for (i = 0; d->features[i] != NULL; i++)
		if (strcmp(d->features[i], feature) == 0)
			return true;
	return false;
}

/* The first of a scheme (any: NULL) that is served and has the feature. */
static const char *
first(const struct call_world *w, const json_t *uris, const char *wanted,
    const char *feature, char scheme[PICK_SCHEME])
{
	const char *uri;
	json_t *e;
	size_t i;

	array_each (uris, i, e) {
		uri = json_string_value(e);
		if (uri == NULL || !pick_scheme(uri, scheme))
			continue;
		if (wanted != NULL && strcmp(scheme, wanted) != 0)
			continue;
		if (pick_has(w, scheme, feature))
			return uri;
	}
	return NULL;
}

/* By preference. */
const char *
pick_uri(const struct call_world *w, const json_t *uris, const char *wanted,
    const char *feature, char scheme[PICK_SCHEME])
{
	const char *uri = NULL;

	if (wanted != NULL)
		uri = first(w, uris, wanted, NULL, scheme);
	if (uri == NULL && feature != NULL)
		uri = first(w, uris, NULL, feature, scheme);
	if (uri == NULL)
		uri = first(w, uris, NULL, NULL, scheme);
	return uri;
}

/* Domain 0 may attach a volume several times: each is one domain to plugins. */
json_t *
pick_domain(const char *dp, const char *vm)
{
	struct buf b = BUF_INIT;
	json_t *v = NULL;
	size_t i;

	if (strcmp(vm, "0") != 0)
		return json_string(vm);
	buf_addf(&b, "u0-%s", dp);
	for (i = 0; buf_ok(&b) && i < b.n; i++)
		if (b.p[i] == '/' || b.p[i] == '-')
			b.p[i] = '_';
	if (buf_ok(&b))
		v = json_stringn(b.p, b.n);
	buf_fini(&b);
	return v;
}

/* The value of a hexadecimal digit, or -1. */
static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Is it UTF-8 without NUL? */
static bool
is_text(const struct buf *b)
{
	struct buf valid = BUF_INIT;
	bool same;

	text_put_valid(&valid, (struct str){b->p, b->n});
	same = !buf_ok(&valid) ||
	    str_eq((struct str){b->p, b->n}, (struct str){valid.p, valid.n});
	buf_fini(&valid);
	return same;
}

/* Percent-decoded text; false when there is none. */
static bool
unescape(const char *s, size_t n, struct buf *b)
{
	size_t i;
	int c;

	for (i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if (c == '%' && i + 2 < n && hex(s[i + 1]) >= 0 &&
		    hex(s[i + 2]) >= 0) {
			c = hex(s[i + 1]) << 4 | hex(s[i + 2]);
			i += 2;
		}
		buf_addc(b, (char)c);
	}
	return n > 0 && is_text(b);
}

/* nbd:unix:<path>:exportname=<name> */
static bool
nbd_old(const char *uri, struct buf *b)
{
	const char *path = uri + 9, *end = strchr(path, ':');

	if (end == NULL || end == path ||
	    strncmp(end, ":exportname=", 12) != 0 ||
	    strchr(end + 1, ':') != NULL)
		return false;
	buf_add(b, path, (size_t)(end - path));
	return true;
}

/* nbd+unix://[/name]?socket=<path>[&...] */
static bool
nbd_url(const char *uri, struct buf *b)
{
	const char *q = strchr(uri, '?');

	while (q != NULL && strncmp(q + 1, "socket=", 7) != 0)
		q = strchr(q + 1, '&');
	return q != NULL && unescape(q + 8, strcspn(q + 8, "&#"), b);
}

/* Either form. */
bool
pick_nbd(const char *uri, struct buf *path)
{
	char scheme[PICK_SCHEME];

	buf_reset(path);
	if (strncmp(uri, "nbd:unix:", 9) == 0)
		return nbd_old(uri, path);
	return pick_scheme(uri, scheme) && strcmp(scheme, "nbd+unix") == 0 &&
	    nbd_url(uri, path);
}

/* xeno+shm://[host]/path */
bool
pick_rrd(const char *uri, struct buf *id)
{
	char scheme[PICK_SCHEME];

	buf_reset(id);
	if (!pick_scheme(uri, scheme) || strcmp(scheme, "xeno+shm") != 0)
		return false;
	uri = strchr(uri, ':') + 1;
	if (strncmp(uri, "//", 2) == 0)
		uri += 2 + strcspn(uri + 2, "/?#");
	uri += *uri == '/';
	return unescape(uri, strcspn(uri, "?#"), id);
}
