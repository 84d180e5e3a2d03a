/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * `xmsg-idl list`: one line per call, for people and for grep.
 */
#include "emit.h"

/* name: type, ... */
static void
list_params(struct buf *b, const struct method *m)
{
	const struct member *p;

	for (p = m->params; p != NULL; p = p->next) {
		buf_addf(b, "%s%s: ", p == m->params ? "" : ", ", p->name);
		type_write(b, p->type);
	}
}

/* Interface.method(params) -> result  since */
static void
list_method(struct buf *b, const struct method *m)
{
	const struct life *first = life_first(m->life);
	enum life_kind now = life_state(m->life);

	buf_addf(b, "%s.%s(", m->iface->name, m->name);
	list_params(b, m);
	buf_adds(b, ") -> ");
	type_write(b, m->result);
	buf_addf(b, "  since %s", first->release->id);
	if (now != LIFE_PUBLISHED)
		buf_addf(b, ", %s", life_kind_name(now));
	buf_addc(b, '\n');
}

/* All calls in order. */
static void
emit(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "list.txt");
	const struct module *m;
	const struct iface *i;
	const struct method *f;

	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			for (f = i->methods; f != NULL; f = f->next)
				list_method(b, f);
}

const struct emitter emit_list = {
    "list", "one line per call: parameters, result, since when", emit};
