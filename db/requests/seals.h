/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seals.h - what is sealed of ra.db (db/sealed/sealed.h): every row of every table.
 *
 * Who owns a row: the network function of its registration; a first message that was seen, a head
 * of the queue and its end are their own; what is remembered of the CA's log has one owner. What a
 * registration pins is sealed a second time, under the pin: so which registrations have it, and
 * that there is no other, is known before one is chosen by it.
 */
#pragma once

#include "db/sealed/sealed.h"

enum requests_owners {
    REQUESTS_OWNER_NF = 1, /* text nfInstanceId */
    REQUESTS_OWNER_PIN,    /* text reference; blob fingerprint, key or beginning of a subject */
    REQUESTS_OWNER_SEEN,
    REQUESTS_OWNER_HEAD,
    REQUESTS_OWNER_QUEUE_END,
    REQUESTS_OWNER_CA_LOG, /* number 1 */
};

/* The pin of proof kind vendor is so many octets of the subject at most: a key has a limit. */
enum { REQUESTS_PIN_SUBJECT_MAX = 500 };

extern const struct sealed_table requests_table_registration; /* id */
extern const struct sealed_table requests_table_pin;          /* id */
extern const struct sealed_table requests_table_enrolment;    /* id */
extern const struct sealed_table requests_table_certificate;  /* fingerprint */
extern const struct sealed_table requests_table_queue;        /* rid */
extern const struct sealed_table requests_table_seen;         /* identity, transaction_id; by key */
extern const struct sealed_table requests_table_head;         /* first; by key */
extern const struct sealed_table requests_table_queue_end;    /* 1; by key */
extern const struct sealed_table requests_table_ca_log;       /* id */

/* For sealed_options: all of them. */
enum { REQUESTS_TABLES = 9 };
extern const struct sealed_table *const requests_tables[REQUESTS_TABLES];

/* Is there nothing in it but what migrations make, a queue that begins at 1? In an operation of a
 * store that has a context. */
int requests_is_new(struct store_db *, bool *is_new, struct err *e);
