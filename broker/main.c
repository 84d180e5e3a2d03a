/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* xmsgd: options, settings, start, exit status.  Called as message-switch it
 * takes the options of the original. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "evlog.h"
#include "log.h"
#include "overrides.h"
#include "server.h"
#include "version.h"
#include "wipe.h"
#include "xalloc.h"

enum { O_SET = 256, O_PRINT, O_CHECK, O_ENTRIES, O_TRUNCATE, O_FOREGROUND };

static const struct option options[] = {
    {"socket", required_argument, NULL, 's'},
    {"path", required_argument, NULL, 's'},
    {"state", required_argument, NULL, 'd'},
    {"statedir", required_argument, NULL, 'd'},
    {"config", required_argument, NULL, 'c'},
    {"set", required_argument, NULL, O_SET},
    {"pidfile", required_argument, NULL, 'p'},
    {"foreground", no_argument, NULL, O_FOREGROUND},
    {"daemon", no_argument, NULL, 'D'},
    {"syslog", no_argument, NULL, 'S'},
    {"log-level", required_argument, NULL, 'l'},
    {"trace-entries", required_argument, NULL, O_ENTRIES},
    {"trace-truncate", required_argument, NULL, O_TRUNCATE},
    {"print-config", no_argument, NULL, O_PRINT},
    {"check-config", no_argument, NULL, O_CHECK},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: xmsgd [options]\n"
    "\n"
    "Serve message queues on a Unix socket; everything acknowledged is on"
    " disk.\n"
    "\n"
    "  -s, --socket PATH      listen here (also --path)\n"
    "  -d, --state DIR        keep the database here (also --statedir)\n"
    "  -c, --config FILE      settings [" SETTINGS_FILE " when it is there]\n"
    "      --set NAME=VALUE   one setting, for example"
    " limits.body=4M\n"
    "  -p, --pidfile FILE     write the process id here\n"
    "  -D, --daemon           go to the background when ready, log to"
    " syslog\n"
    "  -S, --syslog           log to syslog instead of standard error\n"
    "  -l, --log-level LEVEL  error, warn, info or debug\n"
    "      --print-config     print all settings with their help, and end\n"
    "      --check-config     read the settings, and end\n"
    "  -h, --help             this text\n"
    "  -V, --version          the version\n"
    "\n"
    "Manuals: xmsgd(8), xmsg.conf(5). To look at it: xmsg status\n";

struct cmdline {
	struct overrides set; /* given here; they outlive a reload */
	const char *config;
	bool old_name, daemon, print, check;
};

/* Free it. */
static void
cmdline_fini(struct cmdline *c)
{
	overrides_fini(&c->set);
}

/* Is there such a file?  Also asked when access() works no more (harden.c). */
static bool
is_there(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd != -1)
		close(fd);
	return fd != -1 || errno != ENOENT;
}

/* Fill settings: defaults are there; file, then command line. */
static int
read_settings(void *arg, struct settings *s, struct err *e)
{
	struct cmdline *c = arg;
	const char *file = c->config;

	if (file == NULL && !c->old_name && is_there(SETTINGS_FILE))
		file = SETTINGS_FILE;
	if (file != NULL &&
	    (c->old_name
		    ? settings_read_old(s, file, e)
		    : conf_read(settings_rows, settings_n, s, file, e)) == -1)
		return -1;
	if (overrides_apply(&c->set, settings_rows, settings_n, s, e) == -1)
		return -1;
	if (log_level_parse(s->log_level) == -1)
		return err_set(e, EINVAL,
		    "server.log_level: \"%s\" is none of"
		    " error, warn, info, debug",
		    s->log_level);
	return 0;
}

