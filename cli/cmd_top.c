/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * top: queues by rate, the oldest messages, running scripts and the slowest
 * methods, once or again and again.  On a terminal keys act on the message
 * under the mark, after a question.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <jansson.h>

#include "act.h"
#include "adapter.h"
#include "ask.h"
#include "callstat.h"
#include "clock.h"
#include "cmd.h"
#include "look.h"
#include "msgs.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#define QUEUES	  5000 /* looked at */
#define EVENTS	  2000 /* for the slowest methods */
#define FRONT	  6 /* messages of a queue that are looked at */
#define MESSAGES  6 /* shown */
#define SCRIPTS	  4
#define METHODS	  4
#define SAMPLE_MS 500 /* between the two looks of --once */
#define ASIDE	  (NS_PER_SEC) /* for the adapter */

static const struct opt opts[] = {
    {"once", 0, OPT_FLAG, NULL, "print it once and end", NULL},
    {"interval", 'i', OPT_SECONDS, "SEC", "time between two looks [2]", NULL},
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum { R_NAME, R_IN, R_OUT, R_READY, R_DELIVERED, R_HELD, R_OLDEST, R_STATE };

static const struct col cols[] = {
    [R_NAME] = {"name", "QUEUE", COL_TEXT, false, "name of the queue"},
    [R_IN] = {"in_s", "IN/s", COL_INT, false, "messages that came, a second"},
    [R_OUT] = {"out_s", "OUT/s", COL_INT, false, "that left, a second"},
    [R_READY] = {"ready", "READY", COL_INT, false, "not yet delivered"},
    [R_DELIVERED] = {"delivered", "DELIVERED", COL_INT, false,
	"delivered, not acknowledged"},
    [R_HELD] = {"held", "HELD", COL_INT, false, "held back"},
    [R_OLDEST] = {"oldest_age_s", "OLDEST", COL_AGE, false,
	"age of the oldest message"},
    [R_STATE] = {"state", "STATE", COL_TEXT, false, "how it does, in words"},
};

/* A queue as it was seen. */
struct row {
	char *name;
	struct look_queue q; /* its name is the one above */
	double in_s, out_s;
};

struct snap {
	struct row *v;
	size_t n, cap;
	double at; /* seconds, steady clock */
	json_t *status, *scripts;
	struct chosen_list oldest;
	struct callstat *methods;
	size_t nmethods;
};

struct top {
	struct cli *c;
	struct snap now, before;
	size_t mark; /* of the oldest messages */
	size_t width, height;
	char note[160]; /* what the last key did */
};

/* ---- looking ---- */

static void
snap_fini(struct snap *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	json_decref(s->status);
	json_decref(s->scripts);
	chosen_fini(&s->oldest);
	callstat_free(s->methods, s->nmethods);
	memset(s, 0, sizeof *s);
}

static int
keep_queue(void *arg, const struct look_queue *q)
{
	struct snap *s = arg;
	struct row *r;

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->v = xreallocarray(s->v, s->cap, sizeof *s->v);
	}
	r = &s->v[s->n++];
	memset(r, 0, sizeof *r);
	r->name = xstrndup(q->name.p, q->name.n);
	r->q = *q;
	r->q.name = str_of(r->name);
	return s->n == QUEUES;
}

static int
by_age(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *)a,
			 *y = *(const struct row *const *)b;

	return (x->q.oldest_age_s < y->q.oldest_age_s) -
	    (x->q.oldest_age_s > y->q.oldest_age_s);
}

