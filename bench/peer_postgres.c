/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * PostgreSQL: one table of messages, taken with SKIP LOCKED, NOTIFY to wake who
 * waits.  One connection each, statements prepared once.
 *
 *   caller:  INSERT and NOTIFY in one statement; when notified, DELETE of the
 *            reply, returning it
 *   server:  when notified, and again until nothing is left: BEGIN and DELETE
 *            of up to --window requests, returning them; then INSERT and NOTIFY
 *            of each reply, and COMMIT.  Each half is one write (a pipeline).
 */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer.h"
#include "xalloc.h"

#define TABLE                                                                  \
	"DROP TABLE IF EXISTS msg;"                                            \
	"CREATE TABLE msg(id bigserial PRIMARY KEY, queue text NOT NULL,"      \
	" payload bytea NOT NULL);"                                            \
	"CREATE INDEX ON msg(queue, id)"
#define PUT                                                                    \
	"WITH i AS (INSERT INTO msg(queue, payload) VALUES($1, $2)"            \
	" RETURNING id) SELECT id, pg_notify($1, '') FROM i"
#define TAKE                                                                   \
	"DELETE FROM msg WHERE id IN (SELECT id FROM msg WHERE queue = $1"     \
	" ORDER BY id LIMIT $2::int FOR UPDATE SKIP LOCKED) RETURNING payload"

/* A connection.  What is on its way: */
enum doing {
	NOTHING,
	PUTTING, /* caller: its request */
	TAKING, /* replies, or requests: BEGIN and DELETE */
	ANSWERING, /* server: INSERTs and COMMIT */
};

struct pg {
	struct source src;
	struct rig *rig;
	PGconn *db;
	struct caller *caller; /* whose it is: one of the two */
	struct server *server;
	enum doing doing;
	bool waits_to_write;
	bool look; /* notified: something may be in the queue */
	int found; /* by TAKE */
};

static void server_answered(struct pg *c);
static void caller_next(struct pg *c);

/* Something failed; what libpq says. */
static void
failed(struct pg *c, const char *what)
{
	eng_fault(c->rig->eng, FAULT_STATUS, "postgres: %s: %.200s", what,
	    PQerrorMessage(c->db));
}

/* Send what libpq has buffered. */
static void
flush(struct pg *c)
{
	int left = PQflush(c->db);

	if (left < 0)
		failed(c, "flush");
	else if (c->waits_to_write != (left > 0)) {
		c->waits_to_write = left > 0;
		rig_watch(c->rig, PQsocket(c->db), &c->src, left > 0, false);
	}
}

/* A prepared statement with a queue, and a payload or a limit. */
static void
execute(struct pg *c, const char *name, const char *queue, struct str second)
{
	const char *values[2] = {queue, second.p};
	int lengths[2] = {0, (int)second.n};
	int formats[2] = {0, strcmp(name, "put") == 0};

	if (PQsendQueryPrepared(c->db, name, queue == NULL ? 0 : 2, values,
		lengths, formats, 1) != 1)
		failed(c, name);
}

/* The end of what goes in one write. */
static void
go(struct pg *c, enum doing doing)
{
	if (PQpipelineSync(c->db) != 1)
		failed(c, "sync");
	c->doing = doing;
	flush(c);
}

/* ---- servers ---- */

/* Take requests. */
static void
server_take(struct pg *c)
{
	char limit[16];

	snprintf(limit, sizeof limit, "%d", c->rig->o->window);
	c->look = false;
	c->found = 0;
	execute(c, "begin", NULL, STR(""));
	execute(c, "take", c->server->queue, str_of(limit));
	go(c, TAKING);
}

/* A request: its reply goes with the COMMIT. */
static void
server_request(struct pg *c, struct str payload)
{
	struct caller *to = rig_request(c->server, payload);

	if (to != NULL)
		execute(c, "put", to->inbox, payload);
	c->found++;
}

/* All that was taken is here: the second half. */
static void
server_taken(struct pg *c)
{
	execute(c, "commit", NULL, STR(""));
	go(c, ANSWERING);
}

/* Committed: look again if there may be more. */
static void
server_answered(struct pg *c)
{
	c->doing = NOTHING;
	if (c->found > 0 || c->look)
		server_take(c);
}

/* ---- callers ---- */

/* Publish, unless the connection is still taking a reply. */
static void
call(struct caller *c)
{
	struct pg *p = c->own;

	if (p->doing != NOTHING)
		return; /* caller_next does it */
	execute(p, "put", c->queue, c->payload);
	go(p, PUTTING);
}

/* What is to be done next. */
static void
caller_next(struct pg *p)
{
	struct caller *c = p->caller;

	p->doing = NOTHING;
	if (c->calling && !c->confirmed)
		call(c);
	else if (p->look && c->calling) {
		p->look = false;
		execute(p, "take", c->inbox, STR("1"));
		go(p, TAKING);
	}
}

