/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* ring: what was put comes out, whatever happens to the writer, the header or
 * the bytes.  Every event here is a function of its number, so a reader can
 * tell a true one from a false one. */
#include "support/unit.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring.h"

#define SIZE  RING_MIN_SIZE
#define AREA  4096
#define NSTEP 6 /* events written under single steps */
#define KILLS 150 /* writers killed at random */

/* Small, fast, the same everywhere. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static uint64_t dice = 1;

/* 0 .. n-1. */
static uint64_t
roll(uint64_t n)
{
	return mix(dice++) % n;
}

/* The bytes all slices point into. */
static char filler[2048];

/* The event number seq. */
static struct ring_event
event(uint64_t seq)
{
	uint64_t a = mix(seq + 1), b = mix(a);

	for (size_t i = 0; filler[0] == 0 && i < sizeof filler; i++)
		filler[sizeof filler - 1 - i] = (char)('!' + i % 90);
	return (struct ring_event){
	    .seq = seq,
	    .wall_ns = (int64_t)(a >> 1),
	    .type = (enum ring_type)(1 + a % (RING_NTYPES - 1)),
	    .id = (int64_t)b,
	    .re_id = -(int64_t)(b >> 3),
	    .dur_ns = seq % 3 ? (int64_t)(b % 1000) : -1,
	    .size = (uint32_t)a,
	    .pid = (uint32_t)b,
	    .client = {filler + a % 700, a >> 8 & 31},
	    .queue = {filler + b % 700, b >> 8 & 63},
	    .peer = {filler + a % 500, seq % 5 ? 0 : b >> 16 & 255},
	    .text = {filler + b % 900, seq % 2 ? 0 : a >> 20 & 511},
	};
}

/* The fields are the same. */
static bool
same(const struct ring_event *a, const struct ring_event *b)
{
	return a->seq == b->seq && a->wall_ns == b->wall_ns &&
	    a->type == b->type && a->id == b->id && a->re_id == b->re_id &&
	    a->dur_ns == b->dur_ns && a->size == b->size && a->pid == b->pid &&
	    str_eq(a->client, b->client) && str_eq(a->queue, b->queue) &&
	    str_eq(a->peer, b->peer) && str_eq(a->text, b->text);
}

/* Put event number ring_next. */
static void
put_next(struct ring *r)
{
	uint64_t seq = ring_next(r);
	struct ring_event e = event(seq);

	if (ring_put(r, &e) != seq)
		abort();
}

/* Read everything from the start: all true, in order.  Returns how many;
 * *first and *gaps tell where it began and what was missing in between. */
static uint64_t
read_all(const struct ring *r, uint64_t *first, uint64_t *gaps)
{
	struct ring_cursor c = ring_seek(r, 0);
	struct ring_event e, want;
	uint64_t n = 0, last = 0;

	*first = *gaps = 0;
	while (ring_read(r, &c, &e)) {
		want = event(e.seq);
		if (!same(&e, &want))
			fail_msg(
			    "event %llu is false", (unsigned long long)e.seq);
		if (n++ == 0)
			*first = e.seq;
		else if (e.seq <= last)
			fail_msg("order");
		else
			*gaps += e.seq - last - 1;
		last = e.seq;
	}
	return n;
}

/* Everything from first to next is there. */
static void
check_whole(const struct ring *r)
{
	uint64_t first, gaps, n = read_all(r, &first, &gaps);

	assert_int_equal(gaps, 0);
	assert_int_equal(n, ring_next(r) - ring_first(r));
	if (n > 0)
		assert_int_equal(first, ring_first(r));
}

/* Fresh memory, full of junk. */
static void *
new_mem(size_t size)
{
	unsigned char *p = aligned_alloc(8, size);

	assert_non_null(p);
	for (size_t i = 0; i < size; i++)
		p[i] = (unsigned char)mix(i);
	return p;
}

