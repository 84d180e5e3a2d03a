/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * A client whose system calls fail.  It does what clients do, and says what it
 * was told, a line for each:
 *
 *  sent N ID      send N was acknowledged, as message ID
 *  lost N         nobody knows whether it was
 *  refused N      it was not done, as often as it was tried
 *  got ID N       a poll has given this message, with the payload of send N
 *  acked ID       its acknowledgement was acknowledged
 *  called N       call N had the right answer, from a server of our own
 *  failed N CODE  it had none
 *
 *  client SOCKET
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xmsg.h"

#define TRIES 5 /* of what is known not to be done */
#define SENDS 8
#define CALLS 3
#define LIMIT 5000 /* ms */

static struct xmsg *x;

/* Is it certain that nothing was done? */
static int
undone(int rc)
{
	return rc != XMSG_OK && rc != XMSG_ELOST && rc != XMSG_ETIMEDOUT;
}

/* Bytes of a text. */
static struct xmsg_bytes
bytes(char *text)
{
	return (struct xmsg_bytes){text, strlen(text)};
}

/* One message. */
static void
send_one(int n)
{
	int rc = XMSG_ESYS;
	char text[6000];
	int64_t id = -1;

	/* every other one is larger than a packet */
	snprintf(text, sizeof text, "%d:%*s", n, n % 2 ? 5000 : 1, "x");
	for (int i = 0; i < TRIES && undone(rc); i++)
		rc = xmsg_send(x, "q", "nobody", bytes(text), &id);
	if (rc == XMSG_OK)
		printf("sent %d %" PRId64 "\n", n, id);
	else
		printf("%s %d\n", undone(rc) ? "refused" : "lost", n);
}

/* What there is; every other message is acknowledged. */
static void
take_all(void)
{
	const char *q = "q";
	struct xmsg_messages m = {.n = 0};
	int rc = XMSG_ESYS;

	for (int i = 0; i < TRIES && rc != XMSG_OK; i++)
		rc = xmsg_transfer(x, &q, 1, -1, 0, &m);
	if (rc != XMSG_OK)
		printf("failed transfer %d\n", rc);
	for (size_t i = 0; rc == XMSG_OK && i < m.n; i++) {
		printf(
		    "got %" PRId64 " %d\n", m.v[i].id, atoi(m.v[i].payload.p));
		if (i % 2 == 0 && xmsg_ack(x, "q", m.v[i].id) == XMSG_OK)
			printf("acked %" PRId64 "\n", m.v[i].id);
	}
	if (rc == XMSG_OK)
		xmsg_messages_free(&m);
}

/* The server: says the same. */
static void
echo(struct xmsg_request *r, const struct xmsg_message *m, void *arg)
{
	(void)arg;
	if (xmsg_reply(r, m->payload, NULL, NULL) != XMSG_OK)
		xmsg_leave(r);
}

/* A call to ourselves. */
static void
call_one(int n)
{
	struct xmsg_bytes got = {NULL, 0};
	char text[32];
	int rc;

	snprintf(text, sizeof text, "call %d", n);
	rc = xmsg_call(x, "echo", bytes(text), XMSG_CREATE, LIMIT, &got);
	if (rc == XMSG_OK && got.n == strlen(text) &&
	    memcmp(got.p, text, got.n) == 0)
		printf("called %d\n", n);
	else
		printf("failed %d %d\n", n, rc);
	xmsg_bytes_free(&got);
}

int
main(int argc, char **argv)
{
	struct xmsg_server *s = NULL;
	int rc = XMSG_ESYS;

	if (argc != 2)
		return 64;
	alarm(60); /* nothing here takes longer */
	for (int i = 0; i < TRIES && undone(rc); i++)
		rc = xmsg_open(&x, argv[1], "client");
	if (rc != XMSG_OK)
		return 71;
	xmsg_set_timeout(x, LIMIT);
	for (int i = 0; i < TRIES; i++)
		if (xmsg_create(x, "q", XMSG_PERSISTENT) == XMSG_OK)
			break;
	for (int i = 0; i < SENDS; i++)
		send_one(i);
	take_all();
	for (int i = 0; i < TRIES && s == NULL; i++)
		s = xmsg_serve_start(x, "echo", XMSG_CREATE, 0, echo, NULL);
	for (int i = 0; i < CALLS; i++)
		call_one(i);
	if (s != NULL)
		xmsg_serve_stop(s);
	rc = xmsg_flush(x, LIMIT);
	xmsg_close(x);
	return rc == XMSG_OK ? 0 : 75;
}
