/* SPDX-License-Identifier: Apache-2.0 */
/* draw.h - the elements of a figure (plot.h), whose numbers need no locale. Private to report/. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

void draw_number(FILE *, double);
/* x, y, width, height; of a series by its colour and, but for the first one, by its pattern, which
 * the figure `id` has. */
void draw_rectangle(FILE *, const char *id, size_t series, const double box[4]);
/* "grid", "axis"; x1, y1, x2, y2 */
void draw_line(FILE *, const char *class, const double at[4]);
/* "start", "end"; up to </text> */
void draw_text(FILE *, const char *anchor, double x, double y);
void draw_text_number(FILE *, const char *anchor, double x, double y, double value);
void draw_text_day(FILE *, const char *anchor, double x, double y, int64_t at);
/* As much of it as there is room for; of anybody. */
void draw_text_label(FILE *, double x, double y, const char *label);
