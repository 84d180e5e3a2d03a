/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Watching folders, the only file that knows inotify.
 *
 * What the kernel says is never trusted to be complete: any word from it means
 * "look again", and a look compares all of both folders with what was there at
 * the last look.  So a missed, doubled or overflown event does no harm.  Looks
 * wait until things have been quiet for a while (settle), but not for ever.
 *
 * Each look puts watches on what it passes, before it reads it: every folder
 * above the root, as the root may be removed and made again; the root; the two
 * folders in it; each plugin's folder.  Watches that a look did not pass are
 * removed.  Folders above the root are busy with others' files: of them only
 * the next step of our path counts.
 *
 * Where inotify does not work, or has no room for us, folders are looked at
 * every rescan_ns, and inotify is tried again now and then.  So are they while
 * a link in them leads to nothing, as nobody tells when it does.  A slow look
 * goes on in any case, for the rest of what no watch tells: a script's link to
 * elsewhere, a folder on a file server.
 */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"
#include "map.h"
#include "watch_list.h"
#include "xalloc.h"

#define MASK                                                                   \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |     \
	    IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |      \
	    IN_EXCL_UNLINK)
#define PATIENCE   5 /* a look comes after so many settle times at most */
#define SLOW_NS	   (30 * NS_PER_SEC)
#define ANEW	   30 /* looks without inotify before it is tried again */
#define READS_MOST 64 /* before other events of the loop get their turn */

/* One watch of the kernel. */
struct spot {
	UT_hash_handle hh;
	int wd;
	unsigned round; /* of the last look that passed it */
	const char *only; /* the one name that counts, or NULL: any */
	size_t only_n;
};

struct watch {
	struct event_base *base;
	struct plugins_conf conf;
	struct watch_hooks hooks;
	char *root;
	struct folder kinds[2];
	int fd; /* of inotify, or -1 */
	struct event *readable, *timer;
	struct spot *spots;
	unsigned round;
	unsigned alone; /* looks since inotify was given up */
	bool complained; /* of that */
	int64_t dirty_ns; /* since when something waits for a look, or 0 */
};

static const char *const kind_names[] = {
    [PLUGIN_VOLUME] = "volume", [PLUGIN_DATAPATH] = "datapath"};

/* Name of a kind's folder. */
const char *
watch_kind_name(enum plugin_kind kind)
{
	return kind_names[kind];
}

/* ---- inotify ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg);

/* Close it; the kernel removes its watches. */
static void
inotify_stop(struct watch *w)
{
	struct spot *s, *tmp;

	if (w->readable)
		event_free(w->readable);
	w->readable = NULL;
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
	HASH_ITER (hh, w->spots, s, tmp) {
		w->spots = map_del(w->spots, s);
		free(s);
	}
}

/* It does not work, as errno says: look at intervals from now on. */
static void
inotify_lost(struct watch *w)
{
	int code = errno;

	inotify_stop(w);
	w->alone = 0;
	if (!w->complained)
		log_warn("watch",
		    "cannot watch %s: %s%s; it is read every %lld ms instead",
		    w->root, strerror(code),
		    code == ENOSPC ? " (raise fs.inotify.max_user_watches)"
			: code == EMFILE
			? " (raise fs.inotify.max_user_instances)"
			: "",
		    (long long)(w->conf.rescan_ns / NS_PER_MS));
	w->complained = true;
}

/* Begin, without any watch yet. */
static void
inotify_start(struct watch *w)
{
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (w->fd == -1) {
		inotify_lost(w);
		return;
	}
	w->readable =
	    event_new(w->base, w->fd, EV_READ | EV_PERSIST, on_readable, w);
	if (w->readable == NULL || event_add(w->readable, NULL) == -1) {
		errno = ENOMEM;
		inotify_lost(w);
	}
}

/* A folder that a look passes.  That it is not there is no failure. */
static void
watch_put(struct watch *w, const char *path, const char *only, size_t only_n)
{
	struct spot *s;
	int wd;

	if (w->fd == -1)
		return;
	wd = inotify_add_watch(w->fd, path, MASK);
	if (wd == -1) {
		if (errno == ENOSPC || errno == ENOMEM)
			inotify_lost(w);
		return;
	}
	s = map_find(w->spots, &wd, sizeof wd);
	if (s == NULL) {
		s = xcalloc(1, sizeof *s);
		s->wd = wd;
		w->spots = map_add(w->spots, s, &s->wd, sizeof s->wd);
	} else if (s->round == w->round && s->only != only) {
		only = NULL; /* one folder, two reasons */
	}
	s->round = w->round;
	s->only = only;
	s->only_n = only_n;
}

