/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/report/figure.h"

#include <inttypes.h>

#include "db/audit/report/plot.h"

struct drawing {
    struct plot plot;
    size_t set; /* of an area: points that have their value */
};

static char *
label_of(const struct cell *cell)
{
    return cell->kind == CELL_TEXT || cell->kind == CELL_HEX
               ? mem_printf("%.*s", (int)cell->text.n, (const char *)cell->text.p)
               : mem_printf("%" PRId64, cell->number);
}

/* Where this row goes; NULL: it is not shown. */
static struct plot_point *
point_of(struct drawing *d, const struct section *s, int64_t at, const struct cell *label)
{
    struct plot *p = &d->plot;

    if (p->kind == PLOT_ROWS || p->kind == PLOT_SPANS) {
        if (p->n == PLOT_POINTS) {
            return NULL;
        }
        p->points[p->n].label = label_of(label);
        return &p->points[p->n++];
    }
    if (at < 0 || (size_t)at >= p->n) {
        return NULL;
    }
    for (; s->look == LOOK_AREA && d->set < (size_t)at; d->set++) {
        p->points[d->set].value[0] = d->set == 0 ? 0 : p->points[d->set - 1].value[0];
    }
    d->set = (size_t)at + 1;
    return &p->points[at];
}

static void
plot_row(void *arg, const struct section *s, int64_t at, const struct cell *cells, size_t n)
{
    struct plot_point *point = point_of(arg, s, at, &cells[0]);

    for (size_t i = 1; point != NULL && i < n && i <= PLOT_SERIES; i++) {
        point->value[i - 1] = (double)cells[i].number;
        point->is_set = true;
    }
}

static void
area_finish(struct drawing *d)
{
    for (; d->plot.kind == PLOT_AREA && d->set < d->plot.n; d->set++) {
        d->plot.points[d->set].value[0] = d->set == 0 ? 0 : d->plot.points[d->set - 1].value[0];
    }
}

int
figure_write(const struct report *r, const struct section *s, const struct rows_window *w,
             FILE *out, struct err *e)
{
    static const enum plot_kind kinds[] = {
        [LOOK_RECORD] = PLOT_BARS,   [LOOK_AHEAD] = PLOT_BARS,   [LOOK_AREA] = PLOT_AREA,
        [LOOK_ROWS] = PLOT_ROWS,     [LOOK_SPANS] = PLOT_SPANS,  [LOOK_TABLE] = PLOT_ROWS,
        [LOOK_RANGES] = PLOT_RANGES, [LOOK_STRIPS] = PLOT_STRIPS};
    const size_t n = rows_columns(s);
    struct drawing d = {.plot = {.kind = kinds[s->look],
                                 .id = s->id,
                                 .title = s->title,
                                 .description = s->explains,
                                 .from = w->from,
                                 .step = w->step}};

    for (size_t i = 1;
         i < n && i <= (s->look == LOOK_SPANS || s->look == LOOK_RANGES ? 2 : PLOT_SERIES); i++) {
        d.plot.series[i - 1] = s->columns[i].name;
    }
    d.plot.n = d.plot.kind == PLOT_ROWS || d.plot.kind == PLOT_SPANS ? 0 : w->n;
    if (rows_tell(r, s, w, plot_row, &d, e) != 0) {
        plot_clear(&d.plot);
        return -1;
    }
    area_finish(&d);
    (void)fputs("<figure>", out);
    plot_write(out, &d.plot);
    (void)fprintf(out, "<figcaption class=\"note\">%s</figcaption></figure>\n", s->explains);
    plot_clear(&d.plot);
    return 0;
}
