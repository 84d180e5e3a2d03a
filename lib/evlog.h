/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What libevent has to say, said as the programs say it. */
#ifndef XMSG_EVLOG_H
#define XMSG_EVLOG_H

/* From now on its words are log lines; what it cannot go on without (memory,
 * descriptors at the start) ends the program with one and exit status 71. */
void evlog_open(void);

#endif
