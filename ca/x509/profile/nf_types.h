/* SPDX-License-Identifier: Apache-2.0 */
/* nf_types.h - what nf.c needs of nf_types.c beside nf.h. */
#pragma once

#include "ca/x509/profile/nf.h"

/* 1..16, formed, each once, in ascending ASCII order (RFC 9310 3). ERR_INPUT names the element. */
int nf_types_check_order(const struct nf_identity *, struct err *e);
/* The standard type that differs in the case of letters at most; NULL: none. */
const char *nf_type_lookalike(const char *type);