/* One option; -1: usage, 1: done, 0: go on. */
static int
take_option(struct cmdline *c, int o)
{
	static const struct {
		int option;
		const char *key;
	} map[] = {
	    {'s', "server.socket"},
	    {'d', "server.state"},
	    {'p', "server.pidfile"},
	    {'l', "server.log_level"},
	    {O_ENTRIES, "recorder.trace_entries"},
	};

	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		if (map[i].option == o) {
			overrides_add(&c->set, map[i].key, optarg);
			return 0;
		}
	switch (o) {
	case 'c': c->config = optarg; return 0;
	case 'D': c->daemon = true; return 0;
	case 'S': overrides_add(&c->set, "server.syslog", "yes"); return 0;
	case O_PRINT: c->print = true; return 0;
	case O_CHECK: c->check = true; return 0;
	case O_TRUNCATE: /* the recorder has its own bound */
	case O_FOREGROUND: return 0;
	case O_SET:
		if (overrides_parse(&c->set, optarg) == -1) {
			fprintf(stderr, "xmsgd: --set wants NAME=VALUE\n");
			return -1;
		}
		return 0;
	case 'h': fputs(usage, stdout); return 1;
	case 'V': printf("xmsgd %s\n", XMSG_VERSION); return 1;
	default: fprintf(stderr, "Try 'xmsgd --help'.\n"); return -1;
	}
}

/* Go to the background; the parent waits for `ready` and passes the status
 * on.  Returns the descriptor to tell it, or -1 in the foreground. */
static int
background(void)
{
	int p[2], status = EXIT_CANTCREAT;
	pid_t pid;

	if (pipe(p) == -1 || (pid = fork()) == -1) {
		perror("xmsgd: cannot go to the background");
		exit(EXIT_CANTCREAT);
	}
	if (pid != 0) {
		close(p[1]);
		if (read(p[0], &status, sizeof status) != sizeof status)
			status = EXIT_CANTCREAT;
		exit(status);
	}
	close(p[0]);
	setsid();
	return p[1];
}

/* Tell the parent. */
static void
tell(int fd, int status)
{
	if (fd == -1)
		return;
	if (write(fd, &status, sizeof status) < 0) {
		/* it has gone: nobody to tell */
	}
	close(fd);
}

/* Let go of what the caller may be waiting on: its terminal, its pipes. */
static void
detach(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; i < 3 && fd != -1; i++)
		if (dup2(fd, i) == -1)
			log_warn("start", "cannot let go of descriptor %d", i);
	if (fd > 2)
		close(fd);
}

/* As many descriptors as we may have: connections cost one each. */
static void
raise_limits(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl); /* the old one will do */
	}
}

/* Run with settings that are read. */
static int
serve(struct cmdline *c, struct settings *s)
{
	int status, fd = c->daemon ? background() : -1;
	struct server *sv;
	struct err e;

	log_open("xmsgd", s->syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	    (enum log_level)log_level_parse(s->log_level));
	evlog_open();
	raise_limits();
	if (s->harden)
		wipe_freed();
	sv = server_new(s, read_settings, c, &status, &e);
	if (sv == NULL) {
		log_error("start", "%s", e.text);
		tell(fd, status);
		return status;
	}
	if (fd != -1) {
		log_open("xmsgd", LOG_TO_SYSLOG,
		    (enum log_level)log_level_parse(s->log_level));
		detach();
		tell(fd, status);
	}
	status = server_run(sv);
	server_free(sv);
	return status;
}

int
main(int argc, char **argv)
{
	struct cmdline c = {.old_name = false};
	const char *name = strrchr(argv[0], '/');
	struct settings s;
	struct err e;
	int o, rc, status;

	overrides_init(&c.set);
	name = name ? name + 1 : argv[0];
	c.old_name = strcmp(name, "message-switch") == 0;
	while ((o = getopt_long(argc, argv, "s:d:c:p:DSl:hV", options, NULL)) !=
	    -1) {
		rc = take_option(&c, o);
		if (rc != 0) {
			cmdline_fini(&c);
			return rc == 1 ? EXIT_OK : EXIT_USAGE;
		}
	}
	conf_defaults(settings_rows, settings_n, &s);
	status = EXIT_CONFIG;
	if (optind < argc) {
		fprintf(stderr, "xmsgd: \"%s\" is no option\n", argv[optind]);
		status = EXIT_USAGE;
	} else if (read_settings(&c, &s, &e) == -1) {
		fprintf(stderr, "xmsgd: %s\n", e.text);
		if (e.code == ENOMEM)
			status = EXIT_OSERR;
	} else if (c.print || c.check) {
		if (c.print)
			overrides_print(settings_rows, settings_n, &s);
		status = EXIT_OK;
	} else {
		status = serve(&c, &s);
	}
	conf_fini(settings_rows, settings_n, &s);
	cmdline_fini(&c);
	return status;
}
