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
#include "clock.h"
#include "cmd.h"
#include "msgs.h"
#include "top.h"

static const struct opt opts[] = {
    {"once", 0, OPT_FLAG, NULL, "print it once and end", NULL},
    {"interval", 'i', OPT_SECONDS, "SEC", "time between two looks [2]", NULL},
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum { R_NAME, R_IN, R_OUT, R_READY, R_DELIVERED, R_HELD, R_OLDEST, R_STATE };

static const struct col cols[] = {
    [R_NAME] = {"name", "QUEUE", COL_TEXT, false, "name of the queue"},
    [R_IN] = {"in_s", "IN/s", COL_RATE, false, "messages that came, a second"},
    [R_OUT] = {"out_s", "OUT/s", COL_RATE, false, "that left, a second"},
    [R_READY] = {"ready", "READY", COL_INT, false, "not yet delivered"},
    [R_DELIVERED] = {"delivered", "DELIVERED", COL_INT, false,
	"delivered, not acknowledged"},
    [R_HELD] = {"held", "HELD", COL_INT, false, "held back"},
    [R_OLDEST] = {"oldest_age_s", "OLDEST", COL_AGE, false,
	"age of the oldest message"},
    [R_STATE] = {"state", "STATE", COL_TEXT, false, "how it does, in words"},
};

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
		out_real(o, R_IN, r->in_s);
		out_real(o, R_OUT, r->out_s);
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
	int rc = top_look(c, &t->now, true);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < t->now.n; i++) {
		struct row *r = &t->now.v[i];

		r->in_s = r->q.in_s > 0 ? r->q.in_s : 0;
		r->out_s = r->q.out_s > 0 ? r->q.out_s : 0;
	}
	top_compare(&t->now, &t->before);
	if (c->json)
		put_rows(t);
	else
		top_draw(t, out_buf(&c->out), false);
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
	top_draw(t, &b, true);
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
	size_t n =
	    t->now.oldest.n < TOP_MESSAGES ? t->now.oldest.n : TOP_MESSAGES;

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
	rc = top_look(c, &t->before, false);
	if (rc != 0)
		return rc;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	screen(true);
	do {
		measure(t);
		rc = top_look(c, &t->now, true);
		if (rc != 0)
			break;
		if (t->mark >= t->now.oldest.n)
			t->mark = 0;
		top_compare(&t->now, &t->before);
		top_draw(t, out_buf(&c->out), true);
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
