/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Start: socket (refused when a live broker has it), state folder (locked),
 * recorder, store, index, then accept.  Clients that come early wait in the
 * backlog.
 *
 * A turn: libevent calls what is ready; then what is due; then new messages go
 * to those who wait, buffered requests go on, and the store is kicked, until
 * nothing is left to do.
 *
 * Stop: no more connections, the store finishes and its answers leave, then
 * everything is closed.
 */
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "api.h"
#include "clock.h"
#include "config.h"
#include "harden.h"
#include "log.h"
#include "redact.h"
#include "ring_file.h"
#include "systemd.h"
#include "tidy.h"
#include "usock.h"
#include "version.h"
#include "xalloc.h"

#define BACKLOG	     1024
#define ACTS_SIZE    ((size_t)512 * 1024) /* some thousand acts */
#define MESSAGE_SIZE 64 /* in the index, about */
#define CLIENT_SIZE  1600

struct server {
	struct settings *set; /* main's; a reload changes it */
	int (*reload)(void *, struct settings *, struct err *);
	void *reload_arg;
	struct event_base *base;
	struct event *timer, *signals;
	struct deadlines deadlines;
	struct http_config http_config;
	struct store_events events;
	struct store *store;
	struct trace trace;
	struct mswitch *m;
	struct http *http;
	struct api api;
	void *ring_mem, *acts_mem;
	struct ring acts;
	struct tidy tidy;
	int fd, lock_fd, state_fd, signal_fd, notify_fd;
	bool own_socket; /* we made it, we remove it */
	bool fresh; /* the time of this turn has been read */
	bool stop, loaded, load_ok, closed;
	int status;
};

/* ---- time and turns ---- */

/* Read the clocks once a turn. */
static void
wake(void *ctx)
{
	struct server *sv = ctx;
	int64_t now;

	if (sv->fresh)
		return;
	sv->fresh = true;
	now = clock_mono_ns();
	mswitch_now(sv->m, now, clock_wall_ns());
	if (sv->http != NULL)
		http_now(sv->http, now);
}

/* Look for more requests before a commit, for as long as the store says that it
 * pays: some microseconds. */
static void
gather(struct server *sv)
{
	int64_t until = 0, now, ns;

	while ((ns = store_gather_ns(sv->store)) > 0) {
		now = clock_mono_ns();
		if (until == 0)
			until = now + ns;
		if (now >= until || sv->stop)
			return;
		if (event_base_loop(sv->base, EVLOOP_NONBLOCK) == -1)
			return; /* the turn's own call will tell */
		mswitch_turn(sv->m);
		http_turn(sv->http);
	}
}

/* Everything that is left to do before the loop may sleep. */
static void
turn(struct server *sv)
{
	wake(sv);
	deadlines_run(&sv->deadlines, sv->m->now_ns);
	do {
		mswitch_turn(sv->m);
		http_turn(sv->http);
		if (!sv->closed) {
			gather(sv);
			store_kick(sv->store);
		}
		/* a commit in place may have freed connections to go on */
	} while (http_more(sv->http) || sv->m->dirty != NULL);
	trace_turn(&sv->trace, sv->m->now_ns);
	tidy_turn(&sv->tidy, http_counters(sv->http)->requests,
	    sv->m->cached + sv->m->messages * MESSAGE_SIZE +
		(int64_t)http_counters(sv->http)->connections * CLIENT_SIZE,
	    sv->m->now_ns);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	wake(arg);
}

/* One turn of the loop. */
static void
spin(struct server *sv)
{
	int64_t next = deadlines_next(&sv->deadlines), wait;
	struct timeval tv;

	if (next >= 0) {
		wait = next - clock_mono_ns();
		if (wait < 0)
			wait = 0;
		tv.tv_sec = wait / NS_PER_SEC;
		tv.tv_usec = wait % NS_PER_SEC / 1000 + 1;
		event_add(sv->timer, &tv);
	}
	sv->fresh = false;
	if (event_base_loop(sv->base, EVLOOP_ONCE) == -1) {
		log_error("server", "the event loop failed");
		sv->stop = true;
		sv->status = EXIT_STORE;
	}
	turn(sv);
}

