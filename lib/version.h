/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* The one place where the version of the programs comes from configure. */
#ifndef XMSG_VERSION_H
#define XMSG_VERSION_H

#include "config.h"

#define XMSG_VERSION PACKAGE_VERSION

#endif
