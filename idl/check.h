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

#endif
