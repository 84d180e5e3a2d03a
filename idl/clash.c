/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Names that mean something in what is generated, so that a declaration
 * cannot have them: one row for each word and kind of declaration.
 */
#include <stddef.h>
#include <string.h>

#include "check.h"

#define OCAML_MODULE	 "the OCaml library has a module of this name"
#define PYTHON_ATTRIBUTE "a class of the Python package has this attribute"
#define PYTHON_TYPE	 "the Python stubs need this name for a type of Python"
#define PYTHON_ERROR	 "the Python package has a class of this name"
#define BASIC_TYPE	 "every declaration knows it as a basic type"

static const struct {
	enum named what;
	const char *name, *why;
} rows[] = {
    {NAMED_MODULE, "types", OCAML_MODULE},
    {NAMED_MODULE, "errors", OCAML_MODULE},
    {NAMED_MODULE, "features", OCAML_MODULE},
    {NAMED_MODULE, "idl", OCAML_MODULE},
    {NAMED_MODULE, "script", OCAML_MODULE},
    {NAMED_IFACE, "Types", OCAML_MODULE},
    {NAMED_IFACE, "Idl", OCAML_MODULE},
    {NAMED_IFACE, "Idl_script", OCAML_MODULE},
    {NAMED_METHOD, "impl", PYTHON_ATTRIBUTE},
    {NAMED_METHOD, "dispatcher", PYTHON_ATTRIBUTE},
    {NAMED_METHOD, "str", PYTHON_TYPE},
    {NAMED_METHOD, "int", PYTHON_TYPE},
    {NAMED_METHOD, "float", PYTHON_TYPE},
    {NAMED_METHOD, "bool", PYTHON_TYPE},
    {NAMED_PARAM, "completion",
	"every script has an option of this name already"},
    {NAMED_TYPE, "unit", BASIC_TYPE},
    {NAMED_TYPE, "string", BASIC_TYPE},
    {NAMED_TYPE, "int", BASIC_TYPE},
    {NAMED_TYPE, "int64", BASIC_TYPE},
    {NAMED_TYPE, "float", BASIC_TYPE},
    {NAMED_TYPE, "bool", BASIC_TYPE},
    {NAMED_TYPE, "list", BASIC_TYPE},
    {NAMED_TYPE, "map", BASIC_TYPE},
    {NAMED_TYPE, "pair", BASIC_TYPE},
    {NAMED_TYPE, "str", PYTHON_TYPE},
    {NAMED_TYPE, "idl", OCAML_MODULE},
    {NAMED_ERROR, "MissingDependency", PYTHON_ERROR},
    {NAMED_ERROR, "Rpc_light_failure", PYTHON_ERROR},
    {NAMED_ERROR, "InternalError", PYTHON_ERROR},
    {NAMED_ERROR, "UnmarshalException", PYTHON_ERROR},
    {NAMED_ERROR, "TypeError", PYTHON_ERROR},
    {NAMED_ERROR, "UnknownMethod", PYTHON_ERROR},
    {NAMED_ERROR, "XenAPIException", PYTHON_ERROR},
    {NAMED_ERROR, "ListAction", PYTHON_ERROR},
    {NAMED_ERROR, "Exception", PYTHON_ERROR},
    {NAMED_FEATURE, "ALL", "the OCaml library lists all features there"},
};

/* What has this name already, or NULL. */
const char *
name_clash(enum named what, const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].what == what && strcmp(rows[i].name, name) == 0)
			return rows[i].why;
	return NULL;
}