/* A ring with n events. */
static struct ring
new_ring(uint64_t first_seq, uint64_t n)
{
	struct ring r;

	ring_format(&r, new_mem(SIZE), SIZE, first_seq);
	while (n-- > 0)
		put_next(&r);
	return r;
}

/* Every type has a name, others are unknown. */
static void
ring_types_have_names(void **state)
{
	(void)state;
	assert_string_equal(ring_type_name(RING_START), "start");
	assert_string_equal(ring_type_name(RING_REFUSE), "refuse");
	for (int t = 1; t < RING_NTYPES; t++)
		for (int u = 0; u < t; u++)
			assert_string_not_equal(
			    ring_type_name((enum ring_type)t),
			    ring_type_name((enum ring_type)u));
	assert_string_equal(ring_type_name((enum ring_type)0), "unknown");
	assert_string_equal(ring_type_name(RING_NTYPES), "unknown");
	assert_string_equal(ring_type_name((enum ring_type) - 1), "unknown");
}

/* Empty: no event, and the number to begin with. */
static void
ring_starts_empty(void **state)
{
	struct ring r = new_ring(42, 0), a;
	struct ring_cursor c = ring_seek(&r, 0);
	struct ring_event e;

	(void)state;
	assert_int_equal(ring_first(&r), 42);
	assert_int_equal(ring_next(&r), 42);
	assert_false(ring_read(&r, &c, &e));
	assert_true(ring_attach(&a, r.mem, SIZE));
	assert_false(a.recovered);
	assert_int_equal(ring_first(&a), 42);
	assert_int_equal(ring_next(&a), 42);
	put_next(&r);
	assert_true(ring_read(&r, &c, &e)); /* the cursor goes on */
	assert_int_equal(e.seq, 42);
	assert_int_equal(ring_first(&r), 42);
	assert_int_equal(ring_next(&r), 43);
	free(r.mem);
}

/* Every field at its limits comes back. */
static void
ring_keeps_every_field(void **state)
{
	struct ring r = new_ring(0, 0);
	struct ring_cursor c = ring_seek(&r, 0);
	struct ring_event got;
	char name[RING_MAX_NAME], text[RING_MAX_PAYLOAD];
	struct ring_event e[] = {
	    {.type = RING_STOP},
	    {0, INT64_MIN, RING_REPLY, INT64_MIN, INT64_MAX, -1, UINT32_MAX,
		UINT32_MAX, {name, sizeof name}, {name, sizeof name},
		{name, sizeof name}, {text, sizeof text}},
	    {0, INT64_MAX, RING_ACK, -1, 0, INT64_MAX, 0, 1, STR("c"),
		STR("a\0b"), STR(""), STR("\xff\n")},
	};

	(void)state;
	memset(name, 'n', sizeof name);
	memset(text, 0xee, sizeof text);
	for (size_t i = 0; i < 3; i++)
		e[i].seq = ring_put(&r, &e[i]);
	for (size_t i = 0; i < 3; i++) {
		assert_true(ring_read(&r, &c, &got));
		assert_int_equal(got.seq, i);
		assert_true(same(&got, &e[i]));
	}
	assert_false(ring_read(&r, &c, &got));
	free(r.mem);
}

/* What is too long is cut, and not within a character. */
static void
ring_cuts_long_names(void **state)
{
	struct ring r = new_ring(0, 0);
	struct ring_cursor c = ring_seek(&r, 0);
	char big[1000];
	struct ring_event e = {.type = RING_PUBLISH,
	    .client = {big, 1000},
	    .queue = {big, 256},
	    .peer = {big, 255},
	    .text = {big, 1000}};

	(void)state;
	memset(big, 'a', sizeof big);
	ring_put(&r, &e);
	memcpy(big + 254, "\xe2\x80\xa6", 3);
	memcpy(big + 509, "\xf0\x9f\x98\x80", 4);
	ring_put(&r, &e);
	memset(big, 0x80, sizeof big); /* no character at all */
	ring_put(&r, &e);
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.client.n, 255);
	assert_int_equal(e.queue.n, 255);
	assert_int_equal(e.peer.n, 255);
	assert_int_equal(e.text.n, 512);
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.client.n, 254);
	assert_int_equal(e.queue.n, 254);
	assert_int_equal(e.text.n, 509);
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.text.n, 509);
	free(r.mem);
}

