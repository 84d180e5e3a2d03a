/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The other half of llhttp: see llhttp.c. */
#include <api.c>
#include <http.c>
