/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * libyaml's events to a tree, by recursive descent.  The depth limit bounds
 * the recursion; every event is deleted where it was read.
 */
#include <string.h>

#include <yaml.h>

#include "yml.h"

struct reader {
	yaml_parser_t parser;
	struct arena *a;
	struct diag *d;
	const char *file;
	int nodes;
};

static struct yml *node(struct reader *r, yaml_event_t *ev, int depth);

/* libyaml counts from 0. */
static struct pos
pos_of(const struct reader *r, yaml_mark_t m)
{
	return (struct pos){r->file, (int)m.line + 1, (int)m.column + 1};
}

/* The next event; 0, or -1 with the problem noted.  ev is set only on 0. */
static int
next(struct reader *r, yaml_event_t *ev)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, ev))
		return 0;
	if (p->error == YAML_READER_ERROR)
		diag_add(r->d, (struct pos){r->file, 0, 0}, "", "byte %zu: %s",
		    p->problem_offset,
		    p->problem ? p->problem : "cannot be read");
	else
		diag_add(r->d, pos_of(r, p->problem_mark), "", "%s%s%s",
		    p->problem ? p->problem : "not YAML", p->context ? " " : "",
		    p->context ? p->context : "");
	return -1;
}

/* Note that something is beyond what declarations may use. */
static struct yml *
refuse(struct reader *r, const yaml_event_t *ev, const char *what)
{
	diag_add(r->d, pos_of(r, ev->start_mark), "", "%s", what);
	return NULL;
}

/* A scalar from its event. */
static struct yml *
scalar(struct reader *r, struct yml *y, const yaml_event_t *ev)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t n = ev->data.scalar.length;
	yaml_scalar_style_t st = ev->data.scalar.style;

	if (memchr(s, '\0', n) != NULL)
		return refuse(r, ev, "a text must not contain a NUL");
	y->kind = YML_SCALAR;
	y->s = arena_strndup(r->a, s, n);
	y->plain = st == YAML_PLAIN_SCALAR_STYLE;
	y->inline1 = y->plain && ev->start_mark.line == ev->end_mark.line;
	return y;
}

/* Entries until the event that ends the sequence. */
static struct yml *
sequence(struct reader *r, struct yml *y, int depth)
{
	struct yml **tail = &y->first;
	yaml_event_t ev;
	int n = 0;

	y->kind = YML_SEQ;
	while (next(r, &ev) == 0) {
		if (ev.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&ev);
			return y;
		}
		if (++n > YML_MAX_ENTRIES) {
			refuse(r, &ev, "too many entries in one list");
			yaml_event_delete(&ev);
			return NULL;
		}
		*tail = node(r, &ev, depth + 1);
		if (*tail == NULL)
			return NULL;
		tail = &(*tail)->next;
	}
	return NULL;
}

/* A mapping's key: a scalar that was not there before.  Deletes the event. */
static const struct yml *
key_of(struct reader *r, yaml_event_t *ev, const struct yml *map, int depth)
{
	const struct yml *k;

	if (ev->type != YAML_SCALAR_EVENT) {
		refuse(r, ev, "a key must be a plain name");
		yaml_event_delete(ev);
		return NULL;
	}
	k = node(r, ev, depth + 1);
	if (k != NULL && yml_get(map, k->s) != NULL) {
		diag_add(r->d, k->at, "",
		    "\"%s\" is there twice (first on "
		    "line %d)",
		    k->s, yml_get(map, k->s)->key->at.line);
		return NULL;
	}
	return k;
}