/* Against a model: what was put last is there, and reading from any number
 * starts with it. */
static void
ring_wraps_like_the_model(void **state)
{
	struct ring r, a;
	uint64_t n = 0;

	(void)state;
	for (size_t size = SIZE; size < SIZE + 64; size += 8) {
		ring_format(&r, new_mem(size), size, n);
		for (int i = 0; i < 3000; i++) {
			put_next(&r);
			n++;
			if (i % 97 == 0) {
				check_whole(&r);
				assert_true(ring_attach(&a, r.mem, size));
				assert_false(a.recovered);
				check_whole(&a);
				assert_int_equal(ring_next(&a), n);
			}
		}
		/* 64 K hold some hundred events of 220 bytes on average */
		assert_in_range(n - ring_first(&r), 150, 500);
		free(r.mem);
	}
}

/* The largest events and the smallest, many times around. */
static void
ring_wraps_with_extreme_sizes(void **state)
{
	struct ring r = new_ring(0, 0);
	char big[RING_MAX_PAYLOAD];
	struct ring_event e = {.type = RING_HOLD}, got;
	struct ring_cursor c;

	(void)state;
	memset(big, 'b', sizeof big);
	for (uint64_t i = 0; i < 5000; i++) {
		size_t n = i % 3 ? roll(2) * 8 : RING_MAX_NAME;
		e.client = e.queue = e.peer = (struct str){big, n};
		e.text = (struct str){big, i % 3 ? n : RING_MAX_PAYLOAD};
		e.id = (int64_t)i;
		assert_int_equal(ring_put(&r, &e), i);
		c = ring_seek(&r, i);
		assert_true(ring_read(&r, &c, &got));
		assert_int_equal(got.id, i);
		assert_true(str_eq(got.text, e.text));
		c = ring_seek(&r, 0);
		assert_true(ring_read(&r, &c, &got));
		assert_int_equal(got.seq, ring_first(&r));
	}
	free(r.mem);
}

/* Seek finds the first event with that number or a higher one. */
static void
ring_seeks(void **state)
{
	struct ring r = new_ring(1000, 2500);
	uint64_t first = ring_first(&r), next = ring_next(&r);
	struct ring_cursor c;
	struct ring_event e;

	(void)state;
	assert_true(first > 1000);
	for (uint64_t seq = first; seq < next; seq++) {
		c = ring_seek(&r, seq);
		assert_true(ring_read(&r, &c, &e));
		assert_int_equal(e.seq, seq);
	}
	c = ring_seek(&r, first - 1);
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.seq, first);
	c = ring_seek(&r, next + 1);
	assert_false(ring_read(&r, &c, &e));
	put_next(&r);
	assert_false(ring_read(&r, &c, &e)); /* one below what was asked */
	put_next(&r);
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.seq, next + 1);
	free(r.mem);
}

/* A reader that is lapped goes on with the oldest there is. */
static void
ring_lapped_reader_goes_on(void **state)
{
	struct ring r = new_ring(0, 100);
	struct ring_cursor c = ring_seek(&r, 50);
	struct ring_event e, want;

	(void)state;
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.seq, 50);
	for (int i = 0; i < 5000; i++)
		put_next(&r);
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.seq, ring_first(&r));
	want = event(e.seq);
	assert_true(same(&e, &want));
	/* a cursor from elsewhere is harmless */
	c = (struct ring_cursor){3, UINT64_MAX};
	assert_true(ring_read(&r, &c, &e));
	c = (struct ring_cursor){5000, 12345};
	assert_true(ring_read(&r, &c, &e));
	assert_int_equal(e.seq, 5000);
	free(r.mem);
}