/* Every folder above the root, and the root. */
static void
watch_above(struct watch *w)
{
	char *at = xstrdup(w->root);
	size_t n = 0;

	for (;;) {
		size_t start = n + strspn(w->root + n, "/");
		size_t len = strcspn(w->root + start, "/");
		at[n] = '\0';
		if (len == 0)
			break;
		watch_put(w, n ? at : "/", w->root + start, len);
		memcpy(at, w->root, start + len);
		n = start + len;
	}
	watch_put(w, n ? at : "/", NULL, 0);
	free(at);
}

/* Remove the watches that this look has not passed. */
static void
watch_sweep(struct watch *w)
{
	struct spot *s, *tmp;

	HASH_ITER (hh, w->spots, s, tmp) {
		if (s->round == w->round)
			continue;
		(void)inotify_rm_watch(w->fd, s->wd); /* may be gone already */
		w->spots = map_del(w->spots, s);
		free(s);
	}
}

/* ---- when to look ---- */

/* Look in so much time. */
static void
look_in(struct watch *w, int64_t ns)
{
	struct timeval tv;

	if (ns < 0)
		ns = 0;
	tv.tv_sec = ns / NS_PER_SEC;
	tv.tv_usec = ns % NS_PER_SEC / 1000;
	if (event_add(w->timer, &tv) == -1)
		log_error("watch", "cannot set a timer: out of memory");
}

static void look(struct watch *w);

/* Something has changed: look when it is quiet, or when it does not get quiet;
 * then at once, as news that never stop would keep the timer from firing. */
static void
dirty(struct watch *w)
{
	int64_t now = clock_mono_ns(), quiet = now + w->conf.settle_ns, last;

	if (w->dirty_ns == 0)
		w->dirty_ns = now;
	last = w->dirty_ns + PATIENCE * w->conf.settle_ns;
	if (now >= last)
		look(w);
	else
		look_in(w, (quiet < last ? quiet : last) - now);
}

/* Is this event about anything of ours? */
static bool
counts(struct watch *w, const struct inotify_event *ev)
{
	struct spot *s;

	if (ev->mask & IN_Q_OVERFLOW)
		return true;
	s = map_find(w->spots, &ev->wd, sizeof ev->wd);
	if (s == NULL)
		return false; /* of a watch that we have removed */
	if (ev->mask & IN_IGNORED) {
		w->spots = map_del(w->spots, s);
		free(s);
		return true;
	}
	return s->only == NULL || ev->len == 0 ||
	    (strlen(ev->name) == s->only_n &&
		memcmp(ev->name, s->only, s->only_n) == 0);
}

/* The kernel has something to say: hear all of it. */
static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	char buf[16384]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	struct watch *w = arg;
	bool any = false;

	(void)fd, (void)what;
	for (unsigned i = 0; i < READS_MOST; i++) {
		const struct inotify_event *ev;
		ssize_t n = read(w->fd, buf, sizeof buf);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			inotify_lost(w);
			any = true;
			break;
		}
		for (ssize_t at = 0; at < n;
		     at += (ssize_t)(sizeof *ev + ev->len)) {
			ev = (const void *)(buf + at);
			any |= counts(w, ev);
		}
	}
	if (any)
		dirty(w);
}

/* ---- looking ---- */

/* Watch and identify each item of the new list; drop those that are no folder
 * (any more).  What cannot be told now is taken to be as it was. */
static void
identify_all(struct watch *w, struct folder *now, const struct folder *old)
{
	uint64_t above = 0;
	struct stat st;
	size_t kept = 0;

	if (stat(w->root, &st) == 0)
		above = watch_mix_owner(above, &st);
	if (stat(now->path, &st) == 0)
		above = watch_mix_owner(above, &st);
	for (size_t i = 0; i < now->n; i++) {
		struct item *it = &now->v[i];
		char *path = xasprintf("%s/%s", now->path, it->name);
		bool there;
		size_t at = watch_item_at(old->v, old->n, it->name, &there);
		int rc;
		watch_put(w, path, NULL, 0);
		it->id = above;
		rc = watch_identify(path, &it->id);
		free(path);
		if (rc == -1 && there)
			it->id = old->v[at].id;
		if (rc == 1)
			free(it->name);
		else
			now->v[kept++] = *it;
	}
	now->n = kept;
}

/* Which of two lists has the next name: < 0 the old one, > 0 the new one, 0
 * both. */
static int
next_of(const struct folder *old, size_t i, const struct folder *now, size_t j)
{
	if (i == old->n)
		return 1;
	return j == now->n ? -1 : strcmp(old->v[i].name, now->v[j].name);
}

