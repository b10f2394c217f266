/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.h - what a path is for. Pure.
 *
 *   /                                    the report
 *   /certificates, /certificates.csv, /certificates.jsonl, and so each noun of a list
 *   /show/WHAT, /show/WHAT.json          what the record has about it; /show?q=WHAT
 *   /explain/WHAT                        a certificate or request, in sentences
 *   /prove/WHAT                          its proof, or that of a leaf
 *   /help
 */
#pragma once

#include <stdbool.h>

#include "db/audit/query/noun.h"

enum { ROUTE_WHAT_MAX = 132 }; /* a serial with its colons */

enum route_kind { ROUTE_REPORT, ROUTE_LIST, ROUTE_SHOW, ROUTE_EXPLAIN, ROUTE_PROVE, ROUTE_HELP };
enum route_format { ROUTE_HTML, ROUTE_CSV, ROUTE_JSONL, ROUTE_JSON, ROUTE_PROOF };

struct route {
    enum route_kind kind;
    enum route_format format;
    const struct noun *noun;       /* of a list */
    char what[ROUTE_WHAT_MAX + 1]; /* letters, digits, '-', ':'; empty: /show alone */
};
/* False: nothing is there. */
bool route_parse(const char *path, struct route *);
