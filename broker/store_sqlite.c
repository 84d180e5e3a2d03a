/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * The durable store: threads and batches around sqldb.
 *
 *   submit ──> pending ──kick──> next ──writer──> finished ──eventfd──> done()
 *                 └──────── a lone op, quick disk: in place ─────────────┘
 *
 * The loop thread owns `pending`; everything below `mu` is shared.  `busy` says
 * that somebody is using the writing connection: the writer thread, or the loop
 * thread committing a lone chain itself.  That saves two thread switches, which
 * cost as much as a quick sync; it is only done while commits are quick, so
 * that a disk that got stuck holds the loop for one commit at most.
 *
 * While one batch is synced the next one gathers: group commit without a delay.
 *
 * Reads run on a second connection in their own thread; rows are carried over
 * to the loop thread, because row() must run there.
 *
 * Full disk: a batch that does not fit is tried again without what needs room,
 * after a reserve file was given up.  Until the reserve is back, sends get
 * STORE_FULL at once and deleting works.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"
#include "sqldb.h"
#include "store_job.h"
#include "xalloc.h"

#define INLINE_MAX_NS	(2 * NS_PER_MS) /* commits slower: never in place */
#define WAL_SOFT_FRAMES 512 /* move the log when idle and longer */
#define WAL_HARD_FRAMES 4096 /* move it before the next batch: 16 MiB */
#define IDLE_NS		(20 * NS_PER_MS)
#define TRUNCATE_NS	(30 * NS_PER_SEC) /* idle so long: empty the log */
#define SWEEP_ROWS	1000
#define INLINE_MOST	16 /* ops that the loop commits itself */
#define GATHER_NS	(20 * 1000) /* for as many as came last time */
#define GATHER_SOFT_NS	(40 * 1000) /* for what follows an ack of a reply */
#define LAZY_MS		10 /* how long lazy ops wait for company ... */
#define LAZY_MOST	512 /* ... and how many of them */
#define KEEP_ANSWERS	65536
#define ROOM_NS		(NS_PER_SEC / 2) /* disk full: look for room */
#define RESERVE_BYTES	(8 * 1024 * 1024)
#define DEFAULT_OPS	100000
#define DEFAULT_BYTES	(256ULL * 1024 * 1024)

/* A list of ops by `link`. */
struct ops {
	struct store_op *head, **tail;
	uint64_t n, bytes;
	uint64_t lazy; /* how many of them nobody waits for */
	uint64_t soft; /* how many will probably get company */
};

struct store_sqlite {
	struct store base;
	const struct store_events *events;
	void *ctx;
	char *path, *reserve;
	bool inline_commit;
	uint64_t max_ops, max_bytes;
	int64_t undo_ns;

	struct ops pending, refused; /* the loop thread's */

	pthread_mutex_t mu;
	pthread_cond_t work, read_work;
	struct ops next, finished;
	bool busy, stopping, broken, full;
	bool told_full; /* the loop thread's */
	struct job *jobs, **jobs_tail, *jobs_done, **jobs_done_tail;
	uint64_t last_n; /* ops of the last commit that were waited for */
	int64_t commit_ns; /* moving average */
	int64_t sought_ns; /* disk full: when we last looked for room */
	uint64_t unfinished, unfinished_bytes;
	struct store_info info; /* counters */

	struct sqldb *writer, *reader;
	pthread_t write_thread, read_thread;
	int efd;
	struct event *ev;
	struct event *lazy; /* commits lazy ops that had no company */
};

/* ---- lists ---- */

static void
ops_init(struct ops *l)
{
	l->head = NULL;
	l->tail = &l->head;
	l->n = l->bytes = l->lazy = l->soft = 0;
}

static void
ops_add(struct ops *l, struct store_op *op, uint64_t bytes)
{
	op->link = NULL;
	*l->tail = op;
	l->tail = &op->link;
	l->n++;
	l->bytes += bytes;
	l->lazy += (op->flags & STORE_LAZY) != 0;
	l->soft += (op->flags & STORE_SOFT) != 0;
}

/* Append all of `from` to `to`; `from` is empty afterwards. */
static void
ops_move(struct ops *to, struct ops *from)
{
	if (from->head == NULL)
		return;
	*to->tail = from->head;
	to->tail = from->tail;
	to->n += from->n;
	to->bytes += from->bytes;
	to->lazy += from->lazy;
	to->soft += from->soft;
	ops_init(from);
}

