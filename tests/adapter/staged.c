/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A plugin that does what a test has written down for it.
 *
 * Every script of a staged plugin is a link to this program, as real plugins
 * link all their scripts to one.  Of each run one line of JSON is appended to
 * BASE/runs (name, arguments, input, environment, descriptors, ...), with one
 * write.  Then the plan is played: the first there is of
 *
 *	BASE/plan/PLUGIN/SCRIPT#1, #2, ...	used once, in turn
 *	BASE/plan/PLUGIN/SCRIPT@KEY		input has "key":"KEY"
 *	BASE/plan/PLUGIN/SCRIPT
 *
 * SCRIPT in lower case; without a plan: null is printed.  BASE is three folders
 * above the script, outside of what the adapter watches.  A plan is a list of
 * lines, one step each; `steps` below has them all.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOGGED = 1 << 20 }; /* bytes of the input that are written down */

extern char **environ;

static struct {
	char base[PATH_MAX], plugin[NAME_MAX + 1], script[NAME_MAX + 1];
	char key[256];
	char *in; /* standard input */
	size_t nin;
	FILE *plan;
	int to; /* where `out` goes */
} me = {.to = STDOUT_FILENO};

/* The end, with a reason that a test sees. */
static void __attribute__((noreturn, format(printf, 1, 2)))
give_up(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("staged: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	_exit(99);
}

/* All of it, or the end. */
static void
put(int fd, const char *p, size_t n)
{
	ssize_t done;

	for (; n > 0; p += done, n -= (size_t)done) {
		done = write(fd, p, n);
		if (done == -1 && errno == EINTR)
			done = 0;
		if (done == -1)
			_exit(98);
	}
}

/* Wait that long, whatever signals are ignored or handled. */
static void
wait_ms(long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&t, &t) == -1 && errno == EINTR)
		;
}

/* Where we are: BASE, PLUGIN, SCRIPT out of argv[0]. */
static void
place(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *p;

	if (slash == NULL || strlen(path) >= sizeof me.base)
		give_up("no place: %s", path);
	snprintf(me.script, sizeof me.script, "%s", slash + 1);
	for (p = me.script; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	snprintf(me.base, sizeof me.base, "%.*s", (int)(slash - path), path);
	p = strrchr(me.base, '/');
	snprintf(me.plugin, sizeof me.plugin, "%s", p == NULL ? "" : p + 1);
	for (int up = 0; up < 3 && p != NULL; up++) {
		*p = '\0';
		p = strrchr(me.base, '/');
	}
}

/* Standard input to its end. */
static void
read_input(void)
{
	size_t size = 0;
	ssize_t n = 0;

	do {
		me.nin += (size_t)n;
		if (size - me.nin < 4096) {
			size = size * 2 + 8192;
			me.in = realloc(me.in, size);
			if (me.in == NULL)
				give_up("no memory");
		}
		n = read(STDIN_FILENO, me.in + me.nin, size - me.nin - 1);
	} while (n > 0);
	me.in[me.nin] = '\0';
}

/* The value of "key" in the input, for plans that depend on it. */
static void
find_key(void)
{
	const char *p = me.in == NULL ? NULL : strstr(me.in, "\"key\":\"");
	size_t n;

	if (p == NULL)
		return;
	p += strlen("\"key\":\"");
	n = strcspn(p, "\"\\/");
	snprintf(me.key, sizeof me.key, "%.*s", (int)n, p);
}

/* ---- the line about this run ---- */

static void
text(FILE *f, const char *s, size_t n)
{
	fputc('"', f);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(f, "\\u%04x", c);
		else
			fputc(c, f);
	}
	fputc('"', f);
}

static void
texts(FILE *f, const char *name, char **list)
{
	fprintf(f, ",\"%s\":[", name);
	for (char **p = list; *p != NULL; p++) {
		if (p != list)
			fputc(',', f);
		text(f, *p, strlen(*p));
	}
	fputc(']', f);
}

static void
descriptors(FILE *f)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	const char *comma = "";

	fputs(",\"fds\":[", f);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)e->d_name[0]) ||
		    atoi(e->d_name) == dirfd(d))
			continue;
		fprintf(f, "%s%s", comma, e->d_name);
		comma = ",";
	}
	if (d != NULL)
		closedir(d);
	fputc(']', f);
}

