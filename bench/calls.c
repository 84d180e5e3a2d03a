/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Callers of storage calls, each with one call outstanding: through the switch
 * and the adapter, or by running the script itself.
 *
 *	calls switch SOCKET QUEUE CALLERS SECONDS REQUEST REPLY
 *	calls hand SCRIPT INPUT CALLERS SECONDS
 *
 * Every reply is compared with what it has to be.  Prints one line of JSON.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "hist.h"
#include "xmsg.h"

static struct {
	const char *socket, *queue, *request, *reply; /* through the switch */
	const char *script, *input; /* by hand */
	int64_t end_ns;
} job;

/* One caller, and what it saw. */
struct caller {
	pthread_t thread;
	int number;
	struct hist hist;
	unsigned wrong;
};

/* ---- by hand ---- */

static bool
pipes(int in[2], int out[2])
{
	if (pipe2(in, O_CLOEXEC) == -1)
		return false;
	if (pipe2(out, O_CLOEXEC) == 0)
		return true;
	close(in[0]);
	close(in[1]);
	return false;
}

/* Start it on these pipes; closes its ends of them. */
static pid_t
start(int in[2], int out[2])
{
	static char json[] = "--json", path[] = "PATH=/usr/bin:/bin";
	char *argv[] = {(char *)job.script, json, NULL}, *envp[] = {path, NULL};
	posix_spawn_file_actions_t fa;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out[1], STDOUT_FILENO);
	if (posix_spawn(&pid, job.script, &fa, NULL, argv, envp) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&fa);
	close(in[0]);
	close(out[1]);
	return pid;
}

/* Run the script: input, all of its output, its status. */
static bool
by_hand(void)
{
	size_t n = strlen(job.input);
	int in[2], out[2], status = -1;
	char text[64];
	ssize_t got, all = 0;
	bool good;
	pid_t pid;

	if (!pipes(in, out))
		return false;
	pid = start(in, out);
	good = pid != -1 && write(in[1], job.input, n) == (ssize_t)n;
	close(in[1]);
	while (all < (ssize_t)sizeof text &&
	    (got = read(out[0], text + all, sizeof text - (size_t)all)) > 0)
		all += got;
	close(out[0]);
	if (pid != -1 && waitpid(pid, &status, 0) != pid)
		good = false;
	return good && status == 0 && all == 5 &&
	    memcmp(text, "null\n", 5) == 0;
}

/* ---- through the switch ---- */

static bool
by_switch(struct xmsg *x)
{
	struct xmsg_bytes reply = {NULL, 0};
	bool good;

	if (xmsg_call(x, job.queue,
		(struct xmsg_bytes){job.request, strlen(job.request)}, 0, 30000,
		&reply) != XMSG_OK) {
		fprintf(stderr, "calls: %s\n", xmsg_error(x));
		return false;
	}
	good = reply.n == strlen(job.reply) &&
	    memcmp(reply.p, job.reply, reply.n) == 0;
	if (!good)
		fprintf(stderr, "calls: %.*s\n", (int)reply.n, reply.p);
	xmsg_bytes_free(&reply);
	return good;
}

static void *
work(void *arg)
{
	struct caller *c = arg;
	struct xmsg *x = NULL;
	char token[64];
	int64_t began;

	snprintf(token, sizeof token, "calls-%d-%d", getpid(), c->number);
	if (job.socket != NULL && xmsg_open(&x, job.socket, token) != XMSG_OK) {
		c->wrong = 1;
		return NULL;
	}
	while ((began = clock_mono_ns()) < job.end_ns && c->wrong == 0) {
		c->wrong += x != NULL ? !by_switch(x) : !by_hand();
		hist_add(&c->hist, clock_mono_ns() - began);
	}
	xmsg_close(x);
	return NULL;
}

/* All callers, for so long. */
static int
measure(int callers, double seconds)
{
	struct caller *v = calloc((size_t)callers, sizeof *v);
	struct hist all;
	int64_t began;
	unsigned wrong = 0;
	double took;

	if (v == NULL)
		return 1;
	hist_init(&all);
	began = clock_mono_ns();
	job.end_ns = began + (int64_t)(seconds * 1e9);
	for (int i = 0; i < callers; i++) {
		v[i].number = i;
		hist_init(&v[i].hist);
		if (pthread_create(&v[i].thread, NULL, work, &v[i]) != 0)
			return 1;
	}
	for (int i = 0; i < callers; i++) {
		pthread_join(v[i].thread, NULL);
		hist_merge(&all, &v[i].hist);
		wrong += v[i].wrong;
	}
	took = (double)(clock_mono_ns() - began) / 1e9;
	printf("{\"callers\":%d,\"calls\":%llu,\"per_s\":%.1f,\"p50_ms\":%.3f,"
	       "\"p99_ms\":%.3f,\"wrong\":%u}\n",
	    callers, (unsigned long long)all.n, (double)all.n / took,
	    (double)hist_at(&all, 0.5) / 1e6, (double)hist_at(&all, 0.99) / 1e6,
	    wrong);
	free(v);
	return wrong != 0;
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 8 && strcmp(argv[1], "switch") == 0) {
		job.socket = argv[2];
		job.queue = argv[3];
		job.request = argv[6];
		job.reply = argv[7];
	} else if (argc == 6 && strcmp(argv[1], "hand") == 0) {
		job.script = argv[2];
		job.input = argv[3];
	} else {
		fprintf(stderr,
		    "usage: calls switch SOCKET QUEUE CALLERS SECONDS REQUEST"
		    " REPLY\n"
		    "       calls hand SCRIPT INPUT CALLERS SECONDS\n");
		return 64;
	}
	return measure(atoi(argv[4]), atof(argv[5]));
}
