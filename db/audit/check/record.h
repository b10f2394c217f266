/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record.h - what must be true of a record beyond what makes it one (db/audit/rules/, where a leaf
 * that breaks a rule ends all), and beyond each certificate by itself (lint/lint.h): what people
 * should look at, as findings. An audit_leaf (verify.h): the leaves in order, then the end.
 *
 * use.c      registrations are used as often, and as long, as they allow; names and keys have one
 *            owner; who decides is not who registered
 * service.c  stops, intents without an end, CRLs in time and as they were given, clocks
 * reports.c  starts and stops of RAs
 * keys.c     the log key and the root that STARTs name
 *
 * Memory: registrations, names, and the key of each certificate.
 */
#pragma once

#include "db/audit/lint/findings.h"
#include "db/ledger/leaf.h"

struct record;
void record_free(struct record *);
/* The findings must outlive it. */
struct record *record_new(struct findings *) OWNED(record_free);
DEFINE_CLEANUP(record_cleanup, struct record, record_free)
/* Before the first leaf: a CRL in DER, whose entries are compared with what the record says that it
 * has. ERR_INPUT when it is none. */
int record_crl(struct record *, const char *name, struct span der, struct err *e);

/* The log key that verifies the record: a START that names another one is found. */
int record_log_key(struct record *, struct span spki, struct err *e);

void record_leaf(void *record, uint64_t index, const struct leaf *);
/* Behind the last leaf: what is still so, also of leaves that findings_from() leaves out. */
void record_end(struct record *);

/* ---- private to record.c: its parts, each as above ---- */

struct record_use;
void record_use_free(struct record_use *);
struct record_use *record_use_new(struct findings *) OWNED(record_use_free);
void record_use_leaf(struct record_use *, uint64_t index, const struct leaf *);

struct record_service;
void record_service_free(struct record_service *);
struct record_service *record_service_new(struct findings *) OWNED(record_service_free);
int record_service_crl(struct record_service *, const char *name, struct span der, struct err *e);
void record_service_leaf(struct record_service *, uint64_t index, const struct leaf *);
void record_service_end(struct record_service *);

struct record_reports;
void record_reports_free(struct record_reports *);
struct record_reports *record_reports_new(struct findings *) OWNED(record_reports_free);
void record_reports_leaf(struct record_reports *, uint64_t index, const struct leaf *);

struct record_keys;
void record_keys_free(struct record_keys *);
struct record_keys *record_keys_new(struct findings *) OWNED(record_keys_free);
int record_keys_log(struct record_keys *, struct span spki, struct err *e);
void record_keys_leaf(struct record_keys *, uint64_t index, const struct leaf *);
void record_keys_end(struct record_keys *);
