/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* Charts of any events, in every form: what comes out is of that form, whatever
 * the names and texts are. */
#include "fuzz.h"

#include "chart.h"
#include "json.h"

#define MOST 64 /* events, and scripts */

struct in {
	const uint8_t *p;
	size_t n;
};

static unsigned
take(struct in *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

/* Some of the input as it is. */
static struct str
take_text(struct in *in)
{
	size_t n = take(in) % 64;
	struct str s = {(const char *)in->p, n < in->n ? n : in->n};

	in->p += s.n;
	in->n -= s.n;
	return s;
}

static struct event
take_event(struct in *in)
{
	struct event e = {
	    .seq = take(in),
	    .time = take(in) % 4 * 1e9 + take(in),
	    .type = (enum ring_type)(1 + take(in) % (RING_NTYPES - 1)),
	    .id = take(in) % 8,
	    .re_id = take(in) % 8,
	    .took_s = (double)take(in) - 100,
	    .missing = take(in) % 3,
	};

	e.client = take_text(in);
	e.queue = take_text(in);
	e.text = take_text(in);
	return e;
}

/* ---- what each form promises ---- */

/* One line of what a reader may be shown: nothing that moves the cursor. */
static void
check_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		promise((unsigned char)s.p[i] >= 0x20 || s.p[i] == '\n');
}

/* A tag of ours; what is open is a list of names.  Where it ends. */
static size_t
check_tag(struct str s, size_t at, struct str *open, size_t *depth)
{
	static const char known[] =
	    " !doctype html head meta title style body header main h1 p span"
	    " div details summary pre svg g rect path text ";
	bool ends = s.p[at + 1] == '/', quoted = false;
	size_t begin = at + 1 + ends, i = begin;
	char word[32];

	while (i < s.n && strchr(" />\n", s.p[i]) == NULL)
		i++;
	promise(i > begin && i - begin < sizeof word - 2);
	snprintf(word, sizeof word, " %.*s ", (int)(i - begin), s.p + begin);
	promise(strstr(known, word) != NULL);
	for (at = i; at < s.n && (quoted || s.p[at] != '>'); at++) {
		quoted ^= s.p[at] == '"';
		promise(s.p[at] != '<');
		/* no handler, no reference */
		promise(quoted || strncmp(s.p + at, " on", 3) != 0);
		promise(quoted || strncmp(s.p + at, "href", 4) != 0);
	}
	promise(at < s.n);
	if (ends) {
		promise(*depth > 0);
		(*depth)--;
		promise(
		    str_eq(open[*depth], (struct str){s.p + begin, i - begin}));
	} else if (s.p[at - 1] != '/' && strcmp(word, " meta ") != 0 &&
	    strcmp(word, " !doctype ") != 0) {
		promise(*depth < 16);
		open[(*depth)++] = (struct str){s.p + begin, i - begin};
	}
	return at;
}

/* SVG and HTML: balanced tags of ours, text between them. */
static void
check_markup(struct str s)
{
	struct str open[16];
	size_t depth = 0;

	check_plain(s);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '<')
			i = check_tag(s, i, open, &depth);
	promise(depth == 0);
}

static void
check_json(struct str s)
{
	char *copy = fuzz_copy(s.p, s.n);
	struct json_in j;
	enum json_type t;

	json_in_init(&j, copy, s.n);
	t = json_value(&j);
	promise(t == JSON_OBJECT && json_skip(&j, t) && json_finish(&j));
	free(copy);
}

/* mscgen: quotes end on the line on which they begin. */
static void
check_quotes(struct str s)
{
	bool quoted = false;

	check_plain(s);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\') {
			promise(quoted && i + 1 < s.n && s.p[++i] == '"');
		} else {
			promise(s.p[i] != '\n' || !quoted);
			quoted ^= s.p[i] == '"';
		}
	}
	promise(!quoted);
}

/* One input. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static void (*const checks[CHART_FORMS])(struct str) = {
	    [CHART_TEXT] = check_plain,
	    [CHART_MSCGEN] = check_quotes,
	    [CHART_MERMAID] = check_plain,
	    [CHART_SVG] = check_markup,
	    [CHART_HTML] = check_markup,
	    [CHART_JSON] = check_json,
	};
	struct event v[MOST];
	struct chart_run runs[MOST];
	struct in in = {data, n};
	struct events l = {.v = v};
	struct chart_options o = {.runs = runs, .utc = true, .now = 4e9};

	o.last = take(&in) % 16;
	o.gap_s = take(&in) % 4;
	o.columns = take(&in);
	o.lanes = take(&in) % 8;
	while (in.n > 0 && l.n < MOST && o.nruns < MOST) {
		if (take(&in) % 4 > 0) {
			v[l.n++] = take_event(&in);
			continue;
		}
		runs[o.nruns] = (struct chart_run){
		    .id = take(&in) % 8, .took_s = take(&in) - 20.0};
		runs[o.nruns].script = take_text(&in);
		runs[o.nruns++].end = take_text(&in);
	}
	for (int f = 0; f < CHART_FORMS; f++) {
		struct buf b = BUF_INIT;

		chart_put(&b, (enum chart_form)f, &l, &o);
		promise(buf_ok(&b));
		buf_addc(&b, '\0'); /* for strncmp */
		checks[f]((struct str){b.p, b.n - 1});
		buf_fini(&b);
	}
	return 0;
}
