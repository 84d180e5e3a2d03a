/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Calls: the first line is a request, each further one the end of a script (a
 * letter that says how, then its output).  Whatever they are, the call ends,
 * its reply is one JSON object with three members, scripts get one line that is
 * JSON, and the same input does the same again.
 */
#include "fuzz.h"

#include "call.h"
#include "call_json.h"
#include "gen_smapi.h"

#define MAX_RUNS 20000

/* Two datapath plugins, by the first letter. */
static const char *const features[] = {"NONPERSISTENT", "VDI_MIRROR_IN", NULL};

/* Any SR whose name does not begin with n. */
static const char *
sr_handle(void *arg, const char *sr)
{
	(void)arg;
	return *sr == 'n' ? NULL : "handle";
}

/* One. */
static json_t *
sr_list(void *arg)
{
	(void)arg;
	return json_pack("[s]", "one");
}

/* Remembered, unless the name is odd. */
static int
sr_attached(void *arg, const char *sr, const char *handle, json_t *config,
    json_t *uids, struct err *e)
{
	(void)arg;
	promise(json_is_object(config) && json_is_array(uids));
	return strlen(sr) % 2 && *handle ? 0 : err_set(e, 1, "full");
}

/* The same. */
static int
sr_detached(void *arg, const char *sr, struct err *e)
{
	(void)arg;
	return strlen(sr) % 2 ? 0 : err_set(e, 1, "full");
}

/* By the volume's name. */
static const char *
epoch(void *arg, const char *sr, const char *vdi)
{
	(void)arg;
	(void)sr;
	return *vdi == 'e' ? "dpx" : NULL;
}

/* Remembered. */
static int
epoch_set(void *arg, const char *sr, const char *vdi, const char *scheme,
    struct err *e)
{
	(void)arg;
	(void)sr;
	promise(scheme == NULL || *scheme == 'd');
	return *vdi == 'f' ? err_set(e, 1, "full") : 0;
}

/* Those that begin with d. */
static const struct call_datapath *
datapath(void *arg, const char *scheme)
{
	static struct call_datapath d;

	(void)arg;
	d.scheme = scheme;
	d.features = scheme[1] == 'p' ? features + 2 : features;
	return *scheme == 'd' ? &d : NULL;
}

/* All. */
static bool
has_script(void *arg, const struct idl_method *m)
{
	(void)arg;
	promise(m >= smapi_methods && m < smapi_methods + SMAPI_N_METHODS);
	return true;
}

/* By the first byte of the input. */
static const char *
version(void *arg)
{
	return arg;
}

/* A time. */
static int64_t
began(void *arg)
{
	(void)arg;
	return 1577836800000000000;
}

/* Read by nobody. */
static void
note(void *arg, const char *text)
{
	(void)arg;
	promise(*text != '\0');
}

/* How a script ends, by a letter; all others: exit 0. */
static const struct {
	char letter;
	enum call_found found;
	enum job_end end;
	int code;
} ends[] = {
    {'!', CALL_FOUND, JOB_EXIT, 1},
    {'s', CALL_FOUND, JOB_SIGNAL, 9},
    {'t', CALL_FOUND, JOB_TIMEOUT, 0},
    {'c', CALL_FOUND, JOB_CANCELLED, 0},
    {'o', CALL_FOUND, JOB_OUTPUT, 0},
    {'l', CALL_FOUND, JOB_LOST, 0},
    {'x', CALL_FOUND, JOB_NOEXEC, 2},
    {'n', CALL_FOUND, JOB_NOSTART, 11},
    {'m', CALL_MISSING, JOB_EXIT, 0},
    {'p', CALL_NOT_EXECUTABLE, JOB_EXIT, 0},
    {'d', CALL_NO_DIR, JOB_EXIT, 0},
};