static uint64_t
op_bytes(const struct store_op *op)
{
	return op->kind == STORE_SEND
	    ? op->u.send.msg.payload.n + op->u.send.msg.origin.n + 128
	    : 64;
}

/* ---- the reserve ---- */

/* Claim the room that deleting may need on a full disk; false when there is
 * none left. */
static bool
reserve_take(struct store_sqlite *s)
{
	int fd =
	    open(s->reserve, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd == -1)
		return false;
	ok = posix_fallocate(fd, 0, RESERVE_BYTES) == 0;
	if (!ok && ftruncate(fd, 0) == -1)
		log_warn("store", "cannot empty %s", s->reserve);
	close(fd);
	return ok;
}

static void
reserve_give(struct store_sqlite *s)
{
	if (truncate(s->reserve, 0) == -1 && errno != ENOENT)
		log_warn("store", "cannot empty %s", s->reserve);
}

/* ---- writing ---- */

static bool
any_full(const struct store_op *op)
{
	for (; op != NULL; op = op->link)
		if (op->rc == STORE_FULL)
			return true;
	return false;
}

/* On a full disk, look now and then whether there is room again. */
static void
seek_room(struct store_sqlite *s, bool *full)
{
	int64_t now = clock_mono_ns();

	if (!*full || now - s->sought_ns < ROOM_NS)
		return;
	s->sought_ns = now;
	if (!reserve_take(s))
		return;
	*full = false;
	log_info("store", "%s: there is room again", s->path);
}

/* Commit a batch; false when the store must not be used any more.  Called with
 * `busy` set, without the lock. */
static bool
run_batch(struct store_sqlite *s, struct ops *batch, bool *full)
{
	int frames, done;
	enum sqldb_end end = sqldb_apply(
	    s->writer, batch->head, *full ? SQLDB_REPLIES : SQLDB_ANY);

	if (end == SQLDB_ROLLED_BACK && any_full(batch->head)) {
		if (!*full)
			log_error("store",
			    "%s: the disk is full: sends are"
			    " refused until there is room",
			    s->path);
		*full = true;
		s->sought_ns = clock_mono_ns();
		reserve_give(s);
		(void)sqldb_checkpoint(s->writer, true, &frames, &done);
		end = sqldb_apply(s->writer, batch->head, SQLDB_REPLIES);
		if (end == SQLDB_ROLLED_BACK && any_full(batch->head))
			end =
			    sqldb_apply(s->writer, batch->head, SQLDB_DELETES);
	}
	if (end == SQLDB_ROLLED_BACK)
		log_error("store", "%s: batch of %llu failed: %s", s->path,
		    (unsigned long long)batch->n, sqldb_errmsg(s->writer));
	return end != SQLDB_BROKEN;
}

/* Account for a finished batch; with the lock. */
static void
note_batch(struct store_sqlite *s, const struct ops *batch, int64_t ns, bool ok,
    bool full)
{
	s->commit_ns += (ns - s->commit_ns) / 4;
	s->info.commits++;
	s->info.commit_ops += batch->n;
	s->last_n = batch->n - batch->lazy;
	s->info.commit_ns += (uint64_t)ns;
	hist_add(&s->info.commit_time, ns);
	s->info.last_id = sqldb_last_id(s->writer);
	s->unfinished -= batch->n;
	s->unfinished_bytes -= batch->bytes;
	s->full = full;
	s->busy = false;
	if (!ok)
		s->broken = true;
}

/* Whoever waits for what is finished waits for this: it is tried until it is
 * done, or the counter is at its end, when the loop is awake. */
static void
wake_loop(struct store_sqlite *s)
{
	uint64_t one = 1;

	while (write(s->efd, &one, sizeof one) < 0 && errno != EAGAIN)
		continue;
}

/* A checkpoint from the writer, when nobody waits for it or it must be. */
static void
checkpoint(struct store_sqlite *s, bool truncate)
{
	int frames = 0, done = 0;

	if (!sqldb_checkpoint(s->writer, truncate, &frames, &done))
		return;
	pthread_mutex_lock(&s->mu);
	s->info.checkpoints++;
	pthread_mutex_unlock(&s->mu);
}

/* What a writer with nothing to do does; with the lock, which it lets go of.
 * Returns true when it did something that may have to go on. */
