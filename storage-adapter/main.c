/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* xmsg-storaged: options, settings, start, exit status.  Called as
 * xapi-storage-script it takes the options of the original. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>

#include "adapter.h"
#include "evlog.h"
#include "log.h"
#include "overrides.h"
#include "old.h"
#include "version.h"
#include "xalloc.h"

enum { O_SET = 256, O_PRINT, O_CHECK };

static const struct option options[] = {
    {"socket", required_argument, NULL, 's'},
    {"root", required_argument, NULL, 'r'},
    {"state", required_argument, NULL, 'd'},
    {"config", required_argument, NULL, 'c'},
    {"set", required_argument, NULL, O_SET},
    {"pidfile", required_argument, NULL, 'p'},
    {"syslog", no_argument, NULL, 'S'},
    {"log-level", required_argument, NULL, 'l'},
    {"print-config", no_argument, NULL, O_PRINT},
    {"check-config", no_argument, NULL, O_CHECK},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: xmsg-storaged [options]\n"
    "\n"
    "Serve the storage plugins of a folder on the message switch.\n"
    "\n"
    "  -s, --socket PATH      the switch's socket\n"
    "  -r, --root DIR         the folder with volume/ and datapath/\n"
    "  -d, --state DIR        keep attached SRs and running scripts here\n"
    "  -c, --config FILE      settings [" ASETTINGS_FILE " when it is there]\n"
    "      --set NAME=VALUE   one setting, for example scripts.time=60s\n"
    "  -p, --pidfile FILE     write the process id here\n"
    "  -S, --syslog           log to syslog instead of standard error\n"
    "  -l, --log-level LEVEL  error, warn, info or debug\n"
    "      --print-config     print all settings with their help, and end\n"
    "      --check-config     read the settings, and end\n"
    "  -h, --help             this text\n"
    "  -V, --version          the version\n"
    "\n"
    "Manuals: xmsg-storaged(8), xmsg-storaged.conf(5). To look at it:"
    " xmsg plugins\n";

struct cmdline {
	struct overrides set; /* given here; they outlive a reload */
	const char *config;
	bool print, check;
	int argc; /* under the old name: all of it */
	char **argv;
	struct old old;
};

/* Free it. */
static void
cmdline_fini(struct cmdline *c)
{
	overrides_fini(&c->set);
	old_fini(&c->old);
}

/* Fill settings: defaults are there; file, then command line. */
static int
read_settings(void *arg, struct asettings *s, struct err *e)
{
	struct cmdline *c = arg;
	const char *file = c->config;

	if (c->argc > 0) {
		old_fini(&c->old);
		return old_read(c->argc, c->argv, s, &c->old, e) ? -1 : 0;
	}
	if (file == NULL && access(ASETTINGS_FILE, F_OK) == 0)
		file = ASETTINGS_FILE;
	if (file != NULL &&
	    conf_read(asettings_rows, asettings_n, s, file, e) == -1)
		return -1;
	if (overrides_apply(&c->set, asettings_rows, asettings_n, s, e) == -1)
		return -1;
	if (log_level_parse(s->log_level) == -1)
		return err_set(e, EINVAL,
		    "adapter.log_level: \"%s\" is none of error, warn, info,"
		    " debug",
		    s->log_level);
	return asettings_check(s, e);
}

/* One option; -1: usage, 1: done, 0: go on. */
static int
take_option(struct cmdline *c, int o)
{
	static const struct {
		int option;
		const char *key;
	} map[] = {
	    {'s', "adapter.socket"},
	    {'r', "adapter.root"},
	    {'d', "adapter.state"},
	    {'p', "adapter.pidfile"},
	    {'l', "adapter.log_level"},
	};

	for (size_t i = 0; i < sizeof map / sizeof *map; i++)
		if (map[i].option == o) {
			overrides_add(&c->set, map[i].key, optarg);
			return 0;
		}
	switch (o) {
	case 'c': c->config = optarg; return 0;
	case 'S': overrides_add(&c->set, "adapter.syslog", "yes"); return 0;
	case O_PRINT: c->print = true; return 0;
	case O_CHECK: c->check = true; return 0;
	case O_SET:
		if (overrides_parse(&c->set, optarg) == -1) {
			fprintf(
			    stderr, "xmsg-storaged: --set wants NAME=VALUE\n");
			return -1;
		}
		return 0;
	case 'h': fputs(usage, stdout); return 1;
	case 'V': printf("xmsg-storaged %s\n", XMSG_VERSION); return 1;
	default: fprintf(stderr, "Try 'xmsg-storaged --help'.\n"); return -1;
	}
}

/* As many descriptors as we may have: runs and connections cost some. */
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
serve(struct cmdline *c, struct asettings *s, const char *name)
{
	struct adapter *a;
	struct err e;
	int status;

	log_open(name, s->syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	    (enum log_level)log_level_parse(s->log_level));
	evlog_open();
	raise_limits();
	a = adapter_new(s, read_settings, c, c->old.state, &status, &e);
	if (a == NULL) {
		log_error("start", "%s", e.text);
		return status;
	}
	status = adapter_run(a);
	adapter_free(a);
	return status;
}

/* As xapi-storage-script. */
static int
main_old(int argc, char **argv)
{
	struct cmdline c = {.argc = argc, .argv = argv};
	struct asettings s;
	struct err e;
	int status;

	overrides_init(&c.set);
	conf_defaults(asettings_rows, asettings_n, &s);
	status = old_read(argc, argv, &s, &c.old, &e);
	if (status != 0) {
		fprintf(stderr, "xapi-storage-script: %s\n", e.text);
		fputs(old_usage, stderr);
	} else if (c.old.help) {
		fputs(old_usage, stdout);
	} else if (c.old.version) {
		printf("xapi-storage-script (xmsg %s)\n", XMSG_VERSION);
	} else if (c.old.self_test) {
		log_open("xapi-storage-script", LOG_TO_STDERR, LOG_L_INFO);
		status = adapter_selftest(&s, &e) ? EXIT_FATAL : 0;
	} else {
		status = serve(&c, &s, "xapi-storage-script") ? EXIT_FATAL : 0;
	}
	conf_fini(asettings_rows, asettings_n, &s);
	cmdline_fini(&c);
	return status;
}

int
main(int argc, char **argv)
{
	struct cmdline c = {.argc = 0};
	const char *name = strrchr(argv[0], '/');
	struct asettings s;
	struct err e;
	int o, rc, status = EXIT_CONFIG;

	/* half of a JSON text would be a script's input, or an answer */
	json_set_alloc_funcs(xmalloc, free);
	overrides_init(&c.set);
	name = name ? name + 1 : argv[0];
	if (strcmp(name, "xapi-storage-script") == 0)
		return main_old(argc, argv);
	while ((o = getopt_long(
		    argc, argv, "s:r:d:c:p:Sl:hV", options, NULL)) != -1) {
		rc = take_option(&c, o);
		if (rc != 0) {
			cmdline_fini(&c);
			return rc == 1 ? EXIT_OK : EXIT_USAGE;
		}
	}
	conf_defaults(asettings_rows, asettings_n, &s);
	if (optind < argc) {
		fprintf(stderr, "xmsg-storaged: \"%s\" is no option\n",
		    argv[optind]);
		status = EXIT_USAGE;
	} else if (read_settings(&c, &s, &e) == -1) {
		fprintf(stderr, "xmsg-storaged: %s\n", e.text);
		if (e.code == ENOMEM)
			status = EXIT_OSERR;
	} else if (c.print || c.check) {
		if (c.print)
			overrides_print(asettings_rows, asettings_n, &s);
		status = EXIT_OK;
	} else {
		status = serve(&c, &s, "xmsg-storaged");
	}
	conf_fini(asettings_rows, asettings_n, &s);
	cmdline_fini(&c);
	return status;
}