static int
by_id(const void *a, const void *b)
{
	const struct chosen *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/* The front messages of the queues with the oldest. */
static int
look_oldest(struct cli *c, struct snap *s)
{
	const struct row **by = xcalloc(s->n + 1, sizeof *by);
	int rc = 0, one;

	for (size_t i = 0; i < s->n; i++)
		by[i] = &s->v[i];
	qsort(by, s->n, sizeof *by, by_age);
	for (size_t i = 0; i < s->n && i < MESSAGES && rc == 0; i++) {
		if (by[i]->q.messages <= 0)
			break;
		one = look_broker.messages(
		    c, by[i]->name, -1, FRONT, false, chosen_add, &s->oldest);
		rc = one == CLI_NONE ? 0 : one; /* it went meanwhile */
	}
	free(by);
	if (s->oldest.n > 1)
		qsort(s->oldest.v, s->oldest.n, sizeof *s->oldest.v, by_id);
	return rc;
}

static int
slower(const void *a, const void *b)
{
	const struct callstat *x = a, *y = b;

	return (x->p99_s < y->p99_s) - (x->p99_s > y->p99_s);
}

static int
look_methods(struct cli *c, struct snap *s)
{
	struct events l = {0};
	int rc = look_broker.events(c, LOOK_LAST, EVENTS, 0, &l);

	s->methods = callstat_of(&l, &s->nmethods);
	qsort(s->methods, s->nmethods, sizeof *s->methods, slower);
	events_fini(&l);
	return rc;
}

/* Its absence is no failure. */
static void
look_scripts(struct cli *c, struct snap *s)
{
	int64_t limit = c->limit_ns;

	c->limit_ns = ASIDE;
	if (adapter_ask(c, "adapter.scripts", NULL, &s->scripts) != 0)
		s->scripts = NULL;
	c->limit_ns = limit;
	c->why.text[0] = '\0';
}

/* Everything. */
static int
look(struct cli *c, struct snap *s, bool all)
{
	struct buf t = BUF_INIT;
	int rc;

	c->start_ns = clock_mono_ns();
	s->at = (double)c->start_ns / 1e9;
	rc = look_broker.queues(c, "", keep_queue, s);
	if (rc != 0 || !all)
		return rc;
	ask_path(&t, "status");
	rc = ask(c, "GET", &t, STR(""), &s->status);
	buf_fini(&t);
	if (rc == 0)
		rc = look_oldest(c, s);
	if (rc == 0)
		rc = look_methods(c, s);
	if (rc == 0)
		look_scripts(c, s);
	return rc;
}

static int
busier(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	double rx = x->in_s + x->out_s, ry = y->in_s + y->out_s;

	if (rx != ry)
		return rx < ry ? 1 : -1;
	if (x->q.messages != y->q.messages)
		return x->q.messages < y->q.messages ? 1 : -1;
	return strcmp(x->name, y->name);
}

static int
by_name(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Rates since the look before, then by rate. */
static void
compare(struct snap *now, struct snap *before)
{
	double dt = now->at - before->at;

	qsort(before->v, before->n, sizeof *before->v, by_name);
	for (size_t i = 0; i < now->n && dt > 0 && before->n > 0; i++) {
		struct row *r = &now->v[i], *was;

		was = bsearch(
		    r, before->v, before->n, sizeof *before->v, by_name);
		if (was == NULL || was->q.in > r->q.in || was->q.out > r->q.out)
			continue;
		r->in_s = (double)(r->q.in - was->q.in) / dt;
		r->out_s = (double)(r->q.out - was->q.out) / dt;
	}
	if (now->n > 1)
		qsort(now->v, now->n, sizeof *now->v, busier);
}

/* ---- drawing ---- */

/* End a line: no wider than the screen, the rest of it blank. */
static void
end(struct top *t, struct buf *to, struct buf *line, bool live)
{
	text_fit(to, (struct str){line->p, line->n}, t->width, false);
	buf_adds(to, live ? "\033[K\r\n" : "\n");
	buf_reset(line);
}

/* Safe text in a column. */
static void
column(struct buf *b, const char *text, size_t width)
{
	struct buf safe = BUF_INIT;
	size_t used;

	text_put(&safe, str_of(text));
	used = text_width((struct str){safe.p, safe.n});
	text_fit(b, (struct str){safe.p, safe.n}, width, true);
	for (; used < width; used++)
		buf_addc(b, ' ');
	buf_fini(&safe);
}

static void
draw_head(struct top *t, struct buf *to, struct buf *line, bool live)
{
	const json_t *j = t->now.status;
	struct str version = ask_str(j, "version");
	char up[UNITS_MAX];
	double in = 0, out = 0;

	for (size_t i = 0; i < t->now.n; i++) {
		in += t->now.v[i].in_s;
		out += t->now.v[i].out_s;
	}
	units_age(up, ask_real(j, "uptime_s", 0));
	buf_addf(line, "xmsgd %.*s up %s: %lld queues, %lld messages, ",
	    (int)version.n, version.p ? version.p : "", up,
	    (long long)ask_int(j, "queues", 0),
	    (long long)ask_int(j, "messages", 0));
	buf_addf(line, "%.0f/s in, %.0f/s out, %lld clients", in, out,
	    (long long)ask_int(j, "connections", 0));
	end(t, to, line, live);
}

static void
draw_queues(struct top *t, struct buf *to, struct buf *line, bool live)
{
	size_t fixed = MESSAGES + SCRIPTS + METHODS + 9, n = t->now.n;
	size_t room = t->height > fixed + 3 ? t->height - fixed : 3;
	char state[64], age[UNITS_MAX];

	end(t, to, line, live);
	column(line, "QUEUE", 30);
	buf_adds(line, "   IN/s  OUT/s  READY  DELIV   HELD  OLDEST  STATE");
	end(t, to, line, live);
	for (size_t i = 0; i < n && i < room; i++) {
		const struct row *r = &t->now.v[i];

		(void)queue_judge(&r->q, state);
		strcpy(age, "-");
		if (r->q.oldest_age_s >= 0)
			units_age(age, r->q.oldest_age_s);
		column(line, r->name, 30);
		buf_addf(line, " %6.0f %6.0f %6lld %6lld %6lld %7s  %s",
		    r->in_s, r->out_s, (long long)r->q.ready,
		    (long long)r->q.delivered, (long long)r->q.held, age,
		    state);
		end(t, to, line, live);
	}
	if (n > room) {
		buf_addf(line, "... and %zu more", n - room);
		end(t, to, line, live);
	}
}

static void
draw_messages(struct top *t, struct buf *to, struct buf *line, bool live)
{
	const struct chosen_list *l = &t->now.oldest;
	char age[UNITS_MAX];

	if (l->n == 0)
		return;
	end(t, to, line, live);
	buf_adds(line, "OLDEST MESSAGES");
	end(t, to, line, live);
	for (size_t i = 0; i < l->n && i < MESSAGES; i++) {
		char *ref =
		    xasprintf("%s:%lld", l->v[i].queue, (long long)l->v[i].id);

		buf_adds(line, live && i == t->mark ? "> " : "  ");
		column(line, ref, 44);
		units_age(age, l->v[i].age_s);
		buf_addf(line, " %7s  ", age);
		text_put(line, str_of(l->v[i].what));
		end(t, to, line, live);
		free(ref);
	}
}

static void
draw_scripts(struct top *t, struct buf *to, struct buf *line, bool live)
{
	const json_t *s;
	char age[UNITS_MAX];
	size_t i;

	if (json_array_size(t->now.scripts) == 0)
		return;
	end(t, to, line, live);
	buf_adds(line, "SCRIPTS");
	end(t, to, line, live);
	json_array_foreach(t->now.scripts, i, s)
	{
		if (i == SCRIPTS)
			break;
		buf_adds(line, "  ");
		column(line, ask_str(s, "queue").p, 34);
		units_age(age, ask_real(s, "elapsed", 0));
		buf_addf(
		    line, " %9lld %7s  ", (long long)ask_int(s, "pid", 0), age);
		text_put(line, ask_str(s, "method"));
		buf_addc(line, ' ');
		text_put(line, ask_str(s, "state"));
		end(t, to, line, live);
	}
}

static void
draw_methods(struct top *t, struct buf *to, struct buf *line, bool live)
{
	char p50[UNITS_MAX], p99[UNITS_MAX];

	if (t->now.nmethods == 0 || t->now.methods[0].p99_s < 0)
		return;
	end(t, to, line, live);
	column(line, "SLOWEST METHODS", 36);
	buf_adds(line, "  CALLS    P50    P99  QUEUE");
	end(t, to, line, live);
	for (size_t i = 0; i < t->now.nmethods && i < METHODS; i++) {
		const struct callstat *m = &t->now.methods[i];

		if (m->p99_s < 0)
			break;
		units_took(p50, m->p50_s);
		units_took(p99, m->p99_s);
		buf_adds(line, "  ");
		column(line, m->method, 34);
		buf_addf(
		    line, " %6lld %6s %6s  ", (long long)m->calls, p50, p99);
		text_put(line, str_of(m->queue));
		end(t, to, line, live);
	}
}

static void
draw(struct top *t, struct buf *to, bool live)
{
	struct buf line = BUF_INIT;

	if (live)
		buf_adds(to, "\033[H");
	draw_head(t, to, &line, live);
	draw_queues(t, to, &line, live);
	draw_messages(t, to, &line, live);
	draw_scripts(t, to, &line, live);
	draw_methods(t, to, &line, live);
	if (live) {
		end(t, to, &line, live);
		buf_adds(&line,
		    *t->note ? t->note
			     : "up/down mark  c cancel  h hold  r requeue  "
			       "k kill its script  q quit");
		end(t, to, &line, live);
		buf_adds(to, "\033[J");
	}
	buf_fini(&line);
}

/* ---- once ---- */

static void
put_rows(struct top *t)
{
	struct out *o = &t->c->out;
	char state[64];

	for (size_t i = 0; i < t->now.n; i++) {
		const struct row *r = &t->now.v[i];

		(void)queue_judge(&r->q, state);
		out_text(o, R_NAME, str_of(r->name));
		out_int(o, R_IN, (int64_t)(r->in_s + 0.5));
		out_int(o, R_OUT, (int64_t)(r->out_s + 0.5));
		out_int(o, R_READY, r->q.ready);
		out_int(o, R_DELIVERED, r->q.delivered);
		out_int(o, R_HELD, r->q.held);
		if (r->q.oldest_age_s >= 0)
			out_real(o, R_OLDEST, r->q.oldest_age_s);
		out_text(o, R_STATE, str_of(state));
		out_row(o);
	}
	out_end(o);
}

static int
once(struct top *t)
{
	struct cli *c = t->c;
	int rc = look(c, &t->before, false);

	if (rc == 0) {
		(void)poll(NULL, 0, SAMPLE_MS);
		rc = look(c, &t->now, true);
	}
	if (rc != 0)
		return rc;
	compare(&t->now, &t->before);
	if (c->json)
		put_rows(t);
	else
		draw(t, out_buf(&c->out), false);
	return 0;
}

/* ---- live ---- */

static struct termios saved;
static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* The screen of our own, keys one by one; and back. */
static void
screen(bool ours)
{
	struct termios raw = saved;
	const char *s = ours ? "\033[?1049h\033[?25l" : "\033[?25h\033[?1049l";
	ssize_t n;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, ours ? &raw : &saved);
	n = write(STDOUT_FILENO, s, strlen(s));
	(void)n;
}

static void
measure(struct top *t)
{
	struct winsize ws;
	const char *env = getenv("COLUMNS");
	long n = env ? strtol(env, NULL, 10) : 0;

	t->width = n > 20 && n < 1000 ? (size_t)n : 100;
	t->height = 40;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0) {
		t->width = ws.ws_col;
		t->height = ws.ws_row;
	}
}