static bool
idle_work(struct store_sqlite *s, int64_t idle_ns)
{
	bool again = false, full = s->full;
	int64_t old = clock_wall_ns() - s->undo_ns;

	s->busy = true;
	pthread_mutex_unlock(&s->mu);
	seek_room(s, &full);
	if (sqldb_sweep_due(s->writer))
		again = sqldb_sweep(s->writer, SWEEP_ROWS) > 0;
	if (sqldb_answers_new(s->writer) > KEEP_ANSWERS)
		again |= sqldb_forget_answers(s->writer, KEEP_ANSWERS) > 0;
	if (sqldb_prune_due(s->writer, old))
		again |= sqldb_prune(s->writer, old) > 0;
	if (idle_ns > TRUNCATE_NS && sqldb_wal_frames(s->writer) > 0)
		checkpoint(s, true);
	else if (sqldb_wal_frames(s->writer) > WAL_SOFT_FRAMES &&
	    idle_ns < TRUNCATE_NS)
		checkpoint(s, false);
	pthread_mutex_lock(&s->mu);
	if (s->full != full || sqldb_broken(s->writer))
		wake_loop(s);
	s->full = full;
	s->busy = false;
	s->broken |= sqldb_broken(s->writer);
	return again;
}

/* Wait for work or for the next idle chore; with the lock. */
static void
writer_wait(struct store_sqlite *s, int64_t since, bool soon)
{
	int64_t idle = clock_mono_ns() - since;
	struct timespec ts;
	int64_t wait = soon || idle < IDLE_NS ? IDLE_NS
	    : s->full			      ? ROOM_NS
					      : TRUNCATE_NS + IDLE_NS;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	wait += ts.tv_nsec;
	ts.tv_sec += wait / NS_PER_SEC;
	ts.tv_nsec = wait % NS_PER_SEC;
	pthread_cond_timedwait(&s->work, &s->mu, &ts);
}

/* Take what has gathered and commit it; with the lock. */
static void
writer_turn(struct store_sqlite *s)
{
	struct ops batch;
	bool ok, full = s->full;
	int64_t t;

	ops_init(&batch);
	ops_move(&batch, &s->next);
	s->busy = true;
	pthread_mutex_unlock(&s->mu);
	if (sqldb_wal_frames(s->writer) > WAL_HARD_FRAMES)
		checkpoint(s, false);
	seek_room(s, &full);
	t = clock_mono_ns();
	ok = run_batch(s, &batch, &full);
	t = clock_mono_ns() - t;
	pthread_mutex_lock(&s->mu);
	note_batch(s, &batch, t, ok, full);
	ops_move(&s->finished, &batch);
	wake_loop(s);
}