/* Pairs until the event that ends the mapping. */
static struct yml *
mapping(struct reader *r, struct yml *y, int depth)
{
	struct yml **tail = &y->first;
	const struct yml *k;
	yaml_event_t ev;
	int n = 0;

	y->kind = YML_MAP;
	while (next(r, &ev) == 0) {
		if (ev.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&ev);
			return y;
		}
		if (++n > YML_MAX_ENTRIES) {
			refuse(r, &ev, "too many entries in one mapping");
			yaml_event_delete(&ev);
			return NULL;
		}
		k = key_of(r, &ev, y, depth);
		if (k == NULL || next(r, &ev) < 0)
			return NULL;
		*tail = node(r, &ev, depth + 1);
		if (*tail == NULL)
			return NULL;
		(*tail)->key = k;
		tail = &(*tail)->next;
	}
	return NULL;
}

/* What is wrong with an event as such, or NULL. */
static const char *
objection(const yaml_event_t *ev)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	switch (ev->type) {
	case YAML_ALIAS_EVENT: return "aliases (*name) are not used here";
	case YAML_SCALAR_EVENT:
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
		break;
	default: return "something else was expected here";
	}
	if (anchor != NULL)
		return "anchors (&name) are not used here";
	return tag != NULL ? "tags (!name) are not used here" : NULL;
}

/* The node that begins with this event, which is deleted. */
static struct yml *
node(struct reader *r, yaml_event_t *ev, int depth)
{
	yaml_event_type_t type = ev->type;
	const char *why = objection(ev);
	struct yml *y = NULL;

	if (why == NULL && depth > YML_MAX_DEPTH)
		why = "nested too deeply";
	if (why == NULL && ++r->nodes > YML_MAX_NODES)
		why = "too many entries in one file";
	if (why != NULL) {
		refuse(r, ev, why);
		yaml_event_delete(ev);
		return NULL;
	}
	y = arena_alloc(r->a, sizeof(*y));
	y->at = pos_of(r, ev->start_mark);
	if (type == YAML_SCALAR_EVENT)
		y = scalar(r, y, ev);
	yaml_event_delete(ev);
	if (type == YAML_SEQUENCE_START_EVENT)
		return sequence(r, y, depth);
	if (type == YAML_MAPPING_START_EVENT)
		return mapping(r, y, depth);
	return y;
}

/* Skip events of this one type; 0, or -1 with the problem noted. */
static int
skip(struct reader *r, yaml_event_type_t type, const char *what)
{
	yaml_event_t ev;
	int rc = 0;

	if (next(r, &ev) < 0)
		return -1;
	if (ev.type != type) {
		refuse(r, &ev, what);
		rc = -1;
	}
	yaml_event_delete(&ev);
	return rc;
}

/* Stream and document around the one root node. */
static const struct yml *
document(struct reader *r)
{
	const struct yml *root;
	yaml_event_t ev;

	if (skip(r, YAML_STREAM_START_EVENT, "not a YAML stream") < 0 ||
	    skip(r, YAML_DOCUMENT_START_EVENT, "the file is empty") < 0 ||
	    next(r, &ev) < 0)
		return NULL;
	root = node(r, &ev, 0);
	if (root == NULL ||
	    skip(r, YAML_DOCUMENT_END_EVENT, "the document goes on") < 0 ||
	    skip(r, YAML_STREAM_END_EVENT, "only one document a file") < 0)
		return NULL;
	return root;
}

/* Parse one file's text. */
const struct yml *
yml_parse(struct arena *a, const char *file, const char *text, size_t n,
    struct diag *d)
{
	struct reader r = {.a = a, .d = d, .file = file};
	const struct yml *root;

	if (n > YML_MAX_BYTES) {
		diag_add(d, (struct pos){file, 0, 0}, "",
		    "larger than %zu bytes", YML_MAX_BYTES);
		return NULL;
	}
	if (!yaml_parser_initialize(&r.parser)) {
		diag_add(d, (struct pos){file, 0, 0}, "", "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
	root = document(&r);
	yaml_parser_delete(&r.parser);
	return root;
}

/* Find an entry. */
const struct yml *
yml_get(const struct yml *map, const char *key)
{
	const struct yml *y;

	for (y = map->first; y != NULL; y = y->next)
		if (strcmp(y->key->s, key) == 0)
			return y;
	return NULL;
}
