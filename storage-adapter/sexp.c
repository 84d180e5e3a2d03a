/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Atoms are bare or in quotes with escapes as in C, \DDD in decimal.  Nothing
 * but the shape that the original writes is understood.
 */
#include "sexp.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "json.h"

#define MOST (16 << 20) /* bytes of a state file */

struct sexp {
	const char *p, *end;
};

/* The next character that is no blank; 0 at the end. */
static int
peek(struct sexp *s)
{
	while (s->p < s->end && isspace((unsigned char)*s->p))
		s->p++;
	return s->p < s->end ? (unsigned char)*s->p : 0;
}

static bool
eat(struct sexp *s, int c)
{
	if (peek(s) != c)
		return false;
	s->p++;
	return true;
}

/* One escape, behind the backslash. */
static bool
escape(struct sexp *s, struct buf *to)
{
	static const char names[] = "nrtb", values[] = "\n\r\t\b";
	const char *at;
	int v = 0;

	if (s->p == s->end)
		return false;
	if (isdigit((unsigned char)*s->p)) {
		for (int i = 0; i < 3; i++, s->p++) {
			if (s->p == s->end || !isdigit((unsigned char)*s->p))
				return false;
			v = v * 10 + (*s->p - '0');
		}
		buf_addc(to, (char)v);
		return v > 0 && v < 256;
	}
	at = strchr(names, *s->p);
	buf_addc(to, at && *at ? values[at - names] : *s->p);
	s->p++;
	return true;
}

/* An atom into `to`, which is emptied first. */
static bool
atom(struct sexp *s, struct buf *to)
{
	int c = peek(s);

	buf_reset(to);
	if (c == '"') {
		for (s->p++; s->p < s->end && *s->p != '"';)
			if (*s->p++ != '\\')
				buf_addc(to, s->p[-1]);
			else if (!escape(s, to))
				return false;
		return eat(s, '"');
	}
	while (s->p < s->end && !isspace((unsigned char)*s->p) &&
	    strchr("()\";", *s->p) == NULL)
		buf_addc(to, *s->p++);
	return to->n > 0;
}

static bool
word(struct sexp *s, struct buf *to, const char *want)
{
	return atom(s, to) && str_eq((struct str){to->p, to->n}, str_of(want));
}

/* (uids (A B ...)) behind "(uids": a JSON array. */
static bool
uid_list(struct sexp *s, struct buf *to, struct buf *json)
{
	if (!eat(s, '('))
		return false;
	buf_reset(json);
	for (buf_addc(json, '['); !eat(s, ')');) {
		if (!atom(s, to))
			return false;
		if (json->n > 1)
			buf_addc(json, ',');
		json_put_str(json, (struct str){to->p, to->n});
	}
	buf_addc(json, ']');
	return true;
}

/* (SR ((sr HANDLE) (uids (...)))) */
static bool
entry(struct sexp *s, struct buf b[4])
{
	return eat(s, '(') && atom(s, &b[0]) && eat(s, '(') && eat(s, '(') &&
	    word(s, &b[3], "sr") && atom(s, &b[1]) && eat(s, ')') &&
	    eat(s, '(') && word(s, &b[3], "uids") &&
	    uid_list(s, &b[3], &b[2]) && eat(s, ')') && eat(s, ')') &&
	    eat(s, ')');
}

/* The whole file. */
static int
read_all(const char *path, struct buf *to, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;
	char *at;

	if (fd == -1)
		return err_errno(e, "%s", path);
	to->max = MOST;
	while ((at = buf_reserve(to, 65536)) != NULL &&
	    (n = read(fd, at, 65536)) > 0)
		to->n += (size_t)n;
	n = at == NULL ? -2 : n;
	if (n == -1)
		err_errno(e, "%s", path);
	else if (n == -2)
		err_set(e, EFBIG, "%s: larger than a state file can be", path);
	close(fd);
	return n < 0 ? -1 : 0;
}

int
sexp_attached(const char *path,
    int (*fn)(void *, const char *, const char *, const char *), void *arg,
    struct err *e)
{
	struct buf file = BUF_INIT,
		   b[4] = {BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT};
	struct sexp s;
	int n = 0, rc = read_all(path, &file, e);

	s = (struct sexp){file.p, file.p + file.n};
	if (rc == 0 && !eat(&s, '('))
		rc = -2;
	while (rc == 0 && !eat(&s, ')')) {
		if (!entry(&s, b)) {
			rc = -2;
			break;
		}
		for (int i = 0; i < 3; i++)
			buf_addc(&b[i], '\0');
		if (!buf_ok(&b[0]) || !buf_ok(&b[1]) || !buf_ok(&b[2]) ||
		    fn(arg, b[0].p, b[1].p, b[2].p) == -1)
			rc = err_set(e, EIO, "%s: cannot be taken over", path);
		n++;
	}
	if (rc == -2)
		rc = err_set(e, EINVAL,
		    "%s: not a state file of xapi-storage-script (byte %zu)",
		    path, (size_t)(s.p - file.p));
	for (int i = 0; i < 4; i++)
		buf_fini(&b[i]);
	buf_fini(&file);
	return rc == 0 ? n : -1;
}
