/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Stubs: the types as type checkers know them.  Records are TypedDicts,
 * variants are unions of what may be written for each tag, lists accept any
 * sequence.
 */
#include <stdio.h>

#include "emit_py.h"
#include "prose.h"
#include "pytext.h"

static const char *const type_words[] = {
    [TYPE_UNIT] = "None",
    [TYPE_STRING] = "str",
    [TYPE_INT] = "int",
    [TYPE_INT64] = "int",
    [TYPE_FLOAT] = "float",
    [TYPE_BOOL] = "bool",
};

/* A use of a type; `at` is where names are. */
static void
hint(struct buf *b, const struct type *t, const char *at)
{
	switch (t->kind) {
	case TYPE_LIST:
		buf_adds(b, "List[");
		hint(b, t->a, at);
		buf_addc(b, ']');
		break;
	case TYPE_MAP:
		buf_adds(b, "Dict[str, ");
		hint(b, t->a, at);
		buf_addc(b, ']');
		break;
	case TYPE_PAIR:
		buf_adds(b, "Union[Tuple[");
		hint(b, t->a, at);
		buf_adds(b, ", ");
		hint(b, t->b, at);
		buf_adds(b, "], List[Any]]");
		break;
	case TYPE_NAMED: buf_addf(b, "%s%s", at, t->name); break;
	default: buf_adds(b, type_words[t->kind]);
	}
}

/* A record as a TypedDict. */
static void
record_stub(struct buf *b, const struct tdef *d)
{
	const struct member *m;

	/* Not as a class: there a member named like its type would hide it. */
	buf_addf(b, "\n%s = TypedDict(\"%s\", {\n", d->name, d->name);
	for (m = d->fields; m != NULL; m = m->next) {
		buf_addf(b, "    \"%s\": %s", m->name,
		    m->optional ? "NotRequired[Optional[" : "");
		hint(b, m->type, "");
		buf_adds(b, m->optional ? "]],\n" : ",\n");
	}
	buf_adds(b, "})\n");
}

/* A variant as the union of its written forms. */
static void
variant_stub(struct buf *b, const struct tdef *d)
{
	const struct tag *tag;

	buf_addf(b, "\n%s = Union[\n", d->name);
	for (tag = d->tags; tag != NULL; tag = tag->next) {
		if (tag->type == NULL) {
			buf_addf(b, "    Literal[\"%s\"],\n", tag->name);
			continue;
		}
		buf_addf(b, "    Tuple[Literal[\"%s\"], ", tag->name);
		hint(b, tag->type, "");
		buf_adds(b, "],\n");
	}
	buf_adds(b, "    List[Any],\n]\n");
}

/* The types of one list. */
static void
type_stubs(struct buf *b, const struct tdef *d)
{
	for (; d != NULL; d = d->next) {
		if (d->kind == TDEF_RECORD) {
			record_stub(b, d);
		} else if (d->kind == TDEF_VARIANT) {
			variant_stub(b, d);
		} else {
			buf_addf(b, "\n%s = ", d->name);
			hint(b, d->alias, "");
			buf_addc(b, '\n');
		}
	}
}

/* _types.pyi */
void
py_stub_types(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, PY_DIR "_types.pyi");
	const struct module *m;

	py_head(b, api, NULL);
	buf_adds(b,
	    "from typing import (Any, Dict, List, Literal, Optional, "
	    "Tuple, TypedDict,\n                    Union)\n\n"
	    "from typing_extensions import NotRequired\n");
	buf_adds(b, "\nFEATURES: List[str]\n");
	type_stubs(b, api->types);
	for (m = api->modules; m != NULL; m = m->next)
		type_stubs(b, m->types);
}

/* Parameters and result of an implementation's method. */
static void
method_stub(struct buf *b, const struct method *m)
{
	const struct member *p;

	buf_addf(b, "    def %s(\n        self,\n", m->name);
	for (p = m->params; p != NULL; p = p->next) {
		buf_addf(b, "        %s: ", p->name);
		hint(b, p->type, "_types.");
		buf_adds(b, ",\n");
	}
	buf_adds(b, "    ) -> ");
	hint(b, m->result, "_types.");
	buf_adds(b, ": ...\n");
}

/* The four classes of an interface. */
static void
iface_stub(struct buf *b, const struct iface *i)
{
	const struct method *m;

	buf_addf(b, "\nclass %s_skeleton:\n", i->name);
	buf_adds(b, "    def __init__(self) -> None: ...\n");
	for (m = i->methods; m != NULL; m = m->next)
		method_stub(b, m);
	buf_addf(b, "\nclass %s_test(%s_skeleton): ...\n", i->name, i->name);
	buf_addf(b,
	    "\nclass %s_server_dispatcher:\n"
	    "    def __init__(self, impl: %s_skeleton) -> None: ...\n",
	    i->name, i->name);
	for (m = i->methods; m != NULL; m = m->next)
		buf_addf(b,
		    "    def %s(self, args: Dict[str, Any]) -> "
		    "Any: ...\n",
		    m->name);
	buf_addf(b,
	    "\nclass %s_commandline:\n"
	    "    impl: %s_skeleton\n"
	    "    dispatcher: %s_server_dispatcher\n"
	    "    def __init__(self, impl: %s_skeleton) -> None: ...\n",
	    i->name, i->name, i->name, i->name);
	for (m = i->methods; m != NULL; m = m->next)
		buf_addf(b, "    def %s(self) -> None: ...\n", m->name);
}