/* ---- what others tell us ---- */

static void
on_state(void *ctx, enum store_state st, const char *why)
{
	struct server *sv = ctx;

	sv->api.degraded = st != STORE_UP;
	if (st != STORE_GONE || sv->status == EXIT_STORE)
		return;
	log_error("store",
	    "cannot go on: %s; nothing that was not"
	    " acknowledged is promised; start again to recover",
	    why);
	sv->status = EXIT_STORE;
	sv->stop = true;
}

static void
on_visible(void *ctx, struct str queue, int64_t upto)
{
	(void)ctx, (void)queue, (void)upto; /* no shared store yet */
}

static void
on_shutdown(void *ctx, const char *by)
{
	struct server *sv = ctx;

	log_info("server", "shutdown requested by %s", by);
	sv->stop = true;
}

static void
on_loaded(void *arg, bool ok)
{
	struct server *sv = arg;

	sv->loaded = true;
	sv->load_ok = ok;
}

/* Limits from the settings to where they are used. */
static void
apply_limits(struct server *sv)
{
	const struct settings *s = sv->set;
	struct http_config *h = &sv->http_config;
	struct ms_limits *l = &sv->m->limits;

	h->parse = (struct http1_limits){(size_t)s->line, (size_t)s->head,
	    (size_t)s->fields, (size_t)s->body};
	h->max_connections = s->connections;
	h->max_connections_per_uid = s->connections_per_uid;
	h->head_ns = s->head_time;
	h->body_rate = s->body_rate;
	h->max_pending = (size_t)s->pending;
	*l = (struct ms_limits){s->queues, s->queue_messages, s->queue_bytes,
	    s->total_bytes, s->session_transient, s->cache, s->transfer_bytes,
	    s->grace, s->one_reply != 0, s->poison};
	sv->api.trace_entries = s->trace_entries;
	sv->trace.pace.rate = s->follow_rate;
	sv->api.poll_max_ns = s->poll_time;
	log_set_level((enum log_level)log_level_parse(s->log_level));
}

static void
not_reloaded(void *arg, const struct conf_row *row)
{
	(void)arg;
	log_warn("server", "%s.%s changed: it takes effect at the next start",
	    row->section, row->name);
}

/* Further words for the redaction. */
static int
apply_redact(const struct settings *s, struct err *e)
{
	if (redact_set_keys(str_of(s->redact_keys)))
		return 0;
	return err_set(e, EINVAL,
	    "redact.keys: up to %d words with blanks between them, each of 3 to"
	    " %d letters and digits, the first two letters",
	    REDACT_WORDS, REDACT_WORD);
}

/* SIGHUP. */
static void
reload(struct server *sv)
{
	struct settings fresh;
	struct err e;

	conf_defaults(settings_rows, settings_n, &fresh);
	if (sv->reload(sv->reload_arg, &fresh, &e) == -1 ||
	    apply_redact(&fresh, &e) == -1) {
		log_error("server", "settings not changed: %s", e.text);
	} else {
		conf_reload(settings_rows, settings_n, sv->set, &fresh,
		    not_reloaded, NULL);
		apply_limits(sv);
		http_set_limits(sv->http, &sv->http_config);
		log_info("server", "settings read again");
	}
	conf_fini(settings_rows, settings_n, &fresh);
}

/* One signal; they come as bytes, so that there are no handlers. */
static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct signalfd_siginfo si;
	struct server *sv = arg;

	(void)what;
	wake(sv);
	if (read(fd, &si, sizeof si) != sizeof si)
		return;
	if (si.ssi_signo == SIGHUP) {
		reload(sv);
		return;
	}
	log_info("server", "signal %d: stopping", (int)si.ssi_signo);
	sv->stop = true;
}

/* ---- starting ---- */

