/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* scripts: the calls that the storage adapter works on, and ending some. */
#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapter.h"
#include "ask.h"
#include "cmd.h"
#include "msgs.h"
#include "text.h"
#include "units.h"

static const struct opt opts[] = {
    {"yes", 'y', OPT_FLAG, NULL, "kill without a question", NULL},
    {"dry-run", 0, OPT_FLAG, NULL, "kill: only say what would be done", NULL},
    {"reason", 'r', OPT_TEXT, "TEXT", "kill: what the caller is told", NULL},
    ADAPTER_OPT,
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL},
};

enum {
	S_REF,
	S_METHOD,
	S_SR,
	S_STATE,
	S_ELAPSED,
	S_PID,
	S_CPU,
	S_RSS,
	S_SCRIPT,
	S_QUEUE,
	S_ID,
	S_PROCESS,
	S_DBG,
	S_REPEATED,
	S_CANCELLED,
	S_COLUMNS
};

static const struct col cols[S_COLUMNS] = {
    [S_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the call"},
    [S_METHOD] = {"method", "METHOD", COL_TEXT, false, "of the call"},
    [S_SR] = {"sr", "SR", COL_TEXT, false, "storage repository"},
    [S_STATE] = {"state", "STATE", COL_TEXT, false,
	"waiting, running or replying"},
    [S_ELAPSED] = {"elapsed_s", "ELAPSED", COL_AGE, false,
	"since the adapter took the call"},
    [S_PID] = {"pid", "PID", COL_INT, false, "process of the script"},
    [S_CPU] = {"cpu_s", "CPU", COL_TOOK, false, "processor time so far"},
    [S_RSS] = {"rss", "MEMORY", COL_SIZE, false, "memory in use"},
    [S_SCRIPT] = {"script", "SCRIPT", COL_TEXT, false, "path"},
    [S_QUEUE] = {"queue", "QUEUE", COL_TEXT, true, "queue of the call"},
    [S_ID] = {"id", "NUMBER", COL_INT, true, "number of the call"},
    [S_PROCESS] = {"process_state", "PROCESS", COL_TEXT, true,
	"letter of its state in /proc"},
    [S_DBG] = {"dbg", "DBG", COL_TEXT, true, "the caller's own mark"},
    [S_REPEATED] = {"repeated", "REPEATED", COL_BOOL, true,
	"taken up again after a restart"},
    [S_CANCELLED] = {"cancelled", "CANCELLED", COL_BOOL, true, "being ended"},
};

/* ---- the list ---- */

/* What /proc tells of a process.  False when it is gone or hidden. */
static bool
look_at(int64_t pid, char *state, double *cpu_s, int64_t *rss)
{
	unsigned long long t[4], pages;
	char path[64], line[1024], *p;
	FILE *f;
	bool got;

	snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	got = fgets(line, sizeof line, f) != NULL;
	fclose(f);
	p = got ? strrchr(line, ')') : NULL; /* a name may hold anything */
	if (p == NULL ||
	    sscanf(p + 1,
		" %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu"
		" %llu %*d %*d %*d %*d %*u %*u %llu",
		state, &t[0], &t[1], &t[2], &t[3], &pages) != 6)
		return false;
	*cpu_s =
	    (double)(t[0] + t[1] + t[2] + t[3]) / (double)sysconf(_SC_CLK_TCK);
	*rss = (int64_t)pages * sysconf(_SC_PAGESIZE);
	return true;
}

static void
add(struct cli *c, json_t *s)
{
	int64_t pid = ask_int(s, "pid", 0), rss;
	bool waits = str_eq(ask_str(s, "state"), STR("waiting"));
	char state;
	double cpu;

	json_object_set(s, "elapsed_s", json_object_get(s, "elapsed"));
	if (pid == 0)
		json_object_del(s, "pid");
	adapter_row(c, cols, S_COLUMNS, s);
	if (pid > 0 && look_at(pid, &state, &cpu, &rss)) {
		out_real(&c->out, S_CPU, cpu);
		out_int(&c->out, S_RSS, rss);
		out_text(&c->out, S_PROCESS, (struct str){&state, 1});
		if (state == 'D')
			out_paint(&c->out, S_PID, PAINT_BAD);
	}
	out_paint(&c->out, S_STATE, waits ? PAINT_WARN : PAINT_NONE);
	out_row(&c->out);
}

static int
list(struct cli *c)
{
	static const unsigned char spare[] = {
	    S_SCRIPT, S_CPU, S_RSS, S_SR, S_PID};
	json_t *all = NULL, *s;
	size_t i, n;
	int rc;

	if (out_table(&c->out, "script", cols, S_COLUMNS, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	out_spare(&c->out, spare, sizeof spare);
	rc = adapter_ask(c, "adapter.scripts", NULL, &all);
	json_array_foreach(all, i, s)
	{
		add(c, s);
	}
	n = json_array_size(all);
	json_decref(all);
	if (rc == 0)
		out_end(&c->out);
	if (rc == 0 && !c->json && !c->out.no_header) {
		buf_addf(out_buf(&c->out), "%zu call%s", n, n == 1 ? "" : "s");
		out_line(&c->out, false);
	}
	return cli_fail(c, rc);
}

/* ---- kill ---- */

static const struct col kill_cols[] = {
    {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the call"},
    {"queue", "QUEUE", COL_TEXT, true, "queue of the call"},
    {"id", "NUMBER", COL_INT, true, "number of the call"},
    {"cancelled", "CANCELLED", COL_BOOL, false, "false: only looked at"},
    {"answered", "ANSWERED", COL_BOOL, false, "its caller got a failure"},
};

/* What the adapter works on; asked for once. */
static json_t *running;

/* The call of this name, or NULL. */
static const json_t *
find(const char *queue, int64_t id)
{
	json_t *s;
	size_t i;

	json_array_foreach(running, i, s)
	{
		if (str_eq(ask_str(s, "queue"), str_of(queue)) &&
		    ask_int(s, "id", -1) == id)
			return s;
	}
	return NULL;
}

/* The call whose script is this process; its queue and id. */
static const json_t *
find_pid(const char *word, char queue[256], int64_t *id)
{
	json_t *s;
	size_t i;

	if (*word == '\0' || strspn(word, "0123456789") != strlen(word))
		return NULL;
	json_array_foreach(running, i, s)
	{
		struct str name = ask_str(s, "queue");

		if (ask_int(s, "pid", -1) != strtoll(word, NULL, 10) ||
		    name.p == NULL || name.n > 255)
			continue;
		memcpy(queue, name.p, name.n);
		queue[name.n] = '\0';
		*id = ask_int(s, "id", -1);
		return s;
	}
	return NULL;
}

/* "filebased:17 SR.attach, pid 4711, running 3m12s" */
static void
put_call(struct buf *b, const char *queue, int64_t id, const json_t *s)
{
	char age[UNITS_MAX];

	msgid_put(b, str_of(queue), id);
	buf_addc(b, ' ');
	text_put(b, ask_str(s, "method"));
	if (ask_int(s, "pid", 0) > 0)
		buf_addf(b, ", pid %lld", (long long)ask_int(s, "pid", 0));
	units_age(age, ask_real(s, "elapsed", 0));
	buf_adds(b, ", ");
	text_put(b, ask_str(s, "state"));
	buf_addf(b, " %s", age);
}

/* May it be ended? */
static bool
confirmed(struct cli *c, struct str what)
{
	char line[16] = "";

	if (opts_has(&c->opts, "yes"))
		return true;
	if (isatty(STDIN_FILENO)) {
		cli_say(c, "%.*s; to end it and answer its caller type yes:",
		    (int)what.n, what.p);
		if (fgets(line, sizeof line, stdin) != NULL &&
		    strcmp(line, "yes\n") == 0)
			return true;
	}
	(void)err_set(
	    &c->why, 1, "%.*s: not ended (--yes ends it)", (int)what.n, what.p);
	return false;
}

/* Ask the broker to cancel it: the adapter ends the script then. */
static int
cancel(struct cli *c, const char *queue, int64_t id, json_t **answer)
{
	const char *reason = opts_text(&c->opts, "reason", NULL);
	json_t *o = reason ? json_pack("{ss}", "reason", reason) : NULL;
	char *body = o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct buf t = BUF_INIT;
	char number[24];
	int rc;

	snprintf(number, sizeof number, "%lld", (long long)id);
	ask_path(&t, "queues", queue, "messages", number, "cancel");
	rc = ask(c, "POST", &t, str_of(body), answer);
	buf_fini(&t);
	free(body);
	json_decref(o);
	return rc;
}

/* "cancelled ... (its caller was answered)" */
static void
report(struct cli *c, const char *queue, int64_t id, struct str what,
    const json_t *answer)
{
	struct buf *b = out_buf(&c->out);
	bool answered = json_is_object(json_object_get(answer, "reply"));

	if (c->json) {
		json_t *o = json_pack("{ss sI sb sb}", "queue", queue, "id",
		    (json_int_t)id, "cancelled", answer != NULL, "answered",
		    answered);

		adapter_row(c, kill_cols, 5, o);
		json_decref(o);
		out_row(&c->out);
		return;
	}
	if (c->quiet)
		return;
	buf_adds(b, answer ? "cancelled " : "would cancel ");
	buf_add(b, what.p, what.n);
	if (answer != NULL)
		buf_adds(b,
		    answered ? " (its caller was answered)"
			     : " (nobody waited for its answer)");
	out_line(&c->out, false);
}

static int
kill_one(struct cli *c, const char *word)
{
	struct buf what = BUF_INIT;
	json_t *answer = NULL;
	const json_t *s;
	char queue[256];
	int64_t id;
	int rc = 0;

	s = find_pid(word, queue, &id);
	if (s == NULL) {
		rc = msgs_id(c, word, queue, &id);
		if (rc != 0)
			return rc;
		s = find(queue, id);
	}
	if (s == NULL) {
		(void)err_set(
		    &c->why, 1, "%s: the adapter does not work on it", word);
		return cli_fail(c, CLI_NONE);
	}
	put_call(&what, queue, id, s);
	if (opts_has(&c->opts, "dry-run"))
		report(c, queue, id, (struct str){what.p, what.n}, NULL);
	else if (!confirmed(c, (struct str){what.p, what.n}))
		rc = CLI_REFUSED;
	else if ((rc = cancel(c, queue, id, &answer)) == 0)
		report(c, queue, id, (struct str){what.p, what.n}, answer);
	else
		(void)err_prefix(&c->why, "%s", word);
	json_decref(answer);
	buf_fini(&what);
	return cli_fail(c, rc);
}

static int
run(struct cli *c, int argc, char **argv)
{
	struct tally t;
	int rc;

	if (argc == 0)
		return list(c);
	if (strcmp(argv[0], "kill") != 0)
		return cli_usage(c, "'%s' is not what scripts does", argv[0]);
	if (argc == 1)
		return cli_usage(c, "kill needs QUEUE:ID, or a script's PID");
	if (out_table(&c->out, "cancelled", kill_cols, 5, &c->why) == -1)
		return cli_fail(c, CLI_USAGE);
	rc = adapter_ask(c, "adapter.scripts", NULL, &running);
	if (rc != 0)
		return cli_fail(c, rc);
	t = cli_each(c, argc - 1, argv + 1, kill_one);
	json_decref(running);
	out_end(&c->out);
	return tally_code(&t);
}

static void
complete(struct cli *c, int argc, char **argv)
{
	(void)argv;
	if (argc == 1)
		cmd_offer(c, STR("kill"), "end calls");
	else
		adapter_offer_calls(c);
}

const struct cmd cmd_scripts = {
    .name = "scripts",
    .args = "[kill QUEUE:ID|PID...]",
    .help = "List the calls that plugin scripts work on; end some",
    .min = 0,
    .max = -1,
    .opts = opts,
    .run = run,
    .complete = complete,
};
