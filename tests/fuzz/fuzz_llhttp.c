/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Our parser beside llhttp in its strict mode, on requests.  Where two parsers
 * on the way of a message disagree about where it ends, requests are smuggled.
 * So whatever ours takes, llhttp takes too: it ends at the same byte, has the
 * same body and the same target, and the connection lives on only if llhttp
 * thinks so.  Ours may refuse what llhttp takes; it may not wait for more bytes
 * where llhttp is done.
 *
 * What ours takes and llhttp refuses is listed in `accepted`, with why that is
 * no danger.  Anything else is a finding.
 */
#include "fuzz.h"

#include <llhttp.h>

#include "buf.h"
#include "http1.h"

static const struct http1_limits limits = {8192, 16384, 64, 16 << 20};

/* What llhttp saw of the first message. */
struct seen {
	struct buf body, target;
	bool done, upgrade, keep;
};

static int
on_url(llhttp_t *p, const char *at, size_t n)
{
	buf_add(&((struct seen *)p->data)->target, at, n);
	return 0;
}

static int
on_body(llhttp_t *p, const char *at, size_t n)
{
	buf_add(&((struct seen *)p->data)->body, at, n);
	return 0;
}

/* Stop behind the first message. */
static int
on_complete(llhttp_t *p)
{
	struct seen *s = p->data;

	s->done = true;
	s->upgrade = p->upgrade;
	s->keep = llhttp_should_keep_alive(p);
	return HPE_PAUSED;
}

/* Run it; how many bytes the message took, when it is done. */
static size_t
run(struct seen *s, llhttp_t *p, const char *data, size_t n)
{
	llhttp_settings_t set;

	memset(s, 0, sizeof *s);
	llhttp_settings_init(&set);
	set.on_url = on_url;
	set.on_body = on_body;
	set.on_message_complete = on_complete;
	llhttp_init(p, HTTP_REQUEST, &set);
	p->data = s;
	(void)llhttp_execute(p, data, n);
	return s->done ? (size_t)(llhttp_get_error_pos(p) - data) : 0;
}

/* What ours takes and llhttp does not: none of it moves the end of a message.
 *  method   it has a list of them; ours takes any token and answers 404
 *  URL      it looks at the parts of a target, ours wants visible bytes only
 *  version  HTTP/1.0 and 1.1 are all that either takes of those ours takes */
static bool
accepted(enum llhttp_errno e)
{
	return e == HPE_INVALID_METHOD || e == HPE_INVALID_URL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *p = fuzz_copy(data, n), *q = fuzz_copy(data, n);
	enum http1_rc rc;
	struct http1 h;
	struct seen s;
	llhttp_t l;
	size_t used;

	http1_init(&h, HTTP1_REQUEST, &limits);
	rc = http1_feed(&h, p, n);
	used = run(&s, &l, q, n);
	if (rc == HTTP1_MORE)
		promise(!s.done);
	if (rc == HTTP1_DONE && !accepted(llhttp_get_errno(&l)) && !s.upgrade) {
		if (!s.done || used != h.used)
			fprintf(stderr, "ours took %zu, llhttp %zu: %s: %s\n",
			    h.used, used,
			    llhttp_errno_name(llhttp_get_errno(&l)),
			    llhttp_get_error_reason(&l));
		promise(s.done && used == h.used);
		promise(str_eq(h.body, (struct str){s.body.p, s.body.n}));
		promise(str_eq(h.target, (struct str){s.target.p, s.target.n}));
		promise(h.close || s.keep);
	}
	buf_fini(&s.body);
	buf_fini(&s.target);
	free(p);
	free(q);
	return 0;
}
