/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Start: state folder (locked), state, record, spool; then the switch, which
 * need not be there yet; then plugins, which are served as they answer (in which
 * order, plugin.c says).  Ready is when each has been asked once, or SETTLE_NS
 * has passed.
 *
 * Stop: nothing more is taken from the queues, replies that were given are
 * waited for, running scripts go on for the next process.
 */
#include "adapter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "config.h"
#include "control.h"
#include "ctx.h"
#include "follow.h"
#include "job.h"
#include "log.h"
#include "observer.h"
#include "plugin.h"
#include "poison.h"
#include "probe.h"
#include "record.h"
#include "turns.h"
#include "selftest.h"
#include "service.h"
#include "state.h"
#include "systemd.h"
#include "xalloc.h"
#include "xmsg.h"

#define SETTLE_NS (5 * NS_PER_SEC)
#define FLUSH_MS  2000 /* for replies, at the end */
#define LOCK_NS	  (5 * NS_PER_SEC) /* for the process before to end */

struct adapter {
	struct ctx ctx;
	int (*reload)(void *, struct asettings *, struct err *);
	void *reload_arg;
	struct event *sig[4], *x_event, *settle;
	struct probes *probes;
	struct control *control;
	struct follow *follow;
	int lock_fd, notify_fd;
	int64_t start_ns;
	unsigned *owners;
	char *runner; /* borrowed by the jobs */
	bool pidfile; /* is ours */
};

/* ---- plugins ---- */

static void
on_probe(void *arg, struct plugin *p, unsigned ticket)
{
	struct adapter *a = arg;

	probe_start(a->probes, p, ticket);
}

/* A plugin has answered: serve its queue. */
static int
on_serve(void *arg, struct plugin *p, struct err *e)
{
	struct adapter *a = arg;

	if (p->kind == PLUGIN_DATAPATH)
		return 0;
	return service_start(&a->ctx, p, e) != NULL ? 0 : -1;
}

static void
on_give_up(void *arg, struct plugin *p)
{
	struct adapter *a = arg;
	struct service *sv =
	    p->kind == PLUGIN_VOLUME ? service_find(&a->ctx, p->name) : NULL;

	if (sv != NULL && sv->plugin == p && !a->ctx.stopping)
		service_drain(
		    sv, *p->why ? p->why : "the storage plugin is gone");
}

/* Is it time to say that we are ready? */
static void
on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct adapter *a = arg;
	struct timeval tv = {0, 10000};

	(void)fd;
	(void)what;
	if (!plugins_settled(a->ctx.plugins) &&
	    clock_mono_ns() - a->start_ns < SETTLE_NS) {
		if (evtimer_add(a->settle, &tv) == -1)
			log_error("adapter", "no timer: out of memory");
		return;
	}
	log_info("adapter", "ready");
	systemd_notify(a->notify_fd, "READY=1");
}

/* ---- signals and the switch ---- */

static void
on_stop(evutil_socket_t sig, short what, void *arg)
{
	struct adapter *a = arg;

	(void)what;
	log_info("adapter", "stopping on signal %d", (int)sig);
	event_base_loopbreak(a->ctx.base);
	a->ctx.stopping = true;
}

static void
fixed(void *arg, const struct conf_row *row)
{
	(void)arg;
	log_warn("settings", "%s.%s changes at the next start", row->section,
	    row->name);
}

static struct turns_limits
limits_of(const struct asettings *s)
{
	return (struct turns_limits){.total = (unsigned)s->scripts,
	    .queue = (unsigned)s->queue,
	    .sr = (unsigned)s->sr,
	    .serial = !s->concurrent};
}

static void
on_reload(evutil_socket_t sig, short what, void *arg)
{
	struct adapter *a = arg;
	struct asettings fresh;
	struct turns_limits l;
	struct err e;

	(void)sig;
	(void)what;
	conf_defaults(asettings_rows, asettings_n, &fresh);
	if (a->reload(a->reload_arg, &fresh, &e) == -1) {
		log_error("settings", "not reloaded: %s", e.text);
	} else {
		conf_reload(asettings_rows, asettings_n, a->ctx.set, &fresh,
		    fixed, NULL);
		log_set_level(
		    (enum log_level)log_level_parse(a->ctx.set->log_level));
		l = limits_of(a->ctx.set);
		turns_set_limits(a->ctx.turns, &l);
		log_info("settings", "reloaded");
	}
	conf_fini(asettings_rows, asettings_n, &fresh);
	plugins_rescan(a->ctx.plugins);
	service_pump(&a->ctx);
}