/* The state folder: made when it is missing, ours, private, and locked. */
static int
open_state(struct server *sv, int *status, struct err *e)
{
	const char *dir = sv->set->state;
	struct stat st;
	char *lock;
	int rc;

	*status = EXIT_CANTCREAT;
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return err_errno(e,
		    "cannot make the state folder %s (choose"
		    " another with --state)",
		    dir);
	if (stat(dir, &st) == -1)
		return err_errno(e, "state folder %s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(
		    e, ENOTDIR, "the state folder %s is no folder", dir);
	if (st.st_uid != geteuid())
		return err_set(e, EPERM,
		    "the state folder %s belongs to uid"
		    " %d, we are uid %d: choose another with --state",
		    dir, (int)st.st_uid, (int)geteuid());
	lock = xasprintf("%s/lock", dir);
	sv->state_fd =
	    open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(lock);
	if (sv->state_fd == -1)
		return err_errno(e, "cannot write in the state folder %s", dir);
	while ((rc = flock(sv->state_fd, LOCK_EX | LOCK_NB)) == -1 &&
	    errno == EINTR)
		continue;
	if (rc == -1 && errno != EWOULDBLOCK)
		return err_errno(e, "cannot lock the state folder %s", dir);
	if (rc == -1) {
		*status = EXIT_UNAVAILABLE;
		return err_set(e, EBUSY,
		    "the state folder %s is in use by"
		    " another broker: stop it, or use --state",
		    dir);
	}
	return 0;
}

/* Map a ring's file in the state folder. */
static void *
map_ring(const struct server *sv, const char *name, size_t size,
    struct ring *ring, struct err *e)
{
	char *path = xasprintf("%s/%s", sv->set->state, name);
	void *mem = ring_file_open(ring, path, size, e);

	free(path);
	return mem;
}

/* The flight recorder; and the record of acts, which a full disk may not be the
 * reason to do without a broker. */
static int
open_recorder(struct server *sv, struct err *e)
{
	struct ring ring;
	struct err none;

	sv->ring_mem = map_ring(
	    sv, "recorder.ring", (size_t)sv->set->recorder_size, &ring, e);
	if (sv->ring_mem == NULL)
		return -1;
	trace_init(&sv->trace, &sv->deadlines, ring);
	tidy_init(&sv->tidy, &sv->deadlines, sv->ring_mem,
	    (size_t)sv->set->recorder_size);
	sv->acts_mem = map_ring(sv, "acts.ring", ACTS_SIZE, &sv->acts, &none);
	if (sv->acts_mem == NULL)
		log_warn("server", "acts are not recorded: %s", none.text);
	else
		sv->api.acts = &sv->acts;
	return 0;
}

/* The store, and the index from it. */
static int
open_store(struct server *sv, struct err *e)
{
	struct store_config c = {.base = sv->base,
	    .events = &sv->events,
	    .ctx = sv,
	    .wall_ns = clock_wall_ns(),
	    .inline_commit = sv->set->inline_commit != 0,
	    .undo_ns = sv->set->undo_time,
	    .undo_bytes = (uint64_t)sv->set->undo_bytes,
	    .wipe_ns = sv->set->wipe_time};
	char *url, *dir;

	/* another boot's requests are held: an unknown one is no other */
	if (clock_boot_id(c.boot_id) == -1)
		return err_errno(e, "cannot read the id of this boot");
	dir = realpath(sv->set->state, NULL); /* so that others find it */
	url = *sv->set->store ? xstrdup(sv->set->store)
			      : xasprintf("sqlite:%s/switch.db",
				    dir != NULL ? dir : sv->set->state);
	free(dir);
	sv->events = (struct store_events){wake, on_visible, on_state};
	memcpy(sv->api.boot_id, c.boot_id, sizeof c.boot_id);
	c.url = url;
	sv->store = store_open(&c, e);
	free(url);
	return sv->store ? 0 : -1;
}

/* Read the index; the loop runs for it. */
static int
load(struct server *sv, struct err *e)
{
	struct ms_config mc = {.store = sv->store,
	    .deadlines = &sv->deadlines,
	    .trace = &sv->trace};

	sv->m = mswitch_new(&mc);
	sv->fresh = false;
	wake(sv);
	apply_limits(sv);
	mswitch_load(sv->m, on_loaded, sv);
	while (!sv->loaded && event_base_loop(sv->base, EVLOOP_ONCE) != -1)
		continue;
	if (!sv->load_ok)
		return err_set(e, EIO,
		    "the database cannot be read: see the log, and"
		    " doc/store.md for what to do about a damaged one");
	return 0;
}

