/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Serving a queue with a program: it is run for each request, with the request
 * on its standard input; what it writes to standard output is the reply, less
 * one newline at the end.  Several run at a time.  A request is answered when
 * its program has ended and its output is closed, or a second after it ended:
 * what it left in the background may hold the output open.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "clock.h"
#include "rpc.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#define LINGER_NS  NS_PER_SEC
#define OUTPUT_MAX (64 * 1024 * 1024)
#define FINISH_MS  5000 /* for replies on their way, at the end */

/* One program at work; free while pid is 0. */
struct job {
	struct xmsg_request *request;
	pid_t pid;
	int in, out; /* our ends; -1 when closed */
	size_t sent;
	struct buf output;
	bool exited;
	int status;
	int64_t start_ns, exit_ns;
};

struct server {
	struct cli *c;
	const struct serve *s;
	struct xmsg *x;
	struct job *jobs;
	bool end_of_input; /* the person who answers has left */
};

static volatile sig_atomic_t stop_signal;

static void
on_stop(int sig)
{
	stop_signal = sig;
}

/* Only wakes ppoll. */
static void
on_child(int sig)
{
	(void)sig;
}

/* ---- starting a program ---- */

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* In the child: nothing but what is safe after fork. */
static _Noreturn void
child(char **argv, int in, int out)
{
	sigset_t none;

	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		_exit(126);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "xmsg: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

/* Run the program for a job; -1 with c->why. */
static int
start(struct server *v, struct job *j)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1};

	if (pipe2(in, O_CLOEXEC) == -1 || pipe2(out, O_CLOEXEC) == -1 ||
	    (j->pid = fork()) == -1) {
		(void)err_errno(&v->c->why, "cannot run %s", v->s->argv[0]);
		j->pid = 0;
		close_fd(&in[0]);
		close_fd(&in[1]);
		close_fd(&out[0]);
		close_fd(&out[1]);
		return -1;
	}
	if (j->pid == 0)
		child(v->s->argv, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	j->in = in[1];
	j->out = out[0];
	(void)fcntl(j->in, F_SETFL, O_NONBLOCK);
	(void)fcntl(j->out, F_SETFL, O_NONBLOCK);
	j->sent = 0;
	j->exited = false;
	buf_init(&j->output);
	j->output.max = OUTPUT_MAX;
	j->start_ns = clock_mono_ns();
	return 0;
}

/* ---- replies ---- */

static void
reply_done(struct xmsg *x, const struct xmsg_result *r, void *arg)
{
	struct cli *c = arg;

	if (r->rc != XMSG_OK && r->rc != XMSG_ECANCELED)
		cli_say(c, "%s", xmsg_error(x));
}

static void
answer(struct server *v, struct xmsg_request *r, struct str s)
{
	if (xmsg_reply(r, (struct xmsg_bytes){s.p, s.n}, reply_done, v->c) !=
	    XMSG_OK) {
		cli_say(v->c, "%s", xmsg_error(v->x));
		xmsg_leave(r);
	}
}