/* The calls of an interface as a client has them: parameters by name. */
static void
client_stub(struct buf *b, const struct api *api, const struct iface *i)
{
	const struct method *m;
	const struct member *p;

	buf_addf(b, "\nclass _%s:\n", i->name);
	for (m = i->methods; m != NULL; m = m->next) {
		buf_addf(
		    b, "    def %s(\n        self,\n        *,\n", m->name);
		for (p = m->params->next; p != NULL; p = p->next) {
			buf_addf(b, "        %s: ", p->name);
			hint(b, p->type, "_types.");
			buf_adds(b, ",\n");
		}
		buf_addf(
		    b, "        %s: str = ...,\n    ) -> ", api->context->name);
		hint(b, m->result, "_types.");
		buf_adds(b, ": ...\n");
	}
}

/* client.pyi: what its hand-written module makes of the descriptions. */
void
py_stub_client(const struct api *api, struct out *o)
{
	struct buf *b = out_file(o, "xapi/storage/client.pyi");
	const struct module *m;
	const struct iface *i;

	py_head(b, api, NULL);
	buf_adds(b,
	    "from types import TracebackType\n"
	    "from typing import Any, Dict, List, Optional, Type, Union\n\n"
	    "from xapi.storage.api.v5 import _types\n"
	    "from xapi.storage.switch import BrokerGone as BrokerGone\n"
	    "from xapi.storage.switch import Error as Error\n"
	    "from xapi.storage.switch import NoSuchQueue as NoSuchQueue\n"
	    "from xapi.storage.switch import Refused as Refused\n"
	    "from xapi.storage.switch import Timeout as Timeout\n"
	    "\nclass BackendError(Error):\n"
	    "    code: str\n"
	    "    params: List[Any]\n"
	    "    backtrace: Union[Dict[str, Any], str, None]\n"
	    "    def __init__(\n"
	    "        self,\n"
	    "        code: str,\n"
	    "        params: List[Any],\n"
	    "        backtrace: Union[Dict[str, Any], str, None] = ...,\n"
	    "    ) -> None: ...\n"
	    "\nclass BadReply(Error):\n"
	    "    reply: Any\n"
	    "    def __init__(self, method: str, why: str, reply: Any) -> "
	    "None: ...\n");
	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			client_stub(b, api, i);
	buf_adds(b,
	    "\nclass Client:\n"
	    "    queue: str\n"
	    "    timeout: Optional[float]\n"
	    "    dbg: str\n"
	    "    datapath: Optional[str]\n");
	for (m = api->modules; m != NULL; m = m->next)
		for (i = m->ifaces; i != NULL; i = i->next)
			buf_addf(b, "    %s: _%s\n", i->name, i->name);
	buf_adds(b,
	    "    def __init__(\n"
	    "        self,\n"
	    "        queue: str,\n"
	    "        socket: Optional[str] = ...,\n"
	    "        timeout: Optional[float] = ...,\n"
	    "        dbg: str = ...,\n"
	    "        datapath: Optional[str] = ...,\n"
	    "    ) -> None: ...\n"
	    "    def close(self) -> None: ...\n"
	    "    def __enter__(self) -> Client: ...\n"
	    "    def __exit__(\n"
	    "        self,\n"
	    "        kind: Optional[Type[BaseException]],\n"
	    "        value: Optional[BaseException],\n"
	    "        trace: Optional[TracebackType],\n"
	    "    ) -> None: ...\n"
	    "\ndef main(args: List[str]) -> int: ...\n");
}

/* MODULE.pyi */
void
py_stub_module(const struct api *api, const struct module *m, struct out *o)
{
	struct buf *b = out_file(o, PY_DIR "%s.pyi", m->name);
	const struct iface *i;
	const struct exn *e;

	py_head(b, api, NULL);
	buf_adds(b,
	    "from typing import Any, Dict, List, Optional\n\n"
	    "from xapi import *\n"
	    "from xapi import Rpc_light_failure\n"
	    "from xapi.storage.api.v5 import _types\n");
	for (e = m->errors; e != NULL; e = e->next)
		buf_addf(b,
		    "\nclass %s(Rpc_light_failure):\n"
		    "    arg_0: str\n"
		    "    def __init__(self, arg_0: str) -> None: ...\n",
		    e->name);
	for (i = m->ifaces; i != NULL; i = i->next)
		iface_stub(b, i);
	buf_addf(b,
	    "\nclass %s_server_dispatcher:\n    def __init__(\n"
	    "        self,\n",
	    m->name);
	for (i = m->ifaces; i != NULL; i = i->next)
		buf_addf(b,
		    "        %s: Optional[%s_server_dispatcher] = ...,\n",
		    i->name, i->name);
	buf_addf(b,
	    "    ) -> None: ...\n"
	    "    def _dispatch(self, method: str, params: List[Any]) -> "
	    "Dict[str, Any]: ...\n"
	    "\nclass %s_server_test(%s_server_dispatcher):\n"
	    "    def __init__(self) -> None: ...\n",
	    m->name, m->name);
}