static void
on_switch(evutil_socket_t fd, short what, void *arg)
{
	struct adapter *a = arg;

	(void)fd;
	(void)what;
	(void)xmsg_dispatch(a->ctx.x); /* never inside a callback here */
}

/* ---- start ---- */

/* Folders of the state; the lock. */
static int
take_state(struct adapter *a, int *status, struct err *e)
{
	const char *dir = a->ctx.set->state;
	char *path = xasprintf("%s/lock", dir);
	int64_t until = clock_mono_ns() + LOCK_NS;
	struct timespec pause = {0, 10000000};
	struct stat sb;
	int rc = -1;

	*status = EXIT_CANTCREAT;
	if (mkdir(dir, 0700) == -1 && errno != EEXIST) {
		err_errno(e, "cannot make the state folder %s", dir);
		goto out;
	}
	if (stat(dir, &sb) == -1 || sb.st_uid != geteuid()) {
		err_set(e, EPERM,
		    "%s is not ours: give it to this user, or choose another"
		    " with --state",
		    dir);
		goto out;
	}
	a->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (a->lock_fd == -1) {
		err_errno(e, "%s", path);
		goto out;
	}
	while ((rc = flock(a->lock_fd, LOCK_EX | LOCK_NB)) == -1 &&
	    clock_mono_ns() < until)
		nanosleep(&pause, NULL); /* a killed one takes its time */
	if (rc == -1 && errno != EWOULDBLOCK) {
		err_errno(e, "cannot lock %s", path);
		goto out;
	}
	if (rc == -1) {
		*status = EXIT_UNAVAILABLE;
		err_set(e, EBUSY,
		    "another storage adapter uses %s: stop it, or choose"
		    " another folder with --state",
		    dir);
		goto out;
	}
	a->ctx.spool = xasprintf("%s/spool", dir);
	rc = 0;
	if (mkdir(a->ctx.spool, 0700) == -1 && errno != EEXIST)
		rc = err_errno(e, "cannot make %s", a->ctx.spool);
out:
	free(path);
	return rc;
}

/* SRs that the original had attached, once: the file gets another name, also
 * when it is damaged. */
static void
take_over(struct adapter *a, const char *path)
{
	char *done = xasprintf("%s.taken-over", path);
	struct err e;
	int n = state_import(a->ctx.state, path, &e);

	if (n == -1)
		log_error("state", "not taken over: %s", e.text);
	else
		log_info(
		    "state", "%d attached SRs taken over from %s", n, path);
	if (rename(path, done) == -1)
		log_error("state", "cannot rename %s: %m", path);
	free(done);
}

/* The files in it. */
static int
open_state(struct adapter *a, const char *import, int *status, struct err *e)
{
	struct ctx *ctx = &a->ctx;

	*status = EXIT_STORE;
	if (clock_boot_id(ctx->boot) == -1)
		return err_errno(e, "cannot read the id of this boot");
	ctx->state = state_open(ctx->set->state, ctx->boot, e);
	if (ctx->state == NULL)
		return -1;
	ctx->record = record_open(ctx->set->state, (size_t)ctx->set->record, e);
	ctx->poison = ctx->record ? poison_open(ctx->set->state, e) : NULL;
	if (ctx->poison == NULL)
		return -1;
	if (import != NULL && access(import, F_OK) == 0)
		take_over(a, import);
	return 0;
}

