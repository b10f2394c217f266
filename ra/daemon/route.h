/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.h - what an HTTP request is for, from its method, path and type alone (RFC 9811 3.3, 3.4).
 *
 *   POST /.well-known/cmp[/p/<profile>][/<operation>]   application/pkixcmp
 *   POST an alias of the configuration, as clients of other CAs have them
 *   GET  /crl/<name>.crl, /ledger/<file>                and HEAD
 *
 * Pure.
 */
#pragma once

#include "base/http/message/parse.h"
#include "ca/cmp/message/msg.h"
#include "ca/cmp/queue.h"

enum { ROUTE_FILE_MAX = 64, ROUTE_ALIASES_MAX = 64 };

enum route_kind { ROUTE_CMP, ROUTE_CRL, ROUTE_LEDGER, ROUTE_REFUSED };

struct route {
    enum route_kind kind;
    int status;                        /* ROUTE_REFUSED: the HTTP status */
    const char *allow;                 /* of a 405; else NULL */
    const char *why;                   /* ROUTE_REFUSED, for the log */
    char profile[CMP_PROFILE_MAX + 1]; /* ROUTE_CMP: "" when the path names none */
    int body;                          /* ROUTE_CMP: the body that the operation is for; -1: any */
    char file[ROUTE_FILE_MAX + 1]; /* ROUTE_CRL: a plain file name, "issuing.crl"; ROUTE_LEDGER: one
                                    * below its folder (ledger_file.h) */
};

/* A path that means a profile, and perhaps one operation of it. */
struct route_alias {
    char path[HTTP_PATH_MAX + 1];
    char profile[CMP_PROFILE_MAX + 1];
    int body; /* as in struct route */
    int line; /* of the configuration */
};

/* From the configuration; `operation` may be NULL. ERR_INPUT with the reason alone: a path that no
 * request can have or that would stand for one of ours, a profile or operation that cannot be. */
int route_alias_set(struct route_alias *, const char *path, const char *profile,
                    const char *operation, struct err *e);

/* Looks the path up among ours, then among the aliases. */
void route_find(const struct http_request *, const struct route_alias *aliases, size_t n_aliases,
                struct route *out);
/* May this body come on this path? What goes on with a transaction may on every one (RFC 9811 3.4).
 */
bool route_takes(const struct route *, enum cmp_body);