static void *
write_main(void *arg)
{
	struct store_sqlite *s = arg;
	int64_t since = clock_mono_ns();
	bool soon = true;

	pthread_mutex_lock(&s->mu);
	for (;;) {
		if (s->next.head != NULL && !s->broken && !s->busy) {
			writer_turn(s);
			since = clock_mono_ns();
			soon = true;
		} else if (s->stopping && !s->busy) {
			break;
		} else {
			uint64_t before = s->info.commits;
			writer_wait(s, since, soon);
			if (s->info.commits != before)
				since = clock_mono_ns(); /* in place */
			soon = s->info.commits != before;
			if (s->next.head == NULL && !s->busy && !s->broken &&
			    !soon)
				soon = idle_work(s, clock_mono_ns() - since);
		}
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

/* ---- reading ---- */

static void *
read_main(void *arg)
{
	struct store_sqlite *s = arg;
	struct job *j;

	pthread_mutex_lock(&s->mu);
	for (;;) {
		while (s->jobs == NULL && !s->stopping)
			pthread_cond_wait(&s->read_work, &s->mu);
		if (s->jobs == NULL)
			break;
		j = s->jobs;
		s->jobs = j->next;
		if (s->jobs == NULL)
			s->jobs_tail = &s->jobs;
		pthread_mutex_unlock(&s->mu);
		if (job_run(j, s->reader) != STORE_OK)
			log_error("store", "%s: read failed: %s", s->path,
			    sqldb_errmsg(s->reader));
		pthread_mutex_lock(&s->mu);
		j->next = NULL;
		*s->jobs_done_tail = j;
		s->jobs_done_tail = &j->next;
		wake_loop(s);
	}
	pthread_mutex_unlock(&s->mu);
	return NULL;
}

/* Queue a read. */
static void
submit_read(struct store_sqlite *s, struct store_op *op)
{
	struct job *j = job_new(op);

	pthread_mutex_lock(&s->mu);
	*s->jobs_tail = j;
	s->jobs_tail = &j->next;
	pthread_cond_signal(&s->read_work);
	pthread_mutex_unlock(&s->mu);
}

/* ---- the loop thread's side ---- */

static void
call_done(struct ops *l)
{
	struct store_op *op, *next;

	for (op = l->head; op != NULL; op = next) {
		next = op->link;
		op->done(op); /* may free op and submit others */
	}
	ops_init(l);
}

static void
finish_jobs(struct job *j)
{
	struct job *next;

	for (; j != NULL; j = next) {
		next = j->next;
		job_finish(j);
	}
}

/* Tell, once, that the disk is full, or that it no longer is. */
static void
tell_full(struct store_sqlite *s, bool full)
{
	if (full == s->told_full || s->events == NULL)
		return;
	s->told_full = full;
	s->events->state(s->ctx, full ? STORE_DEGRADED : STORE_UP,
	    full ? "the disk is full" : "there is room");
}

/* Everything that the threads have finished. */
static void
complete(struct store_sqlite *s)
{
	struct ops finished;
	struct job *jobs;
	bool broken, full;

	ops_init(&finished);
	pthread_mutex_lock(&s->mu);
	ops_move(&finished, &s->finished);
	full = s->full;
	jobs = s->jobs_done;
	s->jobs_done = NULL;
	s->jobs_done_tail = &s->jobs_done;
	broken = s->broken;
	pthread_mutex_unlock(&s->mu);
	if (s->events != NULL)
		s->events->wake(s->ctx);
	tell_full(s, full);
	call_done(&finished);
	finish_jobs(jobs);
	if (broken && s->events != NULL)
		s->events->state(s->ctx, STORE_GONE, sqldb_errmsg(s->writer));
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof n) < 0 && errno != EAGAIN)
		log_warn("store", "eventfd: cannot read");
	complete(arg);
}

/* Is the chain beyond what may wait? (rule 9) */
static bool
over_limit(struct store_sqlite *s, uint64_t n, uint64_t bytes)
{
	bool over;

	pthread_mutex_lock(&s->mu);
	over = s->unfinished + n > s->max_ops ||
	    s->unfinished_bytes + bytes > s->max_bytes;
	if (!over) {
		s->unfinished += n;
		s->unfinished_bytes += bytes;
	}
	pthread_mutex_unlock(&s->mu);
	return over;
}

static void
sqlite_submit(struct store *base, struct store_op *chain)
{
	struct store_sqlite *s = (struct store_sqlite *)base;
	struct store_op *op, *next;
	struct ops l;
	bool over;

	if (!store_is_write(chain->kind)) {
		submit_read(s, chain);
		return;
	}
	ops_init(&l);
	for (op = chain; op != NULL; op = next) {
		next = op->flags & STORE_LINK ? op->link : NULL;
		if (op->kind == STORE_CREATE)
			op->u.create.created = false;
		ops_add(&l, op, op_bytes(op));
	}
	over = over_limit(s, l.n, l.bytes);
	if (over)
		for (op = l.head; op != NULL; op = op->link)
			op->rc = STORE_BUSY;
	ops_move(over ? &s->refused : &s->pending, &l);
}

/* Commit a lone chain here and now, when the disk is quick and nobody is using
 * the connection. */
static bool
try_inline(struct store_sqlite *s)
{
	struct ops batch;
	bool ok, full;
	int64_t t;

	if (!s->inline_commit || s->pending.n - s->pending.lazy > INLINE_MOST)
		return false;
	pthread_mutex_lock(&s->mu);
	if (s->busy || s->broken || s->full || s->next.head != NULL ||
	    s->finished.head != NULL || /* their done comes first (rule 1) */
	    s->commit_ns > INLINE_MAX_NS ||
	    sqldb_wal_frames(s->writer) > WAL_HARD_FRAMES) {
		pthread_mutex_unlock(&s->mu);
		return false;
	}
	s->busy = true;
	full = false;
	pthread_mutex_unlock(&s->mu);
	ops_init(&batch);
	ops_move(&batch, &s->pending);
	t = clock_mono_ns();
	ok = run_batch(s, &batch, &full);
	t = clock_mono_ns() - t;
	pthread_mutex_lock(&s->mu);
	note_batch(s, &batch, t, ok, full);
	s->info.inline_commits++;
	if (s->next.head != NULL || s->stopping)
		pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->mu);
	if (!ok || full)
		wake_loop(s); /* tell */
	call_done(&batch);
	return true;
}