static int
open_jobs(struct adapter *a, int *status, struct err *e)
{
	const struct asettings *s = a->ctx.set;
	struct job_limits l = {
	    .runner = a->runner = job_runner(*s->runner ? s->runner : NULL),
	    .path = s->path,
	    .cgroup = *s->cgroup ? s->cgroup : NULL,
	    .max_out = s->output,
	    .max_err = s->stderr_bytes,
	    .grace_ns = s->grace,
	    .term_ns = s->term,
	    .nofile = s->nofile};

	*status = EXIT_CONFIG;
	if (access(a->runner, X_OK) == -1)
		return err_errno(e, "%s (set scripts.runner)", a->runner);
	*status = EXIT_OSERR;
	a->ctx.jobs = jobs_new(a->ctx.base, &l, e);
	return a->ctx.jobs != NULL ? 0 : -1;
}

static int
open_switch(struct adapter *a, int *status, struct err *e)
{
	struct ctx *ctx = &a->ctx;
	int rc;

	*status = EXIT_OSERR;
	rc = xmsg_open(&ctx->x, ctx->set->socket, NULL);
	if (rc != XMSG_OK)
		return err_set(e, EINVAL, "cannot speak to a switch at %s: %s",
		    ctx->set->socket, xmsg_strerror(rc));
	a->x_event = event_new(
	    ctx->base, xmsg_fd(ctx->x), EV_READ | EV_PERSIST, on_switch, a);
	if (a->x_event == NULL || event_add(a->x_event, NULL) == -1)
		return err_set(e, ENOMEM, "out of memory");
	ctx->observer = observer_new(ctx->x, e);
	a->control = ctx->observer ? control_new(ctx, e) : NULL;
	a->follow = a->control ? follow_new(ctx, e) : NULL;
	return a->follow ? 0 : -1;
}

/* Whose scripts are run. */
static void
use_trust(struct adapter *a)
{
	struct trust trust = {.check = a->ctx.set->check_owner != 0};

	a->owners = asettings_owners(a->ctx.set, &trust.nuids);
	trust.uids = a->owners;
	trust_set(&trust);
}

