/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Reading cases, and a world that is nothing but their lines. */
#include "callcase.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "call_json.h"
#include "gen_smapi.h"

/* Something is wrong with the file, not with what is tested. */
static void __attribute__((noreturn, format(printf, 1, 2)))
give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(99);
}

/* s begins with word: what is behind it, else NULL. */
static const char *
behind(const char *s, const char *word)
{
	size_t n = strlen(word);

	return strncmp(s, word, n) == 0 ? s + n : NULL;
}

/* ---- files ---- */

/* All cases of a file. */
size_t
callcase_read(const char *file, struct callcase *cases, size_t n, size_t max)
{
	const char *src = getenv("XMSG_SRCDIR");
	char path[1000], *line = NULL;
	size_t cap = 0;
	ssize_t len;
	FILE *f;

	snprintf(
	    path, sizeof(path), "%s/tests/calls/%s", src ? src : ".", file);
	f = fopen(path, "r");
	if (f == NULL)
		give_up("%s: %s", path, strerror(errno));
	while ((len = getline(&line, &cap, f)) >= 0) {
		if (len > 0 && line[len - 1] == '\n')
			line[--len] = '\0';
		if (len == 0 || line[0] == '#')
			continue;
		if (behind(line, "== ") != NULL) {
			if (n == max)
				give_up("%s: too many cases", path);
			cases[n++] = (struct callcase){
			    .file = file, .name = strdup(line + 3)};
			continue;
		}
		if (n == 0 || cases[n - 1].n == MAX_LINES)
			give_up("%s: %s", path, line);
		cases[n - 1].line[cases[n - 1].n++] = strdup(line);
	}
	free(line);
	fclose(f);
	return n;
}

/* And all that they hold. */
void
callcase_free(struct callcase *cases, size_t n)
{
	size_t i;

	while (n-- > 0) {
		for (i = 0; i < cases[n].n; i++)
			free(cases[n].line[i]);
		free((char *)cases[n].name);
	}
}

/* The rest of the first line that begins with a word. */
static const char *
find(const struct callcase *k, const char *word)
{
	const char *rest;
	size_t i;

	for (i = 0; i < k->n; i++) {
		rest = behind(k->line[i], word);
		if (rest != NULL)
			return rest;
	}
	return NULL;
}

/* What is asked. */
const char *
callcase_request(const struct callcase *k)
{
	return find(k, "> ");
}

/* Lines that tell what happens. */
void
play_expected(const struct callcase *k, struct buf *b)
{
	static const char *const words[] = {
	    "run ", "wait", "did ", "note ", "error ", "< "};
	size_t i, w;

	for (i = 0; i < k->n; i++)
		for (w = 0; w < sizeof(words) / sizeof(words[0]); w++)
			if (behind(k->line[i], words[w]) != NULL)
				buf_addf(b, "%s\n", k->line[i]);
}

/* ---- the world ---- */

/* A line of the log. */
static void __attribute__((format(printf, 2, 3)))
tell(struct play *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&p->log, fmt, ap);
	va_end(ap);
	buf_addc(&p->log, '\n');
}

/* A line "@ word" of the case. */
static const char *
setting(const struct play *p, const char *word)
{
	char key[80];

	snprintf(key, sizeof(key), "@ %s", word);
	return find(p->k, key);
}

/* "@ sr NAME HANDLE", else sruuid. */
static const char *
w_sr_handle(void *arg, const char *sr)
{
	struct play *p = arg;
	const char *s = setting(p, "sr "), *rest;
	size_t n;

	if (s == NULL)
		s = "sruuid file:///srs/one";
	n = strcspn(s, " ");
	if (strlen(sr) != n || strncmp(s, sr, n) != 0)
		return NULL;
	rest = s + n + (s[n] == ' ');
	snprintf(p->handle, sizeof(p->handle), "%s", rest);
	return p->handle;
}

/* Two names. */
static json_t *
w_sr_list(void *arg)
{
	(void)arg;
	return json_pack("[s,s]", "sruuid", "other");
}

/* "@ broken": nothing can be remembered. */
static int
broken(struct play *p, struct err *e)
{
	if (setting(p, "broken") == NULL)
		return 0;
	return err_set(e, ENOSPC, "the disk is full");
}

/* Logged. */
static int
w_sr_attached(void *arg, const char *sr, const char *handle, json_t *config,
    json_t *uids, struct err *e)
{
	struct play *p = arg;
	struct buf a = BUF_INIT, b = BUF_INIT;

	tree_write(&a, config);
	tree_write(&b, uids);
	tell(p, "did attached %s %s %.*s %.*s", sr, handle, (int)a.n, a.p,
	    (int)b.n, b.p);
	buf_fini(&a);
	buf_fini(&b);
	return broken(p, e);
}

