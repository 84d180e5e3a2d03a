/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Choosing messages: by state and age, which the index knows, and by method,
 * which only the payload knows. */
#include "api_v1.h"

#include "clock.h"
#include "rpc.h"

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
	if (method.n > sizeof f->method || (method.n == 0 && !f->prefix))
		return false;
	if (method.n > 0)
		memcpy(f->method, method.p, method.n);
	f->method_n = method.n;
	return true;
}

/* Set. */
bool
filter_set(struct msg_filter *f, const struct api *a, struct str state,
    struct str method, int64_t older_s, const char **bad)
{
	memset(f, 0, sizeof *f);
	*bad = "state";
	if (!set_state(f, state))
		return false;
	*bad = "method";
	if (!set_method(f, method))
		return false;
	if (older_s >= 0)
		f->before_s = a->m->wall_ns / NS_PER_SEC - older_s;
	return true;
}

/* By state and age. */
bool
filter_msg(const struct msg_filter *f, const struct msg *msg)
{
	if (f->state != 0 && (int)v1_state(msg) != f->state)
		return false;
	return f->before_s == 0 || msg->at_s <= f->before_s;
}

/* By method. */
bool
filter_method(const struct msg_filter *f, struct str payload)
{
	char text[sizeof f->method + 1];
	size_t n;

	if (f->method_n == 0 && !f->prefix)
		return true;
	n = rpc_method(text, sizeof text, payload);
	if (n == 0 || n < f->method_n || (!f->prefix && n != f->method_n))
		return false;
	return memcmp(text, f->method, f->method_n) == 0;
}
