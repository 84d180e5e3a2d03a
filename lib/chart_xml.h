/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the drawn forms of a chart share: text that stays text in XML and HTML,
 * and the parts of the picture. */
#ifndef XMSG_CHART_XML_H
#define XMSG_CHART_XML_H

#include "chart_plan.h"

/* Text that went through text_put. */
void xml_put(struct buf *b, struct str s);

/* Places on the sheet, in pixels. */
struct sheet {
	const struct plan *p;
	double *x; /* of lanes */
	double *card; /* widths of their names' cards */
	struct bar {
		double end; /* 0: none */
		int slot; /* beside those that it overlaps */
		bool open;
	} * bars; /* of steps */
	double width, height; /* of the part below the names */
};

#define SHEET_HEAD 62 /* height of the names */

void sheet_init(struct sheet *s, const struct plan *p);
void sheet_fini(struct sheet *s);

/* The rules that both parts need. */
void sheet_style(struct buf *b);
/* The names of the lanes; the lanes with the steps on them. */
void sheet_names(struct buf *b, const struct sheet *s);
void sheet_steps(struct buf *b, const struct sheet *s);

#endif