/* Logged. */
static int
w_sr_detached(void *arg, const char *sr, struct err *e)
{
	tell(arg, "did detached %s", sr);
	return broken(arg, e);
}

/* "@ epoch SCHEME" */
static const char *
w_epoch(void *arg, const char *sr, const char *vdi)
{
	(void)sr;
	(void)vdi;
	return setting(arg, "epoch ");
}

/* Logged. */
static int
w_epoch_set(void *arg, const char *sr, const char *vdi, const char *scheme,
    struct err *e)
{
	tell(arg, "did epoch %s %s %s", sr, vdi, scheme ? scheme : "-");
	return broken(arg, e);
}

/* "@ datapath SCHEME FEATURE", several times; else dpx. */
static const struct call_datapath *
w_datapath(void *arg, const char *scheme)
{
	static const char *features[3];
	static struct call_datapath d;
	static char words[2][64];
	struct play *p = arg;
	const char *s, *usual = "dpx";
	size_t i, n;

	for (i = 0; i < p->ndatapaths || (i == 0 && p->ndatapaths == 0); i++) {
		s = p->ndatapaths > 0 ? p->datapath[i] : usual;
		n = strcspn(s, " ");
		if (strlen(scheme) != n || strncmp(s, scheme, n) != 0)
			continue;
		snprintf(words[0], sizeof(words[0]), "%s", scheme);
		snprintf(words[1], sizeof(words[1]), "%s",
		    s[n] == ' ' ? s + n + 1 : "NOTHING");
		features[0] = "SOMETHING";
		features[1] = words[1];
		d.scheme = words[0];
		d.features = features;
		return &d;
	}
	return NULL;
}

/* All but "@ noscript NAME". */
static bool
w_has_script(void *arg, const struct idl_method *m)
{
	const char *s = setting(arg, "noscript ");

	return s == NULL || strcmp(s, m->name) != 0;
}

/* "@ version V" */
static const char *
w_version(void *arg)
{
	const char *s = setting(arg, "version ");

	return s != NULL ? s : "5.0";
}

/* 2020-01-01 00:00:00 UTC */
static int64_t
w_began(void *arg)
{
	(void)arg;
	return 1577836800 * (int64_t)1000000000 + 999999999;
}

/* Logged as the case has it, when it is right: notes are compared in part. */
static void
w_note(void *arg, const char *text)
{
	struct play *p = arg;
	const char *want;
	size_t i;

	for (i = 0; i < p->k->n; i++) {
		want = behind(p->k->line[i], "note ");
		if (want != NULL && strstr(text, want) != NULL) {
			tell(p, "note %s", want);
			return;
		}
	}
	tell(p, "note %s", text);
}

static const struct call_world world = {
    .sr_handle = w_sr_handle,
    .sr_list = w_sr_list,
    .sr_attached = w_sr_attached,
    .sr_detached = w_sr_detached,
    .epoch = w_epoch,
    .epoch_set = w_epoch_set,
    .datapath = w_datapath,
    .has_script = w_has_script,
    .version = w_version,
    .began = w_began,
    .note = w_note,
};

/* ---- how scripts end ---- */

struct end {
	const char *word;
	enum call_found found;
	enum job_end end;
	bool rebooted;
};

static const struct end ends[] = {
    {"exit", CALL_FOUND, JOB_EXIT, false},
    {"signal", CALL_FOUND, JOB_SIGNAL, false},
    {"timeout", CALL_FOUND, JOB_TIMEOUT, false},
    {"cancelled", CALL_FOUND, JOB_CANCELLED, false},
    {"output", CALL_FOUND, JOB_OUTPUT, false},
    {"noexec", CALL_FOUND, JOB_NOEXEC, false},
    {"lost", CALL_FOUND, JOB_LOST, false},
    {"rebooted", CALL_FOUND, JOB_LOST, true},
    {"nostart", CALL_FOUND, JOB_NOSTART, false},
    {"missing", CALL_MISSING, JOB_EXIT, false},
    {"notexec", CALL_NOT_EXECUTABLE, JOB_EXIT, false},
    {"nodir", CALL_NO_DIR, JOB_EXIT, false},
};

/* %XX decoded. */
static void
unescape(struct buf *b, const char *s)
{
	unsigned c;

	buf_reset(b);
	for (; *s != '\0'; s++) {
		if (*s == '%' && sscanf(s + 1, "%2x", &c) == 1) {
			buf_addc(b, (char)c);
			s += 2;
		} else {
			buf_addc(b, *s);
		}
	}
}

