/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.h - what people should look at: each with an identifier that stays from one version to
 * the next, so that two runs can be compared.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "db/audit/out/sink.h"

enum severity {
    SEVERITY_ERROR,   /* it must not be */
    SEVERITY_WARNING, /* it may be right, for reasons that are not in the record */
    SEVERITY_NOTICE,  /* it is as it should be, and people should know of it */
};
const char *severity_name(enum severity);

/* What is looked for; constant. */
struct finding_kind {
    const char *id; /* "lint.ku.value" */
    enum severity severity;
    const char *clause; /* where it is written */
};

struct finding {
    const struct finding_kind *kind;
    uint64_t leaf;
    char *serial; /* NULL: it is not about a certificate */
    char *text;
};

struct findings;
void findings_free(struct findings *);
struct findings *findings_new(void) OWNED(findings_free);
DEFINE_CLEANUP(findings_cleanup, struct findings, findings_free)
/* The kind must outlive it; `serial` may be NULL. */
void findings_add(struct findings *, const struct finding_kind *, uint64_t leaf, const char *serial,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Those about earlier leaves are not added from here on. Gives the one before; 0 at first. */
uint64_t findings_from(struct findings *, uint64_t leaf);
bool findings_wants(const struct findings *, uint64_t leaf);

/* How many that are no notices, and how many of one severity. */
size_t findings_count(const struct findings *);
size_t findings_of(const struct findings *, enum severity);
/* A row for each, by their leaves: id, severity, clause, serial, text, leaf. */
int findings_write(struct findings *, enum sink_format, FILE *, struct err *e);
/* In the order in which they were added, or written; NULL behind the last. */
const struct finding *findings_at(const struct findings *, size_t i);
