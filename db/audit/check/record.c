/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/check/record.h"

struct record {
    struct record_use *use;
    struct record_service *service;
    struct record_reports *reports;
    struct record_keys *keys;
};

struct record *
record_new(struct findings *findings)
{
    struct record *r = mem_new(sizeof(*r));

    r->use = record_use_new(findings);
    r->service = record_service_new(findings);
    r->reports = record_reports_new(findings);
    r->keys = record_keys_new(findings);
    return r;
}

void
record_free(struct record *r)
{
    if (r != NULL) {
        record_use_free(r->use);
        record_service_free(r->service);
        record_reports_free(r->reports);
        record_keys_free(r->keys);
        mem_free(r);
    }
}

int
record_crl(struct record *r, const char *name, struct span der, struct err *e)
{
    return record_service_crl(r->service, name, der, e);
}

int
record_log_key(struct record *r, struct span spki, struct err *e)
{
    return record_keys_log(r->keys, spki, e);
}

void
record_leaf(void *record, uint64_t index, const struct leaf *leaf)
{
    struct record *r = record;

    record_use_leaf(r->use, index, leaf);
    record_service_leaf(r->service, index, leaf);
    record_reports_leaf(r->reports, index, leaf);
    record_keys_leaf(r->keys, index, leaf);
}

void
record_end(struct record *r)
{
    record_service_end(r->service);
    record_keys_end(r->keys);
}
