/* SPDX-License-Identifier: Apache-2.0 */
/*
 * document.h - the reading of a registration's JSON, shared by registration.c and
 * document_profiles.c. Every function sets ERR_INPUT that names the member.
 */
#pragma once

#include <jansson.h>

#include "ca/registration/registration.h"

/* An object of the document and how its members are named: "profiles[0]." */
struct document_at {
    json_t *object;
    const char *prefix;
};

/* Every member of the object is one of `names` (which NULL ends). */
int document_members_check(struct document_at, const char *const *names, struct err *e);
int document_string_get(struct document_at, const char *key, const char **out, struct err *e);
int document_integer_get(struct document_at, const char *key, int least, int most, int *out,
                         struct err *e);
int document_array_get(struct document_at, const char *key, const json_t **out, struct err *e);

/* "plmns" [{"mcc": "345", "mnc": "12"}] (PlmnId of TS 29.571), which may be missing. */
int document_plmns(struct document_at top, struct nf_identity *, struct err *e);
/* "profiles"; identity and proof have been read. */
int document_profiles(struct document_at top, const struct nf_rules *, struct registration *out,
                      struct err *e);
