/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Acting on messages that were named or chosen. */
#include "act.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "ask.h"
#include "clock.h"
#include "msgs.h"
#include "text.h"
#include "units.h"
#include "xalloc.h"

#define KINDS 4 /* methods and queues named in a question */

/* ---- what was chosen ---- */

/* One more. */
int
chosen_add(void *list, const struct look_msg *m)
{
	struct chosen_list *l = list;
	char what[128];

	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->v = xreallocarray(l->v, l->cap, sizeof *l->v);
	}
	select_method(what, sizeof what, m);
	l->v[l->n++] = (struct chosen){
	    .queue = xstrndup(m->queue.p, m->queue.n),
	    .what = xstrdup(what),
	    .id = m->id,
	    .age_s = m->age_s,
	};
	return 0;
}

/* Free them. */
void
chosen_fini(struct chosen_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].queue);
		free(l->v[i].what);
	}
	free(l->v);
	memset(l, 0, sizeof *l);
}

static int
by_queue(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "10 SR.attach, 2 VDI.stat, 3 others": the same words counted. */
static size_t
count_words(struct buf *b, const char **words, size_t n)
{
	size_t kinds = 0, others = 0;

	qsort(words, n, sizeof *words, by_queue);
	for (size_t i = 0, k; i < n; i = k) {
		for (k = i + 1; k < n && strcmp(words[k], words[i]) == 0;)
			k++;
		if (++kinds > KINDS) {
			others += k - i;
			continue;
		}
		buf_addf(b, "%s%zu ", kinds > 1 ? ", " : "", k - i);
		text_put(b, str_of(*words[i] ? words[i] : "(no call)"));
	}
	if (others > 0)
		buf_addf(b, ", %zu others", others);
	return kinds;
}

/* In a line, for a question. */
void
chosen_describe(struct buf *b, const struct chosen_list *l)
{
	const char **words = xcalloc(l->n + 1, sizeof *words);
	struct buf kinds = BUF_INIT;
	double oldest = -1;
	char age[UNITS_MAX];

	for (size_t i = 0; i < l->n; i++) {
		words[i] = l->v[i].queue;
		if (l->v[i].age_s > oldest)
			oldest = l->v[i].age_s;
	}
	buf_addf(b, "%zu message%s of ", l->n, l->n == 1 ? "" : "s");
	if (count_words(&kinds, words, l->n) == 1)
		text_put(b, str_of(l->v[0].queue));
	else
		buf_addf(b, "several queues: %.*s", (int)kinds.n, kinds.p);
	for (size_t i = 0; i < l->n; i++)
		words[i] = l->v[i].what;
	buf_adds(b, " (");
	(void)count_words(b, words, l->n);
	units_age(age, oldest);
	buf_addf(b, "), the oldest %s old", age);
	buf_fini(&kinds);
	free(words);
}

/* ---- asking ---- */

/* A person says yes, or has said so. */
bool
act_confirmed(struct cli *c, const char *word, const char *question)
{
	char line[300] = "";

	if (opts_has(&c->opts, "yes"))
		return true;
	if (isatty(STDIN_FILENO)) {
		cli_say(c, "%s? Type %s:", question, word);
		if (fgets(line, sizeof line, stdin) != NULL) {
			line[strcspn(line, "\r\n")] = '\0';
			if (strcmp(line, word) == 0)
				return true;
		}
	}
	(void)err_set(&c->why, 1,
	    "not done: %s (--yes does it, --dry-run shows it)", question);
	return false;
}

/* ---- the table ---- */

enum { A_REF, A_QUEUE, A_ID, A_WHAT, A_DONE, A_REPLY, A_ACT };

static const struct col cols[] = {
    [A_REF] = {"ref", "ID", COL_TEXT, false, "QUEUE:ID of the message"},
    [A_QUEUE] = {"queue", "QUEUE", COL_TEXT, false, "queue it is in"},
    [A_ID] = {"id", "NUMBER", COL_INT, false, "number of the message"},
    [A_WHAT] = {"what", "WHAT", COL_TEXT, false, "method of a call"},
    [A_DONE] = {"done", "DONE", COL_BOOL, false, "false: a dry run"},
    [A_REPLY] = {"reply_ref", "REPLY", COL_TEXT, false,
	"the failure that its caller got"},
    [A_ACT] = {"act", "ACT", COL_INT, false, "number for undo"},
};

/* Begin. */
int
act_table(struct cli *c, const struct act *a)
{
	return out_table(
	    &c->out, a->done, cols, sizeof cols / sizeof *cols, &c->why);
}

static void
put_ref(struct buf *b, const char *queue, int64_t id)
{
	buf_addf(b, "%s:%lld", queue, (long long)id);
}

/* For programs. */
static void
put_row(struct cli *c, const struct chosen *m, const struct acted *r, bool did)
{
	struct buf b = BUF_INIT;

	put_ref(&b, m->queue, m->id);
	out_text(&c->out, A_REF, (struct str){b.p, b.n});
	out_text(&c->out, A_QUEUE, str_of(m->queue));
	out_int(&c->out, A_ID, m->id);
	if (m->what != NULL && *m->what != '\0')
		out_text(&c->out, A_WHAT, str_of(m->what));
	out_int(&c->out, A_DONE, did);
	if (r->reply_queue.p != NULL) {
		buf_reset(&b);
		buf_add(&b, r->reply_queue.p, r->reply_queue.n);
		buf_addf(&b, ":%lld", (long long)r->reply_id);
		out_text(&c->out, A_REPLY, (struct str){b.p, b.n});
	}
	if (r->act >= 0)
		out_int(&c->out, A_ACT, r->act);
	out_row(&c->out);
	buf_fini(&b);
}

/* For people. */
static void
put_line(struct cli *c, const struct act *a, const struct chosen *m,
    const struct acted *r, bool did)
{
	struct buf *b = out_buf(&c->out);

	if (!did)
		buf_addf(b, "would %s ", a->verb);
	else if (a->each)
		buf_addf(b, "%s ", a->done);
	msgid_put(b, str_of(m->queue), m->id);
	if (m->what != NULL && *m->what != '\0' && (a->each || !did)) {
		buf_addc(b, ' ');
		text_put(b, str_of(m->what));
	}
	if (r->reply_queue.p != NULL) {
		buf_adds(b, " (its caller ");
		text_put(b, r->reply_queue);
		buf_adds(b, " was told)");
	}
	out_line(&c->out, false);
}

static void
put(struct cli *c, const struct act *a, const struct chosen *m,
    const struct acted *r, bool did)
{
	if (c->json)
		put_row(c, m, r, did);
	else if (!c->quiet && (a->each || !did || c->verbose))
		put_line(c, a, m, r, did);
}

/* ---- doing it ---- */

/* POST to a message. */
int
act_post(struct cli *c, const struct chosen *m, const char *verb,
    struct str body, struct acted *r)
{
	struct buf t = BUF_INIT;
	json_t *j = NULL;
	const json_t *reply;
	struct str q;
	char number[24];
	int rc;

	snprintf(number, sizeof number, "%lld", (long long)m->id);
	ask_path(&t, "queues", m->queue, "messages", number, verb);
	rc = ask(c, "POST", &t, body, &j);
	buf_fini(&t);
	reply = json_object_get(j, "reply");
	q = ask_str(reply, "queue");
	if (rc == 0 && q.p != NULL) {
		r->reply_queue = (struct str){text_copy(q), q.n};
		r->reply_id = ask_int(reply, "id", -1);
	}
	r->act = ask_int(j, "act", -1);
	json_decref(j);
	return rc;
}

/* One message, reported. */
static int
one(struct cli *c, const struct act *a, const struct chosen *m)
{
	struct acted r = {{NULL, 0}, -1, -1};
	bool dry = opts_has(&c->opts, "dry-run");
	int rc = 0;

	c->start_ns = clock_mono_ns(); /* each has the whole time limit */
	if (!dry)
		rc = a->one(c, m, &r);
	if (rc == 0)
		put(c, a, m, &r, !dry);
	else
		(void)err_prefix(
		    &c->why, "%s:%lld", m->queue, (long long)m->id);
	free((char *)(uintptr_t)r.reply_queue.p);
	return cli_fail(c, rc);
}

/* A list. */
struct tally
act_list(struct cli *c, const struct chosen_list *l, const struct act *a)
{
	struct tally t = {0, 0, 0};
	int rc = 0;

	for (size_t i = 0; i < l->n && rc != CLI_DEAD; i++)
		tally_add(&t, rc = one(c, a, &l->v[i]));
	return t;
}

/* What is known of a message that was named. */
static int
look_up(struct cli *c, const char *word, struct chosen_list *l)
{
	char queue[256];
	int64_t id;
	int rc = msgs_id(c, word, queue, &id);

	if (rc != 0)
		return rc;
	rc = look_broker.message(c, queue, id, false, chosen_add, l);
	if (rc != 0)
		(void)err_prefix(&c->why, "%s:%lld", queue, (long long)id);
	return cli_fail(c, rc);
}

/* One operand. */
static int
one_word(struct cli *c, const char *word)
{
	const struct act *doing = c->act;
	struct chosen_list l = {NULL, 0, 0};
	struct chosen m = {.what = NULL, .age_s = -1};
	char queue[256];
	int rc;

	if (doing->each || opts_has(&c->opts, "dry-run")) {
		rc = look_up(c, word, &l);
		if (rc == 0)
			rc = one(c, doing, &l.v[0]);
		chosen_fini(&l);
		return rc;
	}
	rc = msgs_id(c, word, queue, &m.id);
	m.queue = queue;
	return rc != 0 ? rc : one(c, doing, &m);
}

/* A selection: shown, confirmed, done. */
static int
selection(struct cli *c, const struct selector *s, const struct act *a,
    struct tally *t)
{
	struct chosen_list l = {NULL, 0, 0};
	struct buf q = BUF_INIT;
	int rc = select_each(c, s, NULL, 0, NULL, chosen_add, &l);

	if (c->dead) /* the folder was read: nothing can be done there */
		rc = CLI_DEAD;
	if (rc == 0 && l.n == 0) {
		(void)err_set(&c->why, 1, "no message is chosen");
		rc = CLI_NONE;
	}
	if (rc == 0 && a->ask && !opts_has(&c->opts, "dry-run")) {
		buf_addf(&q, "%s ", a->verb);
		chosen_describe(&q, &l);
		buf_addc(&q, '\0');
		if (!act_confirmed(c, "yes", q.p ? q.p : a->verb))
			rc = CLI_REFUSED;
	}
	if (rc == 0)
		*t = act_list(c, &l, a);
	buf_fini(&q);
	chosen_fini(&l);
	return cli_fail(c, rc);
}

static void
summary(struct cli *c, const struct act *a, int n)
{
	bool dry = opts_has(&c->opts, "dry-run");

	if (c->json || c->quiet || n == 0)
		return;
	if (dry)
		buf_addf(out_buf(&c->out), "would %s %d", a->verb, n);
	else
		buf_addf(out_buf(&c->out), "%d %s", n, a->done);
	out_line(&c->out, false);
}

/* Operands or a selection. */
int
act_run(struct cli *c, int argc, char **argv, const struct act *a)
{
	struct tally t = {0, 0, 0};
	struct selector s;
	int rc = select_parse(c, &s);

	if (rc != 0)
		return rc;
	if (argc == 0 && !s.any)
		return cli_usage(c,
		    "%s which messages? Name them (QUEUE:ID) or choose them "
		    "(--queue GLOB)",
		    a->verb);
	if (argc > 0 && s.any)
		return cli_usage(c, "give messages or selectors, not both");
	if (act_table(c, a) == -1)
		return cli_fail(c, CLI_USAGE);
	c->act = a;
	if (argc > 0)
		t = cli_each(c, argc, argv, one_word);
	else
		rc = selection(c, &s, a, &t);
	out_end(&c->out);
	summary(c, a, t.done);
	return rc != 0 ? rc : tally_code(&t);
}

/* A reason. */
void
act_reason(struct buf *b, const char *reason)
{
	if (reason == NULL)
		return;
	buf_adds(b, "{\"reason\":");
	text_json(b, str_of(reason));
	buf_addc(b, '}');
}