/* Give what is pending to the writer thread. */
static void
hand_over(struct store_sqlite *s)
{
	pthread_mutex_lock(&s->mu);
	ops_move(&s->next, &s->pending);
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->mu);
}

static void
on_lazy(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	hand_over(arg);
}

/* Only lazy ops?  Then they may wait a little for a batch to go with. */
static bool
wait_for_company(struct store_sqlite *s)
{
	static const struct timeval tv = {0, LAZY_MS * 1000};

	if (s->pending.lazy < s->pending.n || s->pending.n > LAZY_MOST)
		return false;
	return event_pending(s->lazy, EV_TIMEOUT, NULL) ||
	    event_add(s->lazy, &tv) == 0;
}

/* A commit that starts now keeps those waiting who come right after: when the
 * loop is about to commit less than it did last time, the others are on their
 * way.  Only while the disk is quick and batches are small; else the writer
 * thread works, and what comes meanwhile gathers by itself. */
static int64_t
sqlite_gather_ns(struct store *base)
{
	struct store_sqlite *s = (struct store_sqlite *)base;
	uint64_t n = s->pending.n - s->pending.lazy;
	int64_t ns = 0;

	if (n == 0 || n >= INLINE_MOST || !s->inline_commit)
		return 0;
	pthread_mutex_lock(&s->mu);
	if (s->busy || s->next.head != NULL || s->finished.head != NULL ||
	    s->commit_ns > INLINE_MAX_NS)
		ns = 0;
	else if (s->pending.soft == n)
		ns = GATHER_SOFT_NS;
	else if (n < s->last_n && s->last_n <= INLINE_MOST)
		ns = GATHER_NS;
	pthread_mutex_unlock(&s->mu);
	return ns;
}

static void
sqlite_kick(struct store *base)
{
	struct store_sqlite *s = (struct store_sqlite *)base;
	struct ops refused;

	while (s->refused.head != NULL) {
		ops_init(&refused);
		ops_move(&refused, &s->refused);
		call_done(&refused);
	}
	if (s->pending.head == NULL || wait_for_company(s) || try_inline(s))
		return;
	hand_over(s);
}

static void
sqlite_info(const struct store *base, struct store_info *i)
{
	struct store_sqlite *s = (struct store_sqlite *)base;

	pthread_mutex_lock(&s->mu);
	*i = s->info;
	i->pending_ops = s->unfinished;
	i->pending_bytes = s->unfinished_bytes;
	pthread_mutex_unlock(&s->mu);
	i->durable = true;
	i->scheme = "sqlite";
	i->path = s->path;
}

/* ---- opening and closing ---- */

static void
release(struct store_sqlite *s)
{
	if (s->ev != NULL)
		event_free(s->ev);
	if (s->lazy != NULL)
		event_free(s->lazy);
	if (s->efd != -1)
		close(s->efd);
	sqldb_close(s->reader);
	sqldb_close(s->writer);
	pthread_cond_destroy(&s->work);
	pthread_cond_destroy(&s->read_work);
	pthread_mutex_destroy(&s->mu);
	free(s->path);
	free(s->reserve);
	free(s);
}

/* What done() of the last ones has submitted comes too late. */
static void
refuse_late(struct store_sqlite *s)
{
	struct store_op *op;
	struct job *j, *jobs;
	struct ops late;

	while (s->pending.head != NULL || s->refused.head != NULL ||
	    s->jobs != NULL) {
		ops_init(&late);
		ops_move(&late, &s->pending);
		ops_move(&late, &s->refused);
		jobs = s->jobs;
		s->jobs = NULL;
		s->jobs_tail = &s->jobs;
		for (op = late.head; op != NULL; op = op->link)
			op->rc = STORE_DOWN;
		for (j = jobs; j != NULL; j = j->next)
			j->op.rc = STORE_DOWN;
		call_done(&late);
		finish_jobs(jobs);
	}
}