/* What is not a ring of this size is refused. */
static void
ring_attach_refuses(void **state)
{
	struct ring r = new_ring(0, 10), a;
	unsigned char *copy = new_mem(2 * SIZE);

	(void)state;
	assert_false(ring_attach(&a, copy, SIZE)); /* junk */
	memset(copy, 0, 2 * SIZE);
	assert_false(ring_attach(&a, copy, SIZE)); /* a new file */
	memcpy(copy, r.mem, SIZE);
	assert_true(ring_attach(&a, copy, SIZE));
	assert_false(ring_attach(&a, copy, 2 * SIZE));
	assert_false(ring_attach(&a, copy, SIZE - 8));
	assert_false(ring_attach(&a, copy, SIZE / 2));
	assert_false(ring_attach(&a, copy, 0));
	for (size_t i = 0; i < 24; i++) { /* magic, version, size */
		copy[i] ^= 1;
		assert_false(ring_attach(&a, copy, SIZE));
		copy[i] ^= 1;
	}
	free(copy);
	free(r.mem);
}

/* The events survive the writer's end; numbers go on. */
static void
ring_attach_goes_on(void **state)
{
	struct ring r = new_ring(7, 0), a;

	(void)state;
	for (int i = 0; i < 200; i++) {
		for (uint64_t k = roll(20); k > 0; k--)
			put_next(&r);
		assert_true(ring_attach(&a, r.mem, SIZE));
		assert_int_equal(ring_next(&a), ring_next(&r));
		check_whole(&a);
		r = a;
	}
	free(r.mem);
}

/* ---- a writer that dies ---- */

/* What writer and test share: the ring behind it. */
struct shared {
	uint64_t done; /* number of the last event ring_put returned from */
	uint64_t stop;
};

/* Map both. */
static struct shared *
share(struct ring *r)
{
	struct shared *s = mmap(NULL, 4096 + SIZE, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(s, MAP_FAILED);
	ring_format(r, (char *)s + 4096, SIZE, 1);
	return s;
}

/* Write for ever. */
static void
write_on(struct shared *s, struct ring *r)
{
	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		put_next(r);
		__atomic_store_n(&s->done, ring_next(r) - 1, __ATOMIC_RELEASE);
	}
	_exit(0);
}

/* What a survivor finds: all that was reported done, nothing torn. */
static void
check_survivor(const struct shared *s, struct ring *a)
{
	uint64_t done = __atomic_load_n(&s->done, __ATOMIC_ACQUIRE);

	assert_true(ring_attach(a, (char *)(uintptr_t)s + 4096, SIZE));
	assert_false(a->recovered);
	check_whole(a);
	assert_in_range(ring_next(a), done + 1, done + 2);
}

/* Killed at a random moment, the next one takes up. */
static void
ring_survives_kill(void **state)
{
	struct ring r;
	struct shared *s = share(&r);
	uint64_t want, spin;
	int status;
	pid_t pid;

	(void)state;
	for (int i = 0; i < KILLS; i++) {
		want = s->done + roll(400);
		spin = roll(3000);
		pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			write_on(s, &r);
		while (__atomic_load_n(&s->done, __ATOMIC_ACQUIRE) < want)
			sched_yield();
		for (volatile uint64_t k = 0; k < spin; k++)
			continue;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		check_survivor(s, &r);
	}
	assert_true(s->done > 2000); /* it went around several times */
	munmap(s, 4096 + SIZE);
}

/* Under valgrind a single step is one of valgrind's own instructions. */
static bool
under_valgrind(void)
{
	const char *p = getenv("LD_PRELOAD");

	return p != NULL && strstr(p, "vgpreload") != NULL;
}

/* The traced child: stops, then writes. */
static void
step_child(struct shared *s, struct ring *r)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
		_exit(9);
	raise(SIGSTOP);
	write_on(s, r);
}

