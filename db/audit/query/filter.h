/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter.h - what a question is narrowed by: each filter has a name, and a value that somebody
 * typed. A value is bound to a statement, never written into it.
 */
#pragma once

#include <sqlite3.h>
#include <time.h>

#include "base/buf.h"

/* The name is that of the option. */
enum filter {
    FILTER_NF,      /* nfInstanceId */
    FILTER_NF_TYPE, /* "AMF" */
    FILTER_SERIAL,
    FILTER_REQUEST, /* rid */
    FILTER_REGISTRATION,
    FILTER_SUBJECT, /* a part of it */
    FILTER_NAME,    /* whole; * stands for anything */
    FILTER_PROFILE,
    FILTER_STATUS,
    FILTER_REASON,    /* CRLReason, by name or number; or a part of the text */
    FILTER_SINCE,     /* from then on, and */
    FILTER_UNTIL,     /* until then; a date is the whole day */
    FILTER_REGISTRAR, /* serial, or a part of the subject */
    FILTER_OFFICER,
    FILTER_RA,
    FILTER_SPKI,           /* SHA-256 of the SubjectPublicKeyInfo */
    FILTER_ISSUER,         /* SHA-256 of the issuing certificate */
    FILTER_EXPIRES_WITHIN, /* days */
    FILTER_NEVER_USED,     /* no value: any text */
    FILTER_ACTION,
    FILTER_PLACE, /* "CA", "RA" */
    FILTER_BY,    /* a part of who did it at an admin socket */
    FILTERS,
};
/* "expires-within" */
const char *filter_option(enum filter);
bool filter_has_value(enum filter);

/* What was typed, NULL where nothing was; borrowed. */
struct filters {
    const char *typed[FILTERS];
};

/* Binds them, and :now, to the parameters that the statement has; NULL has none. ERR_INPUT names
 * the option whose value is none. */
int filters_bind(const struct filters *, time_t now, sqlite3_stmt *, struct err *e);

/* YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ; a date is its first second, or its last. */
int filter_time_parse(const char *text, bool is_end, time_t *out, struct err *e);