/* Finish what was submitted, end the threads, empty the log. */
static void
sqlite_close(struct store *base, void (*closed)(void *), void *arg)
{
	struct store_sqlite *s = (struct store_sqlite *)base;
	struct store_op *op;
	int frames, done;

	sqlite_kick(base);
	hand_over(s);
	pthread_mutex_lock(&s->mu);
	s->stopping = true;
	pthread_cond_broadcast(&s->work);
	pthread_cond_broadcast(&s->read_work);
	pthread_mutex_unlock(&s->mu);
	pthread_join(s->write_thread, NULL);
	pthread_join(s->read_thread, NULL);
	for (op = s->next.head; op != NULL; op = op->link)
		op->rc = STORE_DOWN; /* left behind by a broken store */
	ops_move(&s->finished, &s->next);
	s->events = NULL;
	complete(s);
	refuse_late(s);
	if (!s->broken)
		(void)sqldb_checkpoint(s->writer, true, &frames, &done);
	release(s);
	closed(arg);
}

static void
init_sync(struct store_sqlite *s)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&s->mu, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&s->read_work, NULL);
	ops_init(&s->pending);
	ops_init(&s->refused);
	ops_init(&s->next);
	ops_init(&s->finished);
	s->jobs_tail = &s->jobs;
	s->jobs_done_tail = &s->jobs_done;
}

/* Open the connections; the files are made private. */
static int
open_files(struct store_sqlite *s, const struct store_config *c, struct err *e)
{
	mode_t old = umask(077);

	s->writer =
	    sqldb_open(s->path, SQLDB_WRITER, c->boot_id, c->wall_ns, e);
	if (s->writer != NULL)
		s->reader = sqldb_open(s->path, SQLDB_READER, NULL, 0, e);
	if (s->reader != NULL && !reserve_take(s)) {
		s->full = true;
		log_error("store",
		    "%s: no room for the reserve of %d MiB:"
		    " sends are refused until there is",
		    s->path, RESERVE_BYTES >> 20);
	}
	umask(old);
	return s->reader != NULL ? 0 : -1;
}

/* Start the threads, with all signals left to the loop thread. */
static int
start_threads(struct store_sqlite *s, struct err *e)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&s->write_thread, NULL, write_main, s);
	if (rc == 0) {
		rc = pthread_create(&s->read_thread, NULL, read_main, s);
		if (rc != 0) {
			pthread_mutex_lock(&s->mu);
			s->stopping = true;
			pthread_cond_broadcast(&s->work);
			pthread_mutex_unlock(&s->mu);
			pthread_join(s->write_thread, NULL);
		}
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return err_set(e, rc, "cannot start the store's threads: %s",
		    strerror(rc));
	return 0;
}

static struct store *
sqlite_open(const struct store_config *c, struct err *e)
{
	struct store_sqlite *s = xcalloc(1, sizeof *s);

	s->base.vt = &store_sqlite_vt;
	s->events = c->events;
	s->ctx = c->ctx;
	s->path = xstrdup(c->url + strlen("sqlite:"));
	s->reserve = xasprintf("%s.reserve", s->path);
	s->inline_commit = c->inline_commit;
	s->undo_ns = c->undo_ns;
	s->max_ops = c->max_ops ? c->max_ops : DEFAULT_OPS;
	s->max_bytes = c->max_bytes ? c->max_bytes : DEFAULT_BYTES;
	init_sync(s);
	s->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->efd == -1 ||
	    (s->ev = event_new(
		 c->base, s->efd, EV_READ | EV_PERSIST, on_event, s)) == NULL ||
	    event_add(s->ev, NULL) == -1 ||
	    (s->lazy = event_new(c->base, -1, 0, on_lazy, s)) == NULL) {
		err_errno(e, "cannot make an eventfd");
		goto fail;
	}
	if (open_files(s, c, e) == -1)
		goto fail;
	s->info.last_id = sqldb_last_id(s->writer);
	s->info.boot_first = sqldb_boot_first(s->writer);
	s->info.last_act = sqldb_last_act(s->writer);
	sqldb_set_undo(s->writer, c->undo_bytes);
	if (start_threads(s, e) == -1)
		goto fail;
	if (s->told_full != s->full)
		wake_loop(s); /* there was no room for the reserve */
	return &s->base;
fail:
	release(s);
	return NULL;
}

const struct store_vt store_sqlite_vt = {
    .scheme = "sqlite",
    .open = sqlite_open,
    .submit = sqlite_submit,
    .kick = sqlite_kick,
    .gather_ns = sqlite_gather_ns,
    .info = sqlite_info,
    .close = sqlite_close,
};