/* Signals that are not as a new program expects them. */
static void
odd_signals(FILE *f)
{
	const char *comma = "";
	struct sigaction sa;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	fputs(",\"signals\":[", f);
	for (int i = 1; i < NSIG; i++)
		if (sigismember(&mask, i) == 1 ||
		    (sigaction(i, NULL, &sa) == 0 &&
			sa.sa_handler != SIG_DFL)) {
			fprintf(f, "%s%d", comma, i);
			comma = ",";
		}
	fputc(']', f);
}

static mode_t
mask_of_files(void)
{
	mode_t m = umask(0);

	umask(m);
	return m;
}

/* Append a line to BASE/runs, whole. */
static void
append(const char *line, size_t n)
{
	char path[PATH_MAX + 8];
	int fd;

	snprintf(path, sizeof path, "%s/runs", me.base);
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd == -1 || write(fd, line, n) != (ssize_t)n)
		give_up("%s: %s", path, strerror(errno));
	close(fd);
}

static void
tell(char **argv, bool read_it)
{
	size_t n, shown = me.nin < LOGGED ? me.nin : LOGGED;
	char cwd[PATH_MAX], *line;
	FILE *f = open_memstream(&line, &n);

	if (f == NULL || getcwd(cwd, sizeof cwd) == NULL)
		give_up("no line: %s", strerror(errno));
	fprintf(f, "{\"pid\":%d,\"ppid\":%d,\"pgid\":%d,\"sid\":%d,\"plugin\":",
	    getpid(), getppid(), getpgrp(), getsid(0));
	text(f, me.plugin, strlen(me.plugin));
	fputs(",\"script\":", f);
	text(f, me.script, strlen(me.script));
	texts(f, "argv", argv);
	if (read_it) {
		fputs(",\"stdin\":", f);
		text(f, me.in, shown);
	}
	fprintf(f, ",\"bytes\":%zu", me.nin);
	texts(f, "env", environ);
	fputs(",\"cwd\":", f);
	text(f, cwd, strlen(cwd));
	descriptors(f);
	odd_signals(f);
	fprintf(f, ",\"umask\":%u}\n", mask_of_files());
	if (fclose(f) == EOF)
		give_up("no line");
	append(line, n);
	free(line);
}

/* ---- the plan ---- */

static FILE *
plan_file(const char *mark, const char *with)
{
	char path[PATH_MAX + 2 * NAME_MAX + 300];

	snprintf(path, sizeof path, "%s/plan/%s/%s%s%s", me.base, me.plugin,
	    me.script, mark, with);
	return fopen(path, "re");
}

/* One that is used once: whoever can move it away has it.  A file SCRIPT# says
 * that there are such. */
static FILE *
plan_in_turn(void)
{
	char path[PATH_MAX + 2 * NAME_MAX + 300];
	char used[sizeof path + 32];

	snprintf(
	    path, sizeof path, "%s/plan/%s/%s#", me.base, me.plugin, me.script);
	if (access(path, F_OK) == -1)
		return NULL;
	for (int i = 1; i < 64; i++) {
		snprintf(path, sizeof path, "%s/plan/%s/%s#%d", me.base,
		    me.plugin, me.script, i);
		snprintf(used, sizeof used, "%s.%d", path, getpid());
		if (rename(path, used) == 0)
			return fopen(used, "re");
	}
	return NULL;
}

static void
find_plan(void)
{
	me.plan = plan_in_turn();
	if (me.plan == NULL && me.key[0] != '\0')
		me.plan = plan_file("@", me.key);
	if (me.plan == NULL)
		me.plan = plan_file("", "");
}

/* The bytes that follow a line with their number. */
static char *
bytes(const char *arg, size_t *n)
{
	char *p;

	*n = strtoul(arg, NULL, 10);
	p = malloc(*n + 1);
	if (p == NULL || fread(p, 1, *n, me.plan) != *n)
		give_up("plan: no %zu bytes", *n);
	p[*n] = '\0';
	return p;
}

static void
step_out(const char *arg)
{
	size_t n;
	char *p = bytes(arg, &n);

	put(me.to, p, n);
	free(p);
}