/* A key within the time; 0: none. */
static int
key(int ms)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char c[8];
	ssize_t n;

	if (poll(&p, 1, ms) <= 0)
		return 0;
	n = read(STDIN_FILENO, c, sizeof c);
	if (n <= 0)
		return 'q';
	if (n >= 3 && c[0] == '\033' && c[1] == '[')
		return c[2] == 'A' ? '-' : c[2] == 'B' ? '+' : 0;
	return c[0];
}

/* A question on the last line. */
static bool
sure(struct top *t, const char *verb, const struct chosen *m)
{
	struct buf b = BUF_INIT;
	int k;

	snprintf(t->note, sizeof t->note, "%s %s:%lld? y", verb, m->queue,
	    (long long)m->id);
	draw(t, &b, true);
	buf_add(out_buf(&t->c->out), b.p, b.n);
	(void)out_flush(&t->c->out); /* the loop looks at it */
	buf_fini(&b);
	do
		k = key(10000);
	while (k == '+' || k == '-');
	return k == 'y' || k == 'Y';
}

/* Do what a key says to the message under the mark. */
static void
act(struct top *t, int k)
{
	static const struct {
		int key;
		const char *verb, *path;
	} acts[] = {{'c', "cancel", "cancel"}, {'h', "hold", "hold"},
	    {'r', "requeue", "requeue"}, {'k', "kill the script of", "cancel"}};
	struct acted r = {{NULL, 0}, -1, -1};
	const struct chosen *m;
	struct cli *c = t->c;

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		if (acts[i].key != k || t->mark >= t->now.oldest.n)
			continue;
		m = &t->now.oldest.v[t->mark];
		if (!sure(t, acts[i].verb, m)) {
			snprintf(t->note, sizeof t->note, "not done");
			return;
		}
		c->start_ns = clock_mono_ns();
		if (act_post(c, m, acts[i].path, STR(""), &r) == 0)
			snprintf(t->note, sizeof t->note, "%s %s:%lld: done",
			    acts[i].verb, m->queue, (long long)m->id);
		else
			snprintf(
			    t->note, sizeof t->note, "%.150s", c->why.text);
		c->why.text[0] = '\0';
		free((char *)(uintptr_t)r.reply_queue.p);
	}
}

