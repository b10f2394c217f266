/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what a mirror has, shown: one page that needs nothing else (page.h), with figures
 * (plot.h) whose numbers are in tables behind them, and the same rows as CSV and JSON Lines.
 */
#pragma once

#include <time.h>

#include "db/audit/lint/findings.h"
#include "db/audit/mirror/mirror.h"

struct report {
    struct mirror *mirror;
    time_t now; /* what has expired then */
    bool key_is_given;
    bool is_linked;           /* numbers lead to lists, and rows to what they are about (serve/) */
    struct findings *checked; /* what `check` found; NULL: nobody asked */
};
/* The page. ERR_STORE; ERR_IO when it could not be written. */
int report_page(const struct report *, FILE *, struct err *e);
/* The same without what is around <header> and <main>: of a page that has begun. */
int report_body(const struct report *, FILE *, struct err *e);
/* A file for each section into a folder that is there: <section>.csv and .jsonl. */
int report_data(const struct report *, const char *folder, struct err *e);