/* "660" -> 0660; -1 when it is no mode. */
static int
octal(int64_t v)
{
	int a = (int)(v / 100), b = (int)(v / 10 % 10), c = (int)(v % 10);

	return a > 7 || b > 7 || c > 7 ? -1 : a << 6 | b << 3 | c;
}

static int
open_socket(struct server *sv, int *status, struct err *e)
{
	gid_t gid = (gid_t)-1;
	struct group *g;
	int mode = octal(sv->set->mode);

	*status = EXIT_CONFIG;
	if (mode == -1)
		return err_set(
		    e, EINVAL, "server.mode is not octal: use 660 or the like");
	if (*sv->set->group != '\0') {
		g = getgrnam(sv->set->group);
		if (g == NULL)
			return err_set(e, EINVAL,
			    "server.group: there is no group \"%s\"",
			    sv->set->group);
		gid = g->gr_gid;
	}
	sv->fd = systemd_socket();
	if (sv->fd != -1)
		return 0;
	sv->fd = usock_listen(
	    sv->set->socket, (mode_t)mode, gid, BACKLOG, &sv->lock_fd, e);
	*status = e->code == EADDRINUSE ? EXIT_UNAVAILABLE : EXIT_CANTCREAT;
	sv->own_socket = sv->fd != -1;
	return sv->fd == -1 ? -1 : 0;
}

/* Rights that only the socket needed. */
static int
give_up(struct server *sv, int *status, struct err *e)
{
	*status = EXIT_CONFIG;
	if (harden_become(sv->set->user, e) == -1)
		return -1;
	return sv->set->harden ? harden_drop(e) : 0;
}

static int
open_signals(struct server *sv, struct err *e)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sv->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (sv->signal_fd == -1 || pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return err_errno(e, "cannot watch signals");
	sv->signals = event_new(
	    sv->base, sv->signal_fd, EV_READ | EV_PERSIST, on_signal, sv);
	if (sv->signals == NULL || event_add(sv->signals, NULL) == -1)
		return err_set(e, ENOMEM, "cannot watch signals");
	sv->timer = event_new(sv->base, -1, 0, on_timer, sv);
	/* libevent makes room for timers when one is set, and keeps it: from
	 * now on setting it needs no memory, and the loop does not oversleep */
	if (sv->timer == NULL ||
	    event_add(sv->timer, &(struct timeval){.tv_sec = 1}) == -1)
		return err_set(e, ENOMEM, "out of memory");
	event_del(sv->timer);
	return 0;
}

/* Accept. */
static int
open_http(struct server *sv, struct err *e)
{
	struct api *a = &sv->api;

	sv->http_config.base = sv->base;
	sv->http_config.deadlines = &sv->deadlines;
	sv->http_config.handler = &api_handler;
	sv->http_config.ctx = a;
	sv->http = http_new(&sv->http_config);
	a->m = sv->m;
	a->trace = &sv->trace;
	a->store = sv->store;
	a->http = sv->http;
	a->deadlines = &sv->deadlines;
	a->start_ns = clock_mono_ns();
	a->start_wall_ns = clock_wall_ns();
	a->max_queues_per_poll = sv->set->poll_queues;
	a->socket = sv->set->socket;
	a->uid = geteuid();
	a->pid = getpid();
	a->http_config = &sv->http_config;
	a->wake = wake;
	a->shutdown = on_shutdown;
	a->ctx = sv;
	api_init(a);
	return http_listen(sv->http, sv->fd, e);
}

