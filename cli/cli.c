/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What commands share: remarks, time left, several operands, bodies. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "cmd.h"
#include "text.h"

#define STAND_BACK 10 /* nice; 19 would be last of all */
#define BODY_MAX   (256 * 1024 * 1024) /* the broker's limit is smaller */

/* Time left. */
int
cli_left_ms(const struct cli *c)
{
	int64_t ms = (c->start_ns + c->limit_ns - clock_mono_ns()) / NS_PER_MS;

	return ms < 1 ? 1 : ms > 1000000000 ? 1000000000 : (int)ms;
}

/* Write a line to standard error, or where remarks go. */
static void
say(struct cli *c, struct str text)
{
	struct buf b = BUF_INIT;
	ssize_t n;

	buf_addf(&b, "%s: ", c->prog);
	text_put(&b, text);
	if (c->say_out && c->json) {
		buf_addf(out_buf(&c->out),
		    "{\"schema\":%d,\"object\":\"remark\",\"text\":",
		    OUT_SCHEMA);
		text_json(out_buf(&c->out), text);
		buf_addc(out_buf(&c->out), '}');
		out_line(&c->out, true);
	} else if (c->say_out) {
		buf_add(out_buf(&c->out), b.p, b.n);
		out_line(&c->out, true);
	} else {
		(void)out_flush(&c->out); /* remembered in c->out.failed */
		buf_addc(&b, '\n');
		n = write(STDERR_FILENO, b.p, b.n);
		(void)n; /* nobody listens */
	}
	buf_fini(&b);
}

/* A remark. */
void
cli_say(struct cli *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	say(c, (struct str){b.p, b.n});
	buf_fini(&b);
}

/* The error that was noted. */
int
cli_fail(struct cli *c, int code)
{
	if (c->why.text[0] != '\0')
		say(c, str_of(c->why.text));
	c->why.text[0] = '\0';
	return code;
}

/* Less of the processor and of the disk than others get, and not in the middle
 * of what they do.  If it cannot be had, then not. */
void
cli_stand_back(void)
{
	const struct sched_param none = {0};

	(void)setpriority(PRIO_PROCESS, 0, STAND_BACK);
	(void)sched_setscheduler(0, SCHED_BATCH, &none);
}

/* There is none. */
int
cli_none(struct cli *c, const char *what)
{
	if (isatty(STDOUT_FILENO) && !c->json && !c->quiet)
		cli_say(c, "there is no %s", what);
	return CLI_NONE;
}

/* A mistake on the command line. */
int
cli_usage(struct cli *c, const char *fmt, ...)
{
	struct buf b = BUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(&b, fmt, ap);
	va_end(ap);
	buf_addf(&b, "; see '%s%s%s --help'", c->prog, c->cmd ? " " : "",
	    c->cmd ? c->cmd->name : "");
	say(c, (struct str){b.p, b.n});
	buf_fini(&b);
	return CLI_USAGE;
}

/* ---- several acts ---- */

/* Count one. */
void
tally_add(struct tally *t, int code)
{
	if (code == CLI_DONE)
		t->done++;
	else if (t->failed++ == 0)
		t->code = code;
}

/* How they went. */
int
tally_code(const struct tally *t)
{
	if (t->failed == 0)
		return t->done > 0 ? CLI_DONE : CLI_NONE;
	return t->done > 0 ? CLI_PART : t->code;
}

/* One word; true when the others need not be tried. */
static bool
each_word(struct cli *c, struct tally *t, const char *word,
    int (*fn)(struct cli *, const char *))
{
	int code = fn(c, word);

	tally_add(t, code);
	return code == CLI_DEAD || code == CLI_INTERRUPTED;
}

/* Lines of standard input. */
static bool
each_line(struct cli *c, struct tally *t, int (*fn)(struct cli *, const char *))
{
	char *line = NULL;
	size_t cap = 0;
	bool stop = false;
	ssize_t n;

	while (!stop && (n = getline(&line, &cap, stdin)) != -1) {
		while (n > 0 && strchr("\r\n", line[n - 1]) != NULL)
			line[--n] = '\0';
		if (n > 0)
			stop = each_word(c, t, line, fn);
	}
	free(line);
	return stop;
}

/* Every operand. */
struct tally
cli_each(
    struct cli *c, int argc, char **argv, int (*fn)(struct cli *, const char *))
{
	struct tally t = {0, 0, 0};
	bool stop = false;

	for (int i = 0; i < argc && !stop; i++)
		stop = strcmp(argv[i], "-") == 0
		    ? each_line(c, &t, fn)
		    : each_word(c, &t, argv[i], fn);
	if (t.done + t.failed == 0)
		cli_say(c, "standard input names nothing");
	return t;
}

/* ---- bodies ---- */

/* A whole file. */
int
cli_slurp(struct cli *c, const char *path, struct buf *b)
{
	bool in = path == NULL || strcmp(path, "-") == 0;
	int fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : 1;
	char *to;

	b->max = BODY_MAX;
	while (n > 0 && (to = buf_reserve(b, 65536)) != NULL) {
		n = read(fd, to, 65536);
		if (n > 0)
			b->n += (size_t)n;
		else if (n == -1 && errno == EINTR)
			n = 1;
	}
	if (n == -1)
		(void)err_errno(&c->why, "%s", in ? "standard input" : path);
	else if (!buf_ok(b))
		n = err_set(&c->why, ENOMEM, "the message is too large");
	if (fd != -1 && !in)
		close(fd);
	return n == -1 ? -1 : 0;
}

/* The bytes of a message. */
int
cli_body(struct cli *c, const char *operand, struct buf *b)
{
	const char *text = opts_text(&c->opts, "body", NULL);
	const char *file = opts_text(&c->opts, "file", NULL);

	if (operand != NULL && strcmp(operand, "-") != 0)
		return cli_usage(c, "'%s' is one operand too many", operand);
	if ((text != NULL) + (file != NULL) + (operand != NULL) > 1)
		return cli_usage(c, "give one of --body, --file and -");
	if (text != NULL) {
		buf_adds(b, text);
		return 0;
	}
	if (file == NULL && operand == NULL && isatty(STDIN_FILENO))
		cli_say(c, "the message, then end of file (Ctrl-D):");
	if (cli_slurp(c, file ? file : operand, b) == -1)
		return cli_fail(c, CLI_USAGE);
	return 0;
}
