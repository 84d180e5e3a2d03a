/* SPDX-FileCopyrightText: 2026 the xmsg authors
 * SPDX-License-Identifier: ISC */

/* What the drawn forms of a chart share: text that stays text in XML and HTML,
 * and the parts of the picture. */
#ifndef XMSG_CHART_SHEET_H
#define XMSG_CHART_SHEET_H

#include "chart_plan.h"

/* Text that went through text_put; the same, cut to so many columns. */
void xml_put(struct buf *b, struct str s);
void xml_put_cut(struct buf *b, struct str s, size_t room);
/* So many columns it takes; as much of its front as fits. */
size_t xml_columns(struct str s);
struct str xml_front(struct str s, size_t room);

/* In pixels, as all of the sheet. */
#define SHEET_HEAD   62 /* height of the names */
#define SHEET_CH     7.25 /* width of a character */
#define SHEET_ROW    34 /* height of a step ... */
#define SHEET_LINE   24 /* ... and its arrow in it */
#define SHEET_LEFT   112 /* room for times */
#define SHEET_MARGIN 14
#define SHEET_SLOT   5 /* between bars that overlap */
#define SHEET_LABEL  60 /* columns of what stands beside a lane */

/* How long a lane has to do with a request. */
struct bar {
	double end; /* 0: there is none */
	int slot; /* beside those that it overlaps */
	bool open;
};

/* Places on the sheet. */
struct sheet {
	const struct plan *p;
	double *x; /* of lanes */
	double *card; /* widths of their names' cards */
	struct bar *bars; /* of steps */
	double width, height; /* of the part below the names */
};

void sheet_init(struct sheet *s, const struct plan *p);
void sheet_fini(struct sheet *s);
/* Where the line of step i is; how many characters fit into so many pixels. */
double sheet_y(size_t i);
size_t sheet_fits(double pixels);

/* The rules that both parts need. */
void sheet_style(struct buf *b);
/* The names of the lanes; the lanes with the steps on them. */
void sheet_names(struct buf *b, const struct sheet *s);
void sheet_steps(struct buf *b, const struct sheet *s);

#endif