/* ---- both ---- */

/* The end of a pipeline. */
static void
ended(struct pg *c)
{
	enum doing did = c->doing;

	if (c->server != NULL) {
		if (did == TAKING)
			server_taken(c);
		else
			server_answered(c);
		return;
	}
	if (did == PUTTING)
		rig_confirmed(c->caller);
	caller_next(c);
}

/* The rows of TAKE. */
static void
rows(struct pg *c, const PGresult *r)
{
	int i;

	for (i = 0; i < PQntuples(r); i++) {
		struct str payload = {
		    PQgetvalue(r, i, 0), (size_t)PQgetlength(r, i, 0)};

		if (c->server != NULL)
			server_request(c, payload);
		else
			rig_replied(c->caller, payload);
	}
}

/* One result. */
static void
result(struct pg *c, const PGresult *r)
{
	switch (PQresultStatus(r)) {
	case PGRES_TUPLES_OK:
		if (c->doing == TAKING)
			rows(c, r);
		break;
	case PGRES_COMMAND_OK: break;
	case PGRES_PIPELINE_SYNC: ended(c); break;
	default: failed(c, "result");
	}
}

/* Notifications: look, now or as soon as it can. */
static void
notified(struct pg *c)
{
	PGnotify *n;

	while ((n = PQnotifies(c->db)) != NULL) {
		c->look = true;
		PQfreemem(n);
	}
	if (!c->look || c->doing != NOTHING)
		return;
	if (c->server != NULL)
		server_take(c);
	else
		caller_next(c);
}

/* Something came. */
static void
ready(struct source *s, uint32_t events)
{
	struct pg *c = (struct pg *)s;
	int nothing = 0;
	PGresult *r;

	(void)events;
	if (c->waits_to_write)
		flush(c);
	if (PQconsumeInput(c->db) != 1) {
		failed(c, "read");
		return;
	}
	/* each statement ends with a NULL, so two of them are the end */
	while (c->doing != NOTHING && nothing < 2 && !PQisBusy(c->db) &&
	    !c->rig->eng->broken) {
		r = PQgetResult(c->db);
		if (r == NULL) {
			nothing++;
			continue;
		}
		nothing = 0;
		result(c, r);
		PQclear(r);
	}
	notified(c);
}

/* A command without parameters, waited for. */
static void
command(struct pg *c, const char *sql)
{
	PGresult *r = PQexec(c->db, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		failed(c, sql);
	PQclear(r);
}

/* Prepare a statement. */
static void
prepare_one(struct pg *c, const char *name, const char *sql)
{
	PGresult *r = PQprepare(c->db, name, sql, 0, NULL);

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		failed(c, name);
	PQclear(r);
}

/* Connect; --socket is the folder of the socket. */
static struct pg *
pg_open(struct rig *g)
{
	struct pg *c = xcalloc(1, sizeof *c);
	char where[300];

	c->src.ready = ready;
	c->rig = g;
	snprintf(where, sizeof where, "host=%s dbname=postgres user=postgres",
	    g->o->socket);
	c->db = PQconnectdb(where);
	if (PQstatus(c->db) != CONNECTION_OK)
		failed(c, "connect");
	return c;
}

/* Listen on a queue, and from now on nothing waits. */
static void
pg_begin(struct pg *c, const char *queue)
{
	char sql[100];

	snprintf(sql, sizeof sql, "LISTEN \"%s\"", queue);
	command(c, sql);
	prepare_one(c, "put", PUT);
	prepare_one(c, "take", TAKE);
	prepare_one(c, "begin", "BEGIN");
	prepare_one(c, "commit", "COMMIT");
	if (PQsetnonblocking(c->db, 1) != 0 || PQenterPipelineMode(c->db) != 1)
		failed(c, "pipeline mode");
	rig_watch(c->rig, PQsocket(c->db), &c->src, false, true);
}

static void
pg_close(struct pg *c)
{
	PQfinish(c->db);
	free(c);
}

/* The table. */
static void
prepare(struct rig *g)
{
	struct pg *c = pg_open(g);

	if (!g->eng->broken)
		command(c, TABLE);
	pg_close(c);
}

static void
server_open(struct server *s)
{
	struct pg *c = s->own = pg_open(s->rig);

	c->server = s;
	if (!s->rig->eng->broken)
		pg_begin(c, s->queue);
}

static void
server_close(struct server *s)
{
	pg_close(s->own);
}

static void
caller_open(struct caller *c)
{
	struct pg *p = c->own = pg_open(c->rig);

	p->caller = c;
	if (!c->rig->eng->broken)
		pg_begin(p, c->inbox);
}

static void
caller_close(struct caller *c)
{
	pg_close(c->own);
}

const struct peer peer_postgres = {
    .name = "postgres",
    .prepare = prepare,
    .caller_open = caller_open,
    .server_open = server_open,
    .call = call,
    .caller_close = caller_close,
    .server_close = server_close,
};