/* Run the child instruction by instruction until it has put n more events;
 * after each, look as if it had been killed there.  -1: not allowed here. */
static long
step_through(struct shared *s, struct ring *r, uint64_t n)
{
	uint64_t until = s->done + n;
	struct ring a;
	int status;
	long steps = 0;
	pid_t pid = fork();

	if (pid == 0)
		step_child(s, r);
	if (waitpid(pid, &status, 0) != pid || WIFEXITED(status))
		return -1;
	while (s->done < until) {
		if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1 ||
		    waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			fail_msg("the writer ended: %d", status);
		steps++;
		check_survivor(s, &a);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return steps;
}

/* Killed after any instruction at all: in an empty ring, in a filling one,
 * while old events make room, and across the end of the area. */
static void
ring_survives_kill_anywhere(void **state)
{
	struct ring r;
	struct shared *s;
	long steps = 0, got;

	(void)state;
	if (under_valgrind())
		skip();
	s = share(&r);
	for (uint64_t phase = 0; phase < 3; phase++) {
		got = step_through(s, &r, NSTEP);
		if (got == -1) {
			munmap(s, 4096 + SIZE);
			skip(); /* no ptrace in this place */
		}
		steps += got;
		/* bring the end of the area near */
		do {
			put_next(&r);
			s->done = ring_next(&r) - 1;
		} while ((((uint64_t *)(void *)r.mem)[9]) % (SIZE - AREA) <
		    SIZE - AREA - 700);
	}
	print_message("# %ld instructions\n", steps);
	assert_true(steps > 3 * NSTEP * 50);
	munmap(s, 4096 + SIZE);
}

/* A reader in another process, on a read-only mapping, while it is written. */
static void
ring_foreign_reader_sees_truth(void **state)
{
	struct ring w, r;
	struct shared *s = share(&w);
	struct ring_cursor c = {0, 0};
	struct ring_event e, want;
	struct ring_copy copy;
	uint64_t n = 0, last = 0;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		write_on(s, &w);
	assert_int_equal(mprotect((char *)s + 4096, SIZE, PROT_READ), 0);
	while (n < 20000) {
		if (n % 512 == 0) {
			assert_true(ring_attach(&r, (char *)s + 4096, SIZE));
			assert_false(r.recovered);
			assert_true(ring_first(&r) <= ring_next(&r));
			c = ring_seek(&r, c.seq);
		}
		if (!ring_read_copy(&r, &c, &e, &copy)) {
			sched_yield();
			continue;
		}
		want = event(e.seq);
		assert_true(same(&e, &want));
		assert_true(n == 0 || e.seq > last);
		last = e.seq;
		n++;
	}
	__atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	munmap(s, 4096 + SIZE);
}

/* ---- damage ---- */

/* How many events of `was` a look at the damaged memory still finds; -1 when
 * it is not taken for a ring. */
static int64_t
salvage(unsigned char *mem)
{
	uint64_t first, gaps, n, copied = 0;
	struct ring_cursor c = {0, 0};
	struct ring_copy *copy;
	struct ring_event e;
	struct ring a;

	if (!ring_attach(&a, mem, SIZE))
		return -1;
	(void)ring_first(&a);
	n = read_all(&a, &first, &gaps);
	copy = malloc(sizeof *copy); /* so that tools see an overrun */
	assert_non_null(copy);
	for (; ring_read_copy(&a, &c, &e, copy); copied++)
		assert_in_range((uintptr_t)e.text.p, (uintptr_t)copy,
		    (uintptr_t)(copy + 1));
	free(copy);
	assert_int_equal(copied, n);
	return (int64_t)n;
}

/* Whatever single byte is wrong: no false event, one missing at most, and
 * writing goes on. */
static void
flip_each(uint64_t events)
{
	struct ring r = new_ring(0, events), a;
	int64_t n = salvage(r.mem), got;
	unsigned char *copy = new_mem(SIZE);
	size_t step = under_valgrind() ? 61 : 1;

	for (size_t i = 0; i < SIZE; i += i < 96 ? 1 : step) {
		unsigned char x = (unsigned char)(1 + roll(255));
		if (i >= 96 && i < AREA)
			i = AREA;
		r.mem[i] ^= x;
		got = salvage(r.mem);
		if (i < 24)
			assert_int_equal(got, -1);
		else if (i < 64) /* not used */
			assert_int_equal(got, n);
		else if (i < 72) /* head may land on another event */
			assert_true(got > 0);
		else
			assert_in_range(got, n - 1, n);
		if (i % 32 == 0 && got >= 0) {
			memcpy(copy, r.mem, SIZE);
			assert_true(ring_attach(&a, copy, SIZE));
			for (int k = 0; k < 50; k++)
				put_next(&a);
			assert_true(salvage(copy) >= 50);
			assert_true(ring_attach(&a, copy, SIZE));
		}
		r.mem[i] ^= x;
	}
	assert_int_equal(salvage(r.mem), n);
	free(copy);
	free(r.mem);
}

/* In a ring that has not wrapped. */
static void
ring_any_byte_flipped(void **state)
{
	(void)state;
	flip_each(30);
}

/* In one that has. */
static void
ring_any_byte_flipped_wrapped(void **state)
{
	(void)state;
	flip_each(1000);
}

/* head and tail gone: the search finds everything. */
static void
ring_recovers_without_header(void **state)
{
	static const uint64_t wrong[] = {
	    0, 8, 4, 1, 1000, UINT64_MAX, 1ULL << 40, (1ULL << 62) + 8};
	(void)state;
	for (uint64_t n = 1; n < 2000; n = n * 3 + 1) {
		for (size_t k = 0; k < 64; k++) {
			struct ring r = new_ring(5, n), a;
			uint64_t *h = (uint64_t *)(void *)r.mem;
			uint64_t first = ring_first(&r), gaps, f;
			h[8] = wrong[k % 8];
			h[9] = wrong[k / 8];
			assert_true(ring_attach(&a, r.mem, SIZE));
			if (h[8] == h[9] && h[9] < 1ULL << 62 &&
			    h[9] % 8 == 0) {
				/* looks empty, and numbers go on */
				assert_int_equal(ring_next(&a), n + 5);
				free(r.mem);
				continue;
			}
			assert_int_equal(ring_next(&a), n + 5);
			read_all(&a, &f, &gaps);
			assert_int_equal(gaps, 0);
			assert_int_equal(f, first);
			put_next(&a);
			assert_false(a.recovered);
			assert_true(ring_attach(&a, r.mem, SIZE));
			assert_int_equal(ring_next(&a), n + 6);
			check_whole(&a);
			free(r.mem);
		}
	}
}

/* A tail that is an older one, as after power loss: the newest are found. */
static void
ring_finds_what_the_tail_missed(void **state)
{
	struct ring r = new_ring(0, 400), a;
	uint64_t *h = (uint64_t *)(void *)r.mem, tail = h[9];

	(void)state;
	put_next(&r);
	put_next(&r);
	h[9] = tail;
	assert_true(ring_attach(&a, r.mem, SIZE));
	assert_int_equal(ring_next(&a), 402);
	h[9] += 8;
	assert_true(ring_attach(&a, r.mem, SIZE));
	assert_int_equal(ring_next(&a), 402);
	free(r.mem);
}

/* A payload that looks like an event is not taken for one when the event
 * around it is damaged, nor is an event that was moved. */
static void
ring_believes_no_forgery(void **state)
{
	struct ring r = new_ring(0, 0);
	char *first = (char *)r.mem + AREA;
	struct ring_event e = {.type = RING_CANCEL, .queue = STR("victim")},
			  got;
	struct ring_cursor c;
	char inner[88];

	(void)state;
	ring_put(&r, &e);
	memcpy(inner, first, sizeof inner); /* an event, whole */
	e = (struct ring_event){.type = RING_PUBLISH, .text = {inner, 88}};
	ring_put(&r, &e);
	first[88] ^= 1;
	c = ring_seek(&r, 0);
	assert_true(ring_read(&r, &c, &got));
	assert_int_equal(got.seq, 0);
	c.seq = 0; /* even if the number would do */
	assert_false(ring_read(&r, &c, &got));
	free(r.mem);
}

/* Power loss: some pages are from before, some from after. */
static void
ring_survives_mixed_pages(void **state)
{
	unsigned char *old = new_mem(SIZE);

	(void)state;
	for (int i = 0; i < 300; i++) {
		struct ring r = new_ring(0, roll(900)), a;
		uint64_t n, first, gaps;
		memcpy(old, r.mem, SIZE);
		for (n = roll(400); n > 0; n--)
			put_next(&r);
		for (size_t p = 0; p < SIZE; p += 4096)
			if (roll(2))
				memcpy(r.mem + p, old + p, 4096);
		assert_true(ring_attach(&a, r.mem, SIZE));
		read_all(&a, &first, &gaps); /* no false ones, in order */
		n = ring_next(&a);
		put_next(&a);
		assert_int_equal(ring_next(&a), n + 1);
		for (int k = 0; k < 1500; k++)
			put_next(&a);
		assert_true(ring_attach(&a, r.mem, SIZE));
		assert_false(a.recovered);
		check_whole(&a); /* once around and all is well */
		free(r.mem);
	}
	free(old);
}

/* Many bytes wrong at once, also junk all over: no crash, nothing false. */
static void
ring_survives_junk(void **state)
{
	struct ring r = new_ring(0, 700), a;
	unsigned char *m = new_mem(SIZE);

	(void)state;
	for (int i = 0; i < 400; i++) {
		memcpy(m, r.mem, SIZE);
		for (uint64_t k = roll(1 << roll(12)); k > 0; k--)
			m[24 + roll(SIZE - 24)] = (unsigned char)roll(256);
		assert_true(salvage(m) >= 0);
		assert_true(ring_attach(&a, m, SIZE));
		for (int k = 0; k < 30; k++)
			put_next(&a);
		assert_true(salvage(m) >= 30);
	}
	memset(m + 24, 0xff, SIZE - 24);
	assert_int_equal(salvage(m), 0);
	memcpy(m, r.mem, 4096);
	memset(m + 4096, 0xff, SIZE - 4096);
	assert_int_equal(salvage(m), 0);
	free(m);
	free(r.mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ring_types_have_names),
	    cmocka_unit_test(ring_starts_empty),
	    cmocka_unit_test(ring_keeps_every_field),
	    cmocka_unit_test(ring_cuts_long_names),
	    cmocka_unit_test(ring_wraps_like_the_model),
	    cmocka_unit_test(ring_wraps_with_extreme_sizes),
	    cmocka_unit_test(ring_seeks),
	    cmocka_unit_test(ring_lapped_reader_goes_on),
	    cmocka_unit_test(ring_attach_refuses),
	    cmocka_unit_test(ring_attach_goes_on),
	    cmocka_unit_test(ring_survives_kill),
	    cmocka_unit_test(ring_survives_kill_anywhere),
	    cmocka_unit_test(ring_foreign_reader_sees_truth),
	    cmocka_unit_test(ring_any_byte_flipped),
	    cmocka_unit_test(ring_any_byte_flipped_wrapped),
	    cmocka_unit_test(ring_recovers_without_header),
	    cmocka_unit_test(ring_finds_what_the_tail_missed),
	    cmocka_unit_test(ring_believes_no_forgery),
	    cmocka_unit_test(ring_survives_mixed_pages),
	    cmocka_unit_test(ring_survives_junk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