/* A program has ended: its output is the reply. */
static void
finish(struct server *v, struct job *j)
{
	const struct xmsg_message *m = xmsg_request_message(j->request);
	struct str s = {j->output.p, j->output.n};
	char took[UNITS_MAX];

	if (j->status != 0)
		cli_say(v->c, "%s:%lld: the program ended with %s %d", m->queue,
		    (long long)m->id,
		    WIFSIGNALED(j->status) ? "signal" : "status",
		    WIFSIGNALED(j->status) ? WTERMSIG(j->status)
					   : WEXITSTATUS(j->status));
	if (v->c->verbose) {
		units_took(took, (double)(clock_mono_ns() - j->start_ns) / 1e9);
		cli_say(v->c, "%s:%lld: answered with %zu bytes after %s",
		    m->queue, (long long)m->id, s.n, took);
	}
	if (!v->s->exact && s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (buf_ok(&j->output)) {
		answer(v, j->request, s);
	} else {
		cli_say(v->c, "%s:%lld: too much output; not answered",
		    m->queue, (long long)m->id);
		xmsg_leave(j->request);
	}
	close_fd(&j->in);
	close_fd(&j->out);
	buf_fini(&j->output);
	j->pid = 0;
}

/* ---- a program at work ---- */

/* More of the request for it; it may not want all. */
static void
feed(struct job *j)
{
	struct xmsg_bytes p = xmsg_request_message(j->request)->payload;
	ssize_t n = 0;

	while (j->sent < p.n &&
	    (n = write(j->in, p.p + j->sent, p.n - j->sent)) > 0)
		j->sent += (size_t)n;
	if (j->sent == p.n || (n == -1 && errno != EAGAIN && errno != EINTR))
		close_fd(&j->in);
}

/* More of its output. */
static void
collect(struct job *j)
{
	ssize_t n = -1;
	char *to;

	while ((to = buf_reserve(&j->output, 65536)) != NULL &&
	    (n = read(j->out, to, 65536)) > 0)
		j->output.n += (size_t)n;
	if (to == NULL) {
		kill(j->pid, SIGKILL);
		close_fd(&j->out);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		close_fd(&j->out);
	}
}

/* Has it ended, and is that all? */
static void
check(struct server *v, struct job *j)
{
	int64_t now = clock_mono_ns();

	if (!j->exited && waitpid(j->pid, &j->status, WNOHANG) == j->pid) {
		j->exited = true;
		j->exit_ns = now;
	}
	if (j->exited && (j->out == -1 || now - j->exit_ns >= LINGER_NS))
		finish(v, j);
}

/* ---- a request ---- */

/* A person answers: lines up to one with a dot alone. */
static void
ask_person(
    struct server *v, struct xmsg_request *r, const struct xmsg_message *m)
{
	struct buf *b = out_buf(&v->c->out), text = BUF_INIT;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	buf_adds(b, "Received:\n");
	text_put(b, (struct str){m->payload.p, m->payload.n});
	buf_adds(b, "\nEnter body text: (end with a \".\")");
	out_line(&v->c->out, true);
	while (
	    (n = getline(&line, &cap, stdin)) != -1 && strcmp(line, ".\n") != 0)
		buf_add(&text, line, (size_t)n);
	if (n == -1 && text.n == 0) {
		v->end_of_input = true;
		xmsg_leave(r);
	} else {
		if (text.n > 0 && text.p[text.n - 1] == '\n')
			text.n--;
		answer(v, r, (struct str){text.p, text.n});
	}
	free(line);
	buf_fini(&text);
}

static void
request(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	struct server *v = arg;
	unsigned i = 0;

	if (m->kind == XMSG_REPLY) {
		cli_say(v->c, "%s:%lld is a reply, dropped", m->queue,
		    (long long)m->id);
		xmsg_discard(r);
		return;
	}
	if (v->s->argv == NULL) {
		if (v->end_of_input)
			xmsg_leave(r);
		else
			ask_person(v, r, m);
		return;
	}
	while (i < v->s->jobs && v->jobs[i].pid != 0)
		i++;
	if (i == v->s->jobs ||
	    (v->jobs[i].request = r, start(v, &v->jobs[i]) == -1)) {
		cli_fail(v->c, 0);
		xmsg_leave(r);
	}
}

/* ---- the loop ---- */

/* Wait for the broker, programs and signals, and look after each. */
static int
turn(struct server *v, struct pollfd *fds, const sigset_t *mask)
{
	struct timespec second = {1, 0};
	nfds_t n = 0;

	fds[n++] = (struct pollfd){xmsg_fd(v->x), POLLIN, 0};
	for (unsigned i = 0; i < v->s->jobs; i++) {
		const struct job *j = &v->jobs[i];

		if (j->pid != 0 && j->in != -1)
			fds[n++] = (struct pollfd){j->in, POLLOUT, 0};
		if (j->pid != 0 && j->out != -1)
			fds[n++] = (struct pollfd){j->out, POLLIN, 0};
	}
	if (ppoll(fds, n, &second, mask) == -1 && errno != EINTR)
		return err_errno(&v->c->why, "cannot wait");
	for (unsigned i = 0; i < v->s->jobs; i++) {
		struct job *j = &v->jobs[i];

		if (j->pid != 0 && j->in != -1)
			feed(j);
		if (j->pid != 0 && j->out != -1)
			collect(j);
		if (j->pid != 0)
			check(v, j);
	}
	return xmsg_dispatch(v->x) == XMSG_OK ? 0 : -1;
}

static bool
at_work(const struct server *v)
{
	for (unsigned i = 0; i < v->s->jobs; i++)
		if (v->jobs[i].pid != 0)
			return true;
	return false;
}

/* Turns until a signal; then until the programs at work have ended, or a
 * second signal. */
static int
loop(struct server *v, struct xmsg_server *serving, const sigset_t *mask)
{
	struct pollfd *fds = xcalloc(2 * v->s->jobs + 1, sizeof *fds);
	int rc = 0, first = 0;

	while (rc == 0) {
		rc = turn(v, fds, mask);
		if (stop_signal != 0 && first == 0) {
			first = stop_signal;
			stop_signal = 0;
			xmsg_serve_stop(serving);
		}
		if ((first != 0 && !at_work(v)) || v->end_of_input ||
		    stop_signal != 0)
			break;
	}
	for (unsigned i = 0; i < v->s->jobs; i++)
		if (v->jobs[i].pid != 0)
			kill(v->jobs[i].pid, SIGKILL);
	free(fds);
	(void)xmsg_flush(v->x, FINISH_MS); /* what is lost is delivered again */
	if (rc != 0)
		return CLI_REFUSED;
	return first == SIGINT ? CLI_INTERRUPTED : CLI_DONE;
}

static void
signals(sigset_t *before)
{
	struct sigaction stop = {.sa_handler = on_stop};
	struct sigaction wake = {.sa_handler = on_child};
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigaddset(&block, SIGINT);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, before);
	sigdelset(before, SIGCHLD);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGCHLD, &wake, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Serve. */
int
serve_run(struct cli *c, const struct serve *s)
{
	struct server v = {.c = c, .s = s, .x = ask_xmsg(c)};
	struct xmsg_server *serving;
	sigset_t mask;
	int rc = ask_alive(c);

	if (rc != 0)
		return cli_fail(c, rc);
	xmsg_set_timeout(v.x, cli_left_ms(c));
	if (xmsg_create(v.x, s->queue, XMSG_PERSISTENT) != XMSG_OK)
		return cli_fail(c, ask_failed(c, xmsg_rc(v.x)));
	xmsg_set_patience(v.x, -1);
	signals(&mask);
	v.jobs = xcalloc(s->jobs, sizeof *v.jobs);
	serving = xmsg_serve_start(
	    v.x, s->queue, 0, s->argv ? s->jobs : 1, request, &v);
	rc = serving != NULL ? loop(&v, serving, &mask)
			     : ask_failed(c, xmsg_rc(v.x));
	for (unsigned i = 0; i < s->jobs; i++) {
		if (v.jobs[i].pid != 0) {
			close_fd(&v.jobs[i].in);
			close_fd(&v.jobs[i].out);
			buf_fini(&v.jobs[i].output);
		}
	}
	free(v.jobs);
	return cli_fail(c, rc);
}
