/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Choosing messages: by state, age, size and number, which the index knows, and
 * by method, origin and text, for which a message has to be read.
 *
 * A text is looked for where an operator may look: in the payload with its
 * secrets masked.  The payload as it is decides nothing, not even how long the
 * search takes, or answers would tell what is behind the mask.
 */
#include "api_v1.h"

#include "clock.h"
#include "redact.h"
#include "rpc.h"

#define GREP_TEXT ((size_t)64 * 1024) /* masked text of one message */
#define GREP_PAGE (256 * 1024) /* payload that one page may mask */

static const char *const names[] = {[V1_READY] = "ready",
    [V1_DELIVERED] = "delivered",
    [V1_HELD] = "held",
    [V1_LEAVING] = "leaving"};

/* The state of a message. */
enum msg_state
v1_state(const struct msg *m)
{
	return m->flags & MSG_LEAVING ? V1_LEAVING
	    : m->held > 0	      ? V1_HELD
	    : m->deliveries > 0	      ? V1_DELIVERED
				      : V1_READY;
}

/* Its name. */
const char *
v1_state_name(enum msg_state s)
{
	return names[s];
}

static bool
set_state(struct msg_filter *f, struct str state)
{
	for (int s = V1_READY; s <= V1_LEAVING; s++)
		if (str_eq(state, str_of(names[s]))) {
			f->state = s;
			return true;
		}
	return state.p == NULL;
}

/* Copy a text, when there is room for it. */
static bool
set_text(char to[FILTER_TEXT], size_t *n, struct str text)
{
	if (text.n > FILTER_TEXT)
		return false;
	if (text.n > 0)
		memcpy(to, text.p, text.n);
	*n = text.n;
	return true;
}

/* "Volume.create", or "Volume.*". */
static bool
set_method(struct msg_filter *f, struct str method)
{
	if (method.p == NULL)
		return true;
	if (method.n > 0 && method.p[method.n - 1] == '*') {
		f->prefix = true;
		method.n--;
	}
	return (method.n > 0 || f->prefix) &&
	    set_text(f->method, &f->method_n, method);
}

/* Set. */
bool
filter_set(struct msg_filter *f, const struct api *a,
    const struct msg_choice *choice, const char **bad)
{
	memset(f, 0, sizeof *f);
	if (choice->older_s >= 0)
		f->before_s = a->m->wall_ns / NS_PER_SEC - choice->older_s;
	f->min_size = choice->min_size;
	f->max_size = choice->max_size >= 0 ? choice->max_size : INT64_MAX;
	f->up_to = choice->up_to >= 0 ? choice->up_to : INT64_MAX;
	*bad = "state";
	if (!set_state(f, choice->state))
		return false;
	*bad = "method";
	if (!set_method(f, choice->method))
		return false;
	*bad = "origin";
	if (!set_text(f->origin, &f->origin_n, choice->origin))
		return false;
	*bad = "grep";
	return set_text(f->grep, &f->grep_n, choice->grep);
}

/* By state, age, size and number. */
bool
filter_msg(const struct msg_filter *f, const struct msg *msg)
{
	if (f->state != 0 && (int)v1_state(msg) != f->state)
		return false;
	if ((int64_t)msg->size < f->min_size ||
	    (int64_t)msg->size > f->max_size || msg->id > f->up_to)
		return false;
	return f->before_s == 0 || msg->at_s <= f->before_s;
}

/* ---- what has to be read ---- */

static bool
takes_method(const struct msg_filter *f, struct str payload)
{
	char text[FILTER_TEXT + 1];
	size_t n;

	if (f->method_n == 0 && !f->prefix)
		return true;
	n = rpc_method(text, sizeof text, payload);
	if (n == 0 || n < f->method_n || (!f->prefix && n != f->method_n))
		return false;
	return memcmp(text, f->method, f->method_n) == 0;
}

/* '*' stands for any bytes, '?' for one.  The last star alone is tried again,
 * so this takes no more than the product of both lengths. */
static bool
glob(struct str pattern, struct str text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, again = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			again = t;
		} else if (p < pattern.n &&
		    (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++again;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

static bool
takes_origin(const struct msg_filter *f, const struct store_msg *sm)
{
	struct str pattern = {f->origin, f->origin_n};

	return f->origin_n == 0 || glob(pattern, sm->origin) ||
	    glob(pattern, sm->comm);
}

static bool
takes_text(const struct msg_filter *f, struct str payload)
{
	static char text[GREP_TEXT]; /* of the loop's thread */
	size_t n;

	if (f->grep_n == 0)
		return true;
	n = redact(text, sizeof text, payload);
	return memmem(text, n, f->grep, f->grep_n) != NULL;
}

/* By method, origin and text. */
bool
filter_read(const struct msg_filter *f, const struct store_msg *sm)
{
	return takes_origin(f, sm) && takes_method(f, sm->payload) &&
	    takes_text(f, sm->payload);
}

/* Must it be read? */
bool
filter_reads(const struct msg_filter *f)
{
	return f->method_n > 0 || f->prefix || f->origin_n > 0 || f->grep_n > 0;
}

/* For one page. */
int64_t
filter_page_bytes(const struct msg_filter *f)
{
	return f->grep_n > 0 ? GREP_PAGE : 0;
}
