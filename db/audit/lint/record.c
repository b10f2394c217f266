/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/record.h"

struct record {
    struct record_use *use;
    struct record_service *service;
};

struct record *
record_new(struct findings *findings)
{
    struct record *r = mem_new(sizeof(*r));

    r->use = record_use_new(findings);
    r->service = record_service_new(findings);
    return r;
}

void
record_free(struct record *r)
{
    if (r != NULL) {
        record_use_free(r->use);
        record_service_free(r->service);
        mem_free(r);
    }
}

int
record_crl(struct record *r, const char *name, struct span der, struct err *e)
{
    return record_service_crl(r->service, name, der, e);
}

void
record_leaf(void *record, uint64_t index, const struct leaf *leaf)
{
    struct record *r = record;

    record_use_leaf(r->use, index, leaf);
    record_service_leaf(r->service, index, leaf);
}

void
record_end(struct record *r)
{
    record_service_end(r->service);
}
