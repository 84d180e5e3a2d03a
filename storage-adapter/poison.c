/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* One page, mapped shared: the message in hand, and those that have ended the
 * process, with how often. */
#include "poison.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "xalloc.h"

#define MAGIC 0x786d736770317331ull
#define MOST  12
#define CRASH (POISON_KILLS / POISON_CRASHES) /* in kills */

struct named {
	int64_t id;
	uint32_t count; /* 0: free; of `in_hand`: what the end counts */
	char queue[256];
};

struct page {
	uint64_t magic;
	struct named in_hand;
	struct named bad[MOST];
};

struct poison {
	struct page *page;
};

/* The row of a message, or NULL. */
static struct named *
find(const struct poison *p, const char *queue, int64_t id)
{
	for (int i = 0; i < MOST; i++) {
		struct named *b = &p->page->bad[i];

		if (b->count > 0 && b->id == id &&
		    strncmp(b->queue, queue, sizeof b->queue) == 0)
			return b;
	}
	return NULL;
}

/* A row to use: a free one, else the one with the lowest count. */
static struct named *
room(const struct poison *p)
{
	struct named *least = &p->page->bad[0];

	for (int i = 1; i < MOST; i++)
		if (p->page->bad[i].count < least->count)
			least = &p->page->bad[i];
	return least;
}

/* Whatever was in hand when the process before ended gets the blame. */
static void
blame(struct poison *p)
{
	struct named *h = &p->page->in_hand, *b;

	if (h->count == 0)
		return;
	h->queue[sizeof h->queue - 1] = '\0';
	b = find(p, h->queue, h->id);
	if (b == NULL) {
		b = room(p);
		*b = *h;
		b->count = 0;
	}
	b->count += h->count < CRASH ? 1 : CRASH;
	log_warn("poison", "%s:%lld was in hand when the adapter %s", b->queue,
	    (long long)b->id, h->count < CRASH ? "was killed" : "crashed");
	h->count = 0;
}

struct poison *
poison_open(const char *dir, struct err *e)
{
	char *path = xasprintf("%s/in_hand", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct poison *p = xcalloc(1, sizeof *p);

	p->page = MAP_FAILED;
	if (fd == -1 || ftruncate(fd, sizeof *p->page) == -1 ||
	    (errno = posix_fallocate(fd, 0, sizeof *p->page)) != 0 ||
	    (p->page = mmap(NULL, sizeof *p->page, PROT_READ | PROT_WRITE,
		 MAP_SHARED, fd, 0)) == MAP_FAILED)
		err_errno(e, "%s", path);
	if (fd != -1)
		close(fd);
	free(path);
	if (p->page == MAP_FAILED) {
		free(p);
		return NULL;
	}
	if (p->page->magic != MAGIC) {
		memset(p->page, 0, sizeof *p->page);
		p->page->magic = MAGIC;
	}
	for (int i = 0; i < MOST; i++)
		p->page->bad[i].queue[sizeof p->page->bad[i].queue - 1] = '\0';
	blame(p);
	return p;
}

void
poison_close(struct poison *p)
{
	if (p == NULL)
		return;
	munmap(p->page, sizeof *p->page);
	free(p);
}

void
poison_enter(struct poison *p, const char *queue, int64_t id)
{
	struct named *h = &p->page->in_hand;
	size_t n = strnlen(queue, sizeof h->queue - 1);

	memcpy(h->queue, queue, n);
	h->queue[n] = '\0';
	h->id = id;
	__atomic_store_n(&h->count, 1, __ATOMIC_RELEASE);
}

void
poison_leave(struct poison *p)
{
	__atomic_store_n(&p->page->in_hand.count, 0, __ATOMIC_RELEASE);
}

void
poison_crash(struct poison *p)
{
	if (p->page->in_hand.count > 0)
		p->page->in_hand.count = CRASH;
}

bool
poison_is(const struct poison *p, const char *queue, int64_t id)
{
	const struct named *b = find(p, queue, id);

	return b != NULL && b->count >= POISON_KILLS;
}

void
poison_forget(struct poison *p, const char *queue, int64_t id)
{
	struct named *b = find(p, queue, id);

	if (b != NULL)
		b->count = 0;
}
