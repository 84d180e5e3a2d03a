/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Restart with a full queue: kill -9, start again, and the time from exec to
 * the first answered transfer; and `ping`, which waits until a broker answers.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "load.h"
#include "send.h"
#include "stage.h"

#define DEATH_MS 10000
#define START_NS (120 * NS_PER_SEC)
#define RETRY_US 200

/* Kill the broker and wait until it is gone. */
static int
kill_broker(pid_t pid, struct err *e)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = {fd, POLLIN, 0};
	int n;

	if (fd < 0)
		return err_errno(
		    e, "pidfd_open of the broker (%ld)", (long)pid);
	n = kill(pid, SIGKILL) == 0 ? poll(&p, 1, DEATH_MS) : -1;
	close(fd);
	if (n != 1)
		return err_errno(
		    e, "the broker (%ld) cannot be killed", (long)pid);
	return 0;
}

/* Start it with the command; its stdout goes to our stderr, so that it may
 * outlive us without holding our stdout open. */
static pid_t
start_broker(const char *command)
{
	pid_t pid = fork();

	if (pid == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Try to connect until it works; 0, or -1 when time ran out or, with pid > 0,
 * that child ended. */
static int
wait_for_socket(const char *path, pid_t pid, int64_t give_up)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, rc = -1;

	if (strlen(path) >= sizeof a.sun_path)
		return -1;
	memcpy(a.sun_path, path, strlen(path) + 1);
	while (rc < 0 && clock_mono_ns() < give_up) {
		if (pid > 0 && waitpid(pid, NULL, WNOHANG) == pid)
			return -1;
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -1;
		rc = connect(fd, (struct sockaddr *)&a, sizeof a);
		close(fd);
		if (rc < 0)
			usleep(RETRY_US);
	}
	return rc;
}

/* Log in and transfer; the process that answered, or -1.  No message is a
 * fault. */
static pid_t
ask(const struct opts *o, struct faults *f)
{
	struct str body = {NULL, 0};
	struct buf b = BUF_INIT;
	struct message m;
	struct scan scan;
	struct conn c;
	struct eng e;
	char queue[128];
	pid_t pid = -1;
	int n = 0;

	eng_init(&e, o->socket);
	send_queue_name(o, 0, queue, sizeof queue);
	req_transfer(&b, queue, -1, 1.0);
	if (conn_open(&c, &e, NULL, "restart") &&
	    conn_call(&c, b.p, b.n, &body)) {
		pid = proc_peer(c.fd);
		for (reply_scan(&scan, body); reply_message(&scan, &m);)
			n++;
		if (scan.bad)
			n = 0;
	}
	if (n == 0)
		eng_fault(&e, FAULT_MISSING, "no message after the restart");
	conn_close(&c);
	buf_fini(&b);
	faults_merge(f, &e.faults);
	eng_fini(&e);
	return pid;
}

/* Kill, start, ask; the times and the memory go into the report. */
static int
restart(const struct opts *o, struct report *r, struct faults *f, struct err *e)
{
	int64_t began, listens, answered;
	struct proc_mem mem;
	pid_t shell, pid;

	if (kill_broker(o->pid, e) < 0)
		return -1;
	began = clock_mono_ns();
	shell = start_broker(o->start);
	if (shell < 0)
		return err_errno(e, "fork");
	if (wait_for_socket(o->socket, shell, began + START_NS) < 0) {
		kill(shell, SIGKILL);
		return err_set(e, 1, "the broker did not start: %s", o->start);
	}
	listens = clock_mono_ns();
	pid = ask(o, f);
	answered = clock_mono_ns();
	proc_memory(pid, &mem);
	report_num(r, "listen_ms", (double)(listens - began) / 1e6,
	    "from exec until it listens, ms");
	report_num(r, "answer_ms", (double)(answered - began) / 1e6,
	    "from exec to the first answered transfer, ms");
	report_int(r, "rss", mem.rss, "broker: memory now, bytes");
	report_int(r, "peak", mem.peak, "broker: most memory so far, bytes");
	report_int(r, "broker_pid", pid, NULL);
	if (!o->leave) {
		kill(pid > 0 ? pid : shell, SIGTERM);
		waitpid(shell, NULL, 0);
	}
	return 0;
}

/* Fill (unless told not to), then restart. */
int
mode_restart(
    const struct opts *o, struct report *r, struct faults *f, struct err *e)
{
	struct stage s;

	if (o->start == NULL || o->pid <= 0)
		return err_set(e, 1,
		    "restart needs --start COMMAND and the broker's process");
	report_int(r, "count", o->count, NULL);
	report_int(r, "payload", o->payload, NULL);
	report_line(r, "restart: kill -9 with %d messages queued", o->count);
	if (!o->no_fill) {
		send_create_queues(o, f);
		if (faults_total(f) > 0)
			return 0;
		if (send_a_number(o, &s, e) < 0)
			return -1;
		faults_merge(f, &s.faults);
	}
	return faults_total(f) > 0 ? 0 : restart(o, r, f, e);
}

/* Wait until it answers. */
int
mode_ping(
    const struct opts *o, struct report *r, struct faults *f, struct err *e)
{
	int64_t began = clock_mono_ns();
	struct conn c;
	struct eng eng;

	if (wait_for_socket(o->socket, 0, began + (int64_t)(o->seconds * 1e9)) <
	    0)
		return err_set(e, 1, "nobody listens on %s", o->socket);
	eng_init(&eng, o->socket);
	if (conn_open(&c, &eng, NULL, "ping"))
		report_int(r, "broker_pid", proc_peer(c.fd), NULL);
	conn_close(&c);
	faults_merge(f, &eng.faults);
	eng_fini(&eng);
	report_num(r, "answer_ms", (double)(clock_mono_ns() - began) / 1e6,
	    "answered after, ms");
	return 0;
}