static int
open_plugins(struct adapter *a, int *status, struct err *e)
{
	const struct asettings *s = a->ctx.set;
	struct plugins_conf conf = {.root = s->root,
	    .settle_ns = s->settle,
	    .rescan_ns = s->rescan,
	    .retry_max_ns = s->retry_max};
	struct plugins_hooks hooks = {.arg = a,
	    .probe = on_probe,
	    .serve = on_serve,
	    .give_up = on_give_up};
	struct timeval tv = {0, 10000};

	*status = EXIT_CONFIG;
	use_trust(a);
	a->probes = probes_new(&a->ctx);
	a->ctx.plugins = plugins_new(a->ctx.base, &conf, &hooks, e);
	if (a->ctx.plugins == NULL)
		return -1;
	a->settle = evtimer_new(a->ctx.base, on_settle, a);
	if (a->settle == NULL || evtimer_add(a->settle, &tv) == -1)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

static struct poison *in_hand; /* for the handler */

/* A crash: whose fault it was is noted, then it takes its course. */
static void
on_crash(int sig)
{
	poison_crash(in_hand);
	raise(sig); /* the handler has been taken off */
}

/* The handlers; but where a sanitizer wants these signals. */
static void
watch_crashes(struct poison *p)
{
	static const int sigs[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	struct sigaction sa = {
	    .sa_handler = on_crash, .sa_flags = SA_RESETHAND | SA_NODEFER};

	in_hand = p;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		sigaction(sigs[i], &sa, NULL);
#else
	(void)sigs;
	(void)sa;
#endif
}

/* Signals that the loop handles. */
static int
open_signals(struct adapter *a, struct err *e)
{
	static const int sigs[] = {SIGTERM, SIGINT, SIGHUP};

	signal(SIGPIPE, SIG_IGN);
	watch_crashes(a->ctx.poison);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++) {
		a->sig[i] = evsignal_new(a->ctx.base, sigs[i],
		    sigs[i] == SIGHUP ? on_reload : on_stop, a);
		if (a->sig[i] == NULL || evsignal_add(a->sig[i], NULL) == -1)
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

/* True when it is there, so that it can be removed at the end. */
static bool
write_pidfile(const struct asettings *s)
{
	bool ok;
	FILE *f;

	if (*s->pidfile == '\0')
		return false;
	f = fopen(s->pidfile, "we");
	ok = f != NULL && fprintf(f, "%d\n", (int)getpid()) > 0;
	if (f != NULL)
		ok &= fclose(f) == 0;
	if (!ok)
		log_warn("start", "cannot write %s", s->pidfile);
	return ok;
}

struct adapter *
adapter_new(struct asettings *s,
    int (*reload)(void *, struct asettings *, struct err *), void *arg,
    const char *import, int *status, struct err *e)
{
	struct adapter *a = xcalloc(1, sizeof *a);
	struct turns_limits l = limits_of(s);

	a->ctx.set = s;
	a->reload = reload;
	a->reload_arg = arg;
	a->lock_fd = -1;
	a->notify_fd = systemd_notify_open();
	a->start_ns = clock_mono_ns();
	a->ctx.env = asettings_env(s);
	a->ctx.turns = turns_new(&l);
	a->ctx.base = event_base_new();
	*status = EXIT_CANTCREAT;
	if (a->ctx.base == NULL)
		err_set(e, ENOMEM, "out of memory");
	else if (take_state(a, status, e) == 0 &&
	    open_state(a, import, status, e) == 0 &&
	    open_jobs(a, status, e) == 0 && open_signals(a, e) == 0 &&
	    open_switch(a, status, e) == 0 && open_plugins(a, status, e) == 0) {
		a->pidfile = write_pidfile(s);
		*status = EXIT_OK;
		return a;
	}
	adapter_free(a);
	return NULL;
}

int
adapter_selftest(struct asettings *s, struct err *e)
{
	struct adapter *a = xcalloc(1, sizeof *a);
	char *dir = xasprintf("%s/selftest", s->state);
	int status = EXIT_CANTCREAT;
	bool ok = false;

	a->ctx.set = s;
	a->lock_fd = a->notify_fd = -1;
	a->ctx.base = event_base_new();
	if (a->ctx.base == NULL)
		err_set(e, ENOMEM, "out of memory");
	else if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		err_errno(e, "cannot make %s", dir);
	else if (open_jobs(a, &status, e) == 0) {
		use_trust(a);
		ok = selftest(a->ctx.base, a->ctx.jobs, s->root, dir);
		status = ok ? EXIT_OK : EXIT_FATAL;
		err_set(e, EIO, "the self test failed");
		if (rmdir(dir) == -1)
			log_warn("selftest", "%s stays: %m", dir);
	}
	adapter_free(a);
	free(dir);
	return status;
}

int
adapter_run(struct adapter *a)
{
	while (!a->ctx.stopping)
		if (event_base_loop(a->ctx.base, EVLOOP_ONCE) == -1) {
			log_error("adapter", "the event loop failed");
			return EXIT_STORE;
		}
	systemd_notify(a->notify_fd, "STOPPING=1");
	/* replies that were given arrive; what is under way is left alone */
	if (xmsg_flush(a->ctx.x, FLUSH_MS) != XMSG_OK)
		log_warn("adapter",
		    "the switch has not taken every reply:"
		    " they are given again at the next start");
	return EXIT_OK;
}

void
adapter_free(struct adapter *a)
{
	struct ctx *ctx = &a->ctx;

	ctx->stopping = true;
	if (ctx->x != NULL)
		service_stop_all(ctx);
	follow_free(a->follow);
	control_free(a->control);
	observer_free(ctx->observer);
	plugins_free(ctx->plugins);
	probes_free(a->probes);
	jobs_free(ctx->jobs);
	if (a->x_event != NULL)
		event_free(a->x_event);
	xmsg_close(ctx->x);
	for (size_t i = 0; i < sizeof a->sig / sizeof *a->sig; i++)
		if (a->sig[i] != NULL)
			event_free(a->sig[i]);
	if (a->settle != NULL)
		event_free(a->settle);
	turns_free(ctx->turns);
	poison_close(ctx->poison);
	record_close(ctx->record);
	state_close(ctx->state);
	if (ctx->base != NULL)
		event_base_free(ctx->base);
	if (a->lock_fd != -1)
		close(a->lock_fd);
	if (a->notify_fd != -1)
		close(a->notify_fd);
	if (a->pidfile)
		unlink(ctx->set->pidfile);
	free(a->owners);
	free(a->runner);
	free(ctx->env);
	free(ctx->spool);
	free(a);
}