static void
write_pidfile(struct server *sv)
{
	char text[32];
	int fd, n;

	if (*sv->set->pidfile == '\0')
		return;
	fd = open(
	    sv->set->pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	n = sprintf(text, "%d\n", (int)getpid());
	if (fd == -1 || write(fd, text, (size_t)n) != n)
		log_warn("server", "cannot write %s: %s", sv->set->pidfile,
		    strerror(errno));
	if (fd != -1)
		close(fd);
}

/* An event of the broker's own. */
static void
record(struct server *sv, enum ring_type type)
{
	struct ring_event e = {.type = type,
	    .wall_ns = clock_wall_ns(),
	    .dur_ns = -1,
	    .pid = (uint32_t)sv->api.pid,
	    .text = STR(XMSG_VERSION)};

	trace_put(&sv->trace, &e, (struct str){NULL, 0});
}

/* Everything in order. */
struct server *
server_new(struct settings *s,
    int (*reload_fn)(void *, struct settings *, struct err *), void *arg,
    int *status, struct err *e)
{
	struct server *sv = xcalloc(1, sizeof *sv);

	sv->set = s;
	sv->reload = reload_fn;
	sv->reload_arg = arg;
	sv->fd = sv->lock_fd = sv->state_fd = sv->signal_fd = -1;
	sv->notify_fd = systemd_notify_open();
	sv->base = event_base_new();
	*status = EXIT_CONFIG;
	if (apply_redact(s, e) == -1)
		goto fail;
	*status = EXIT_CANTCREAT;
	if (sv->base == NULL) {
		err_set(e, ENOMEM, "cannot make an event loop");
		goto fail;
	}
	if (open_signals(sv, e) == -1 || open_socket(sv, status, e) == -1 ||
	    give_up(sv, status, e) == -1 || open_state(sv, status, e) == -1)
		goto fail;
	*status = EXIT_STORE;
	if (open_recorder(sv, e) == -1 || open_store(sv, e) == -1 ||
	    load(sv, e) == -1)
		goto fail;
	if (open_http(sv, e) == -1)
		goto fail;
	write_pidfile(sv);
	*status = EXIT_OK;
	return sv;
fail:
	server_free(sv);
	return NULL;
}

/* ---- running and stopping ---- */

/* Everything is open: what opens is not needed any more. */
static void
lock_up(const struct server *sv)
{
	struct err e;

	if (sv->set->harden && harden_lock(&e) == -1)
		log_warn("start", "%s", e.text);
}

/* Serve. */
int
server_run(struct server *sv)
{
	lock_up(sv);
	record(sv, RING_START);
	log_info("server",
	    "xmsgd %s serves %s, state in %s: %u queues, %lld"
	    " messages",
	    XMSG_VERSION, sv->set->socket, sv->set->state,
	    HASH_CNT(hh, sv->m->queues), (long long)sv->m->messages);
	systemd_notify(sv->notify_fd, "READY=1");
	turn(sv); /* what is due without anybody asking */
	while (!sv->stop)
		spin(sv);
	systemd_notify(sv->notify_fd, "STOPPING=1");
	return sv->status;
}

static void
on_closed(void *arg)
{
	((struct server *)arg)->closed = true;
}

/* Let the store finish; its answers go out as it does. */
static void
drain(struct server *sv)
{
	if (sv->http != NULL)
		http_stop_listening(sv->http);
	if (sv->m != NULL)
		mswitch_stop(sv->m);
	if (sv->store != NULL)
		store_close(sv->store, on_closed, sv);
	sv->closed = true;
}

/* Stop in order. */
void
server_free(struct server *sv)
{
	drain(sv);
	http_free(sv->http);
	if (sv->http != NULL)
		api_fini(&sv->api);
	mswitch_free(sv->m);
	if (sv->http != NULL && sv->status == EXIT_OK)
		record(sv, RING_STOP);
	deadlines_fini(&sv->deadlines);
	if (sv->ring_mem != NULL)
		munmap(sv->ring_mem, (size_t)sv->set->recorder_size);
	if (sv->acts_mem != NULL)
		munmap(sv->acts_mem, ACTS_SIZE);
	if (sv->signals != NULL)
		event_free(sv->signals);
	if (sv->timer != NULL)
		event_free(sv->timer);
	if (sv->base != NULL)
		event_base_free(sv->base);
	if (sv->own_socket)
		unlink(sv->set->socket);
	if (sv->http != NULL && *sv->set->pidfile != '\0')
		unlink(sv->set->pidfile);
	if (sv->fd != -1)
		close(sv->fd);
	if (sv->lock_fd != -1)
		close(sv->lock_fd);
	if (sv->state_fd != -1)
		close(sv->state_fd);
	if (sv->signal_fd != -1)
		close(sv->signal_fd);
	if (sv->notify_fd != -1)
		close(sv->notify_fd);
	free(sv);
}