/* The rest of the input up to a newline, which is taken. */
static struct str
line(struct str *rest)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	struct str s = {rest->p, end ? (size_t)(end - rest->p) : rest->n};

	rest->p += s.n + (end != NULL);
	rest->n -= s.n + (end != NULL);
	return s;
}

/* End a script with the next line. */
static enum call_state
resume(struct call *c, struct str *rest)
{
	struct str s = line(rest);
	struct job_result j = {.end = JOB_EXIT, .took_ns = 5};
	struct call_ran r = {
	    .path = "/dir/\xff script", .why = "it is so", .result = &j};
	size_t i;

	for (i = 0; s.n > 0 && i < sizeof ends / sizeof *ends; i++) {
		if (s.p[0] != ends[i].letter)
			continue;
		r.found = ends[i].found;
		j.end = ends[i].end;
		j.code = ends[i].code;
	}
	j.out = s.n > 0 ? (struct str){s.p + 1, s.n - 1} : STR("null");
	j.err = (struct str){s.p, s.n / 2};
	return call_resume(c, &r);
}

/* One line of JSON. */
static void
check_params(const struct call_script *s, struct buf *log)
{
	size_t start = log->n;
	char why[200];
	json_t *v;

	promise(json_is_object(s->params));
	buf_addf(log, "%s ", s->datapath != NULL ? s->datapath : "");
	buf_adds(log, s->method->name);
	tree_write(log, s->params);
	promise(memchr(log->p + start, '\n', log->n - start) == NULL);
	start = (size_t)((char *)memchr(log->p + start, '{', log->n - start) -
	    log->p);
	v = tree_read(
	    (struct str){log->p + start, log->n - start}, why, sizeof why);
	promise(v != NULL);
	json_decref(v);
}

/* {"result","error","id"}, one of the first two null. */
static void
check_reply(struct call *c, struct buf *log)
{
	struct str reply = call_reply(c);
	const char *text = NULL, *code = call_error(c, &text);
	char why[200];
	json_t *v = tree_read(reply, why, sizeof why);

	promise(v != NULL && json_object_size(v) == 3 && text != NULL);
	promise(json_object_get(v, "id") != NULL);
	promise(json_is_null(json_object_get(v, "error")) == (code == NULL));
	promise(code == NULL || json_is_null(json_object_get(v, "result")));
	json_decref(v);
	buf_add(log, reply.p, reply.n);
}

/* The whole call, and what it did. */
static void
play(struct str rest, const char *api, struct buf *log)
{
	struct call_world w = {.arg = (void *)api,
	    .sr_handle = sr_handle,
	    .sr_list = sr_list,
	    .sr_attached = sr_attached,
	    .sr_detached = sr_detached,
	    .epoch = epoch,
	    .epoch_set = epoch_set,
	    .datapath = datapath,
	    .has_script = has_script,
	    .version = version,
	    .began = began,
	    .note = note};
	struct call *c = call_new(&w, line(&rest));
	enum call_state state;
	unsigned runs = 0;

	promise(c != NULL);
	for (state = call_go(c); state != CALL_DONE;) {
		promise(++runs < MAX_RUNS);
		if (state == CALL_RUN) {
			check_params(call_script(c), log);
			state = resume(c, &rest);
		} else {
			promise(call_wait_ns(c) > 0);
			state = call_go(c);
		}
	}
	check_reply(c, log);
	buf_adds(log, call_method(c));
	buf_adds(log, call_sr(c));
	buf_adds(log, call_dbg(c));
	call_free(c);
}

/* Twice. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *api = n > 0 && data[0] == ' ' ? "3.0" : "5.0";
	char *copy = fuzz_copy(data, n);
	struct buf one = BUF_INIT, two = BUF_INIT;

	play((struct str){copy, n}, api, &one);
	play((struct str){copy, n}, api, &two);
	promise(buf_ok(&one) && buf_ok(&two));
	promise(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
	buf_fini(&one);
	buf_fini(&two);
	free(copy);
	return 0;
}
