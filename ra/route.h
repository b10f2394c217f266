/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route.h - what an HTTP request is for, from its method, path and type alone (RFC 9811 3.3, 3.4).
 *
 *   POST /.well-known/cmp[/p/<profile>][/<operation>]   application/pkixcmp
 *   GET  /crl/<name>.crl
 *
 * Pure.
 */
#pragma once

#include "ca/cmp/msg.h"
#include "ca/cmp/queue.h"
#include "ra/http_parse.h"

enum { ROUTE_FILE_MAX = 64 };

enum route_kind { ROUTE_CMP, ROUTE_CRL, ROUTE_REFUSED };

struct route {
    enum route_kind kind;
    int status;                        /* ROUTE_REFUSED: the HTTP status */
    char profile[CMP_PROFILE_MAX + 1]; /* ROUTE_CMP: "" when the path names none */
    int body;                          /* ROUTE_CMP: the body that the operation is for; -1: any */
    char file[ROUTE_FILE_MAX + 1];     /* ROUTE_CRL: a plain file name, "issuing.crl" */
};

void route_find(const struct http_request *, struct route *out);
/* May this body come on this path? certConf and pollReq may come on every one (RFC 9811 3.4). */
bool route_takes(const struct route *, enum cmp_body);