/* Tell what differs between two lists in order. */
static void
compare(struct watch *w, enum plugin_kind kind, struct folder *old,
    struct folder *now)
{
	size_t i = 0, j = 0;

	while (i < old->n || j < now->n) {
		int c = next_of(old, i, now, j);
		struct item *it = c < 0 ? &old->v[i] : &now->v[j];
		if (c == 0)
			it->user = old->v[i].user;
		if (c != 0 || it->id != old->v[i].id)
			w->hooks.seen(w->hooks.arg, kind, it->name,
			    c < 0	? WATCH_GONE
				: c > 0 ? WATCH_NEW
					: WATCH_CHANGED,
			    &it->user);
		i += c <= 0;
		j += c >= 0;
	}
}

/* Say once what is the matter with a folder, and once that it is over. */
static void
remark(const struct folder *old, const struct folder *now, int code)
{
	if (now->found != old->found) {
		if (now->found == THERE)
			log_info("watch", "%s is there again", now->path);
		else if (now->found == ABSENT)
			log_warn("watch",
			    "%s is not there: no plugins until it is",
			    now->path);
		else
			log_warn("watch",
			    "cannot read %s: %s; what was in it is kept",
			    now->path, strerror(code));
	}
	if (now->crowded && !old->crowded)
		log_warn("watch",
		    "there are more than %d folders in %s: only the first "
		    "ones in order of name are looked at",
		    WATCH_MOST, now->path);
}

/* One of the two folders. */
static void
look_at(struct watch *w, enum plugin_kind kind)
{
	struct folder *old = &w->kinds[kind], now = {.path = old->path};
	int code;

	watch_put(w, now.path, NULL, 0);
	now.found = watch_list(&now);
	code = errno;
	if (now.found != UNREADABLE)
		identify_all(w, &now, old);
	remark(old, &now, code);
	if (now.found == UNREADABLE) {
		/* not the same as empty: nobody is given up for a lack of
		 * descriptors */
		watch_items_free(now.v, now.n);
		old->found = UNREADABLE;
		for (size_t i = 0; i < old->n; i++) {
			char *p = xasprintf("%s/%s", now.path, old->v[i].name);
			watch_put(w, p, NULL, 0);
			free(p);
		}
		return;
	}
	compare(w, kind, old, &now);
	watch_items_free(old->v, old->n);
	*old = now;
}

/* Will somebody tell when this folder changes? */
static bool
told(const struct folder *f)
{
	return f->found != UNREADABLE && !f->dangling;
}

/* Compare everything. */
static void
look(struct watch *w)
{
	bool all_told;

	w->dirty_ns = 0;
	w->round++;
	if (w->fd == -1 && ++w->alone >= ANEW)
		inotify_start(w);
	watch_above(w);
	look_at(w, PLUGIN_DATAPATH);
	look_at(w, PLUGIN_VOLUME);
	watch_sweep(w);
	if (w->fd != -1 && w->complained) {
		w->complained = false;
		log_info("watch", "%s is watched again", w->root);
	}
	all_told = w->fd != -1 && told(&w->kinds[PLUGIN_VOLUME]) &&
	    told(&w->kinds[PLUGIN_DATAPATH]);
	look_in(w, all_told ? SLOW_NS : w->conf.rescan_ns);
	w->hooks.looked(w->hooks.arg);
}

/* It is time. */
static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	look(arg);
}

/* ---- life ---- */

/* Begin. */
struct watch *
watch_new(struct event_base *base, const struct plugins_conf *c,
    const struct watch_hooks *h, struct err *e)
{
	struct watch *w = xcalloc(1, sizeof *w);

	w->base = base;
	w->conf = *c;
	w->hooks = *h;
	w->fd = -1;
	w->root = xstrdup(c->root);
	for (int k = 0; k < 2; k++)
		w->kinds[k].path = xasprintf("%s/%s", w->root, kind_names[k]);
	w->timer = evtimer_new(base, on_timer, w);
	if (w->timer == NULL) {
		err_set(e, ENOMEM, "cannot watch %s: out of memory", w->root);
		watch_free(w);
		return NULL;
	}
	inotify_start(w);
	look_in(w, 0);
	return w;
}

/* End. */
void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	inotify_stop(w);
	if (w->timer)
		event_free(w->timer);
	for (int k = 0; k < 2; k++) {
		watch_items_free(w->kinds[k].v, w->kinds[k].n);
		free(w->kinds[k].path);
	}
	free(w->root);
	free(w);
}

/* Look soon. */
void
watch_now(struct watch *w)
{
	look_in(w, 0);
}