/* With @KEY@ replaced by the "key" of the input. */
static void
step_outkey(const char *arg)
{
	size_t n;
	char *p = bytes(arg, &n), *q = p, *at;

	for (; (at = strstr(q, "@KEY@")) != NULL; q = at + 5) {
		put(me.to, q, (size_t)(at - q));
		put(me.to, me.key, strlen(me.key));
	}
	put(me.to, q, strlen(q));
	free(p);
}

static void
step_err(const char *arg)
{
	size_t n;
	char *p = bytes(arg, &n);

	put(STDERR_FILENO, p, n);
	free(p);
}

static void
step_exit(const char *arg)
{
	_exit(atoi(arg));
}

static void
step_signal(const char *arg)
{
	raise(atoi(arg));
}

static void
step_ignore(const char *arg)
{
	signal(atoi(arg), SIG_IGN);
}

static void
step_sleep(const char *arg)
{
	wait_ms(atol(arg));
}

/* Output goes there from now on. */
static void
step_to(const char *arg)
{
	me.to = atoi(arg);
}

/* Until a file is there. */
static void
step_await(const char *arg)
{
	while (access(arg, F_OK) == -1)
		wait_ms(2);
}

static void
step_close(const char *arg)
{
	close(atoi(arg));
}

/* A line of our own in BASE/runs. */
static void
step_note(const char *arg)
{
	char line[512];
	int n = snprintf(line, sizeof line,
	    "{\"note\":\"%s\",\"key\":\"%s\",\"pid\":%d}\n", arg, me.key,
	    getpid());

	append(line, (size_t)n);
}

/* A child in our session that keeps all descriptors for a while. */
static void
step_fork(const char *arg)
{
	if (fork() == 0) {
		step_note("child");
		wait_ms(atol(arg));
		_exit(0);
	}
}

/* The same in a session of its own, as daemons do. */
static void
step_daemon(const char *arg)
{
	if (fork() == 0) {
		setsid();
		step_note("daemon");
		wait_ms(atol(arg));
		_exit(0);
	}
}

/* The bytes again and again; for ever. */
static void
step_endless(const char *arg)
{
	size_t n;
	char *p = bytes(arg, &n);

	for (;;)
		put(me.to, p, n);
}

/* Input is not read (looked for before all others). */
static void
step_noread(const char *arg)
{
	(void)arg;
}

/* End whoever started the one who started us, or the former: hostile. */
static void
step_killparent(const char *arg)
{
	kill(getppid(), atoi(arg));
}

static const struct {
	const char *name;
	void (*play)(const char *arg);
} steps[] = {
    {"out", step_out},
    {"outkey", step_outkey},
    {"err", step_err},
    {"exit", step_exit},
    {"signal", step_signal},
    {"ignore", step_ignore},
    {"sleep", step_sleep},
    {"await", step_await},
    {"close", step_close},
    {"note", step_note},
    {"fork", step_fork},
    {"daemon", step_daemon},
    {"endless", step_endless},
    {"to", step_to},
    {"noread", step_noread},
    {"killparent", step_killparent},
};

static void
play(const char *line)
{
	size_t n = strcspn(line, " ");

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (strlen(steps[i].name) == n &&
		    strncmp(steps[i].name, line, n) == 0) {
			steps[i].play(line + n + (line[n] == ' '));
			return;
		}
	give_up("plan: no such step: %s", line);
}

static void
play_all(void)
{
	char line[PATH_MAX + 64];

	if (me.plan == NULL) {
		put(STDOUT_FILENO, "null\n", 5);
		return;
	}
	while (fgets(line, sizeof line, me.plan) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		play(line);
	}
}

/* Is the plan of this script one that leaves the input alone? */
static bool
reads_input(void)
{
	FILE *f = plan_file("", "");
	char word[8] = "";
	bool yes = f == NULL || fgets(word, sizeof word, f) == NULL ||
	    strncmp(word, "noread", 6) != 0;

	if (f != NULL)
		fclose(f);
	return yes;
}

int
main(int argc, char **argv)
{
	bool read_it;

	if (argc < 1)
		return 99;
	place(argv[0]);
	read_it = reads_input();
	if (read_it)
		read_input();
	find_key();
	tell(argv, read_it);
	find_plan();
	play_all();
	return 0;
}