/* Move the mark, or act; true: go on. */
static bool
handle(struct top *t, int k)
{
	size_t n = t->now.oldest.n < MESSAGES ? t->now.oldest.n : MESSAGES;

	if (k != 0)
		t->note[0] = '\0';
	if (k == '+' && t->mark + 1 < n)
		t->mark++;
	if (k == '-' && t->mark > 0)
		t->mark--;
	act(t, k);
	return k != 'q' && !stopped;
}

static int
live(struct top *t)
{
	struct sigaction sa = {.sa_handler = on_stop};
	int64_t every = opts_ns(&t->c->opts, "interval", 2 * NS_PER_SEC);
	struct cli *c = t->c;
	int rc;

	if (tcgetattr(STDIN_FILENO, &saved) == -1)
		return cli_usage(c, "top needs a terminal, or --once");
	rc = look(c, &t->before, false);
	if (rc != 0)
		return rc;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	screen(true);
	do {
		measure(t);
		rc = look(c, &t->now, true);
		if (rc != 0)
			break;
		if (t->mark >= t->now.oldest.n)
			t->mark = 0;
		compare(&t->now, &t->before);
		draw(t, out_buf(&c->out), true);
		(void)out_flush(&c->out); /* looked at below */
		if (!handle(t, key((int)(every / NS_PER_MS))))
			break;
		snap_fini(&t->before);
		t->before = t->now;
		memset(&t->now, 0, sizeof t->now);
	} while (!c->out.failed);
	screen(false);
	return rc;
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct top t = {.c = c};
	int rc;

	(void)argc, (void)argv;
	if (out_table(&c->out, "rate", cols, sizeof cols / sizeof *cols,
		&c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	measure(&t);
	if (opts_has(&c->opts, "once") || c->json)
		rc = once(&t);
	else if (!isatty(STDOUT_FILENO))
		rc = cli_usage(c, "top needs a terminal, or --once");
	else
		rc = live(&t);
	snap_fini(&t.now);
	snap_fini(&t.before);
	return cli_fail(c, rc);
}

const struct cmd cmd_top = {
    .name = "top",
    .help = "Watch queues by rate, the oldest messages, scripts, slow methods",
    .min = 0,
    .max = 0,
    .opts = opts,
    .run = run,
};