/* "exit 1 TEXT" */
static void
plan_end(
    const char *s, struct call_ran *r, struct job_result *j, struct buf *out)
{
	size_t i, n = strcspn(s, " ");
	char *rest;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (strlen(ends[i].word) == n &&
		    strncmp(s, ends[i].word, n) == 0)
			break;
	if (i == sizeof(ends) / sizeof(ends[0]))
		give_up("unknown end: %s", s);
	r->found = ends[i].found;
	r->rebooted = ends[i].rebooted;
	r->why = s + n + (s[n] == ' ');
	j->end = ends[i].end;
	j->code = (int)strtol(s + n, &rest, 10);
	if (j->end == JOB_TIMEOUT)
		j->took_ns = j->code * (int64_t)1000000000;
	unescape(out, *rest == ' ' ? rest + 1 : rest);
}

/* The line after "run" that matches, and the ones that follow it. */
static void
plan(struct play *p, const char *run, struct call_ran *r, struct job_result *j,
    struct buf *out, struct buf *err)
{
	size_t i, seen = 0;
	const char *s;

	for (i = 0; i < p->k->n; i++)
		if (behind(p->k->line[i], "run ") != NULL && seen++ == p->runs)
			break;
	if (i == p->k->n || strcmp(p->k->line[i] + 4, run) != 0) {
		buf_adds(out, "null");
		return;
	}
	for (i++; i < p->k->n; i++) {
		s = p->k->line[i];
		if (behind(s, "err ") != NULL) {
			unescape(err, s + 4);
		} else if (behind(s, "= ") != NULL || strcmp(s, "=") == 0) {
			unescape(out, s[1] == ' ' ? s + 2 : "");
			return;
		} else if (behind(s, "! ") != NULL) {
			plan_end(s + 2, r, j, out);
			return;
		} else {
			give_up("%s: %s: no result", p->k->file, p->k->name);
		}
	}
}

/* Run what the call asks for. */
static enum call_state
run(struct play *p, struct call *c)
{
	const struct call_script *s = call_script(c);
	struct buf text = BUF_INIT, out = BUF_INIT, err = BUF_INIT;
	struct job_result j = {.end = JOB_EXIT};
	struct call_ran r = {.found = CALL_FOUND, .result = &j};
	char path[200];
	enum call_state state;

	snprintf(path, sizeof(path), "<dir>/%s", s->method->name);
	r.path = path;
	if (s->datapath != NULL)
		buf_addf(&text, "%s/", s->datapath);
	buf_addf(&text, "%s ", s->method->name);
	tree_write(&text, s->params);
	buf_addc(&text, '\0');
	tell(p, "run %s", text.p);
	plan(p, text.p, &r, &j, &out, &err);
	p->runs++;
	j.out = (struct str){out.p, out.n};
	j.err = (struct str){err.p, err.n};
	if (p->fail_at > 0 && p->runs >= p->fail_at) {
		r.found = CALL_FOUND;
		j = *p->failure;
		if (p->runs > p->fail_at)
			j = (struct job_result){
			    .end = JOB_EXIT, .out = STR("null")};
	}
	state = call_resume(c, &r);
	buf_fini(&text);
	buf_fini(&out);
	buf_fini(&err);
	return state;
}

/* Datapath plugins of the case. */
static void
read_datapaths(struct play *p)
{
	const char *s;
	size_t i;

	for (i = 0; i < p->k->n && p->ndatapaths < 8; i++) {
		s = behind(p->k->line[i], "@ datapath ");
		if (s != NULL)
			p->datapath[p->ndatapaths++] = s;
	}
}

/* To the end. */
void
play_run(struct play *p, const struct callcase *k)
{
	struct buf raw = BUF_INIT;
	enum call_state state;
	struct call *c;
	const char *code;
	struct str reply;

	p->k = k;
	p->runs = 0;
	p->ndatapaths = 0;
	p->w = world;
	p->w.arg = p;
	buf_reset(&p->log);
	read_datapaths(p);
	unescape(&raw, callcase_request(k));
	c = call_new(&p->w,
	    setting(p, "escaped") ? (struct str){raw.p, raw.n}
				  : str_of(callcase_request(k)));
	buf_fini(&raw);
	p->method[0] = '\0';
	if (c == NULL) {
		tell(p, "no call");
		buf_addc(&p->log, '\0');
		return;
	}
	for (state = call_go(c); state != CALL_DONE;) {
		if (state == CALL_RUN) {
			state = run(p, c);
		} else {
			tell(p,
			    call_wait_ns(c) == 1000000000 ? "wait"
							  : "waited badly");
			state = call_go(c);
		}
	}
	code = call_error(c, NULL);
	if (find(k, "error ") != NULL)
		tell(p, "error %s", code != NULL ? code : "none");
	reply = call_reply(c);
	tell(p, "< %.*s", (int)reply.n, reply.p);
	buf_addc(&p->log, '\0');
	snprintf(p->method, sizeof(p->method), "%s", call_method(c));
	p->idempotent = call_idempotent(c);
	call_free(c);
}

/* Its log. */
void
play_fini(struct play *p)
{
	buf_fini(&p->log);
}
