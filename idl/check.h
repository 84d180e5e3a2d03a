/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/*
 * Everything an emitter may rely on (model.h says what), checked once.
 */
#ifndef XMSG_IDL_CHECK_H
#define XMSG_IDL_CHECK_H

#include "model.h"

/* Note every broken rule of a linked model without problems so far. */
void check_api(const struct api *api, struct diag *d);

/* clash.c: what has this name already in generated code, or NULL. */
enum named {
	NAMED_MODULE,
	NAMED_IFACE,
	NAMED_METHOD,
	NAMED_PARAM,
	NAMED_TYPE,
	NAMED_ERROR,
	NAMED_FEATURE
};
const char *name_clash(enum named what, const char *name);

#endif
