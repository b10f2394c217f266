/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/asked.h"

#include <openssl/err.h>

void
lint_asked_clear(struct lint_asked *a)
{
    leaf_free(a->intent);
    buf_free(&a->der);
    mem_free(a->verdict.serial);
    mem_free(a->verdict.profile);
    for (size_t i = 0; i < LINTS_MAX; i++) {
        mem_free(a->why[i]);
    }
    *a = (struct lint_asked){0};
}

static void
ask_all(struct lint_asked *a, const struct lint_case *c)
{
    struct lint_verdict *v = &a->verdict;

    for (size_t i = 0; lint_at(i) != NULL; i++) {
        const uint64_t bit = UINT64_C(1) << i;
        struct err why = {0};

        switch (lint_ask(lint_at(i), c, &why)) {
        case LINT_PASSED:
            v->passed |= bit;
            break;
        case LINT_FAILED:
            v->failed |= bit;
            a->why[i] = mem_strdup(why.text);
            break;
        case LINT_NOT_RUN:
            v->not_run |= bit;
            a->why[i] = mem_strdup(why.text);
            break;
        case LINT_APART:
            break;
        }
    }
}

void
lint_asked_judge(struct lint_asked *a, X509 *issuer)
{
    const unsigned char *p = a->der.p;
    CLEANUP(x509_cleanup) X509 *certificate = d2i_X509(NULL, &p, (long)a->der.n);
    json_t *document =
        a->document == NULL ? NULL : json_loads(a->document, JSON_REJECT_DUPLICATES, NULL);
    struct lint_profile profile;
    struct err unknown = {0};
    struct err e;
    struct lint_case c = {
        .intent = a->intent,
        .der = buf_span(&a->der),
        .issued = a->issued,
        .document = document,
        .issuer = issuer,
        .serial_twice = a->serial_twice,
        .key_owner = a->key_owner,
    };

    c.certificate = p == a->der.p + a->der.n ? certificate : NULL;
    ERR_clear_error();
    if (lint_table_find(a->table, leaf_text(a->intent, "profileFile"),
                        leaf_text(a->intent, "profile"), &profile, &unknown) == 0) {
        c.profile = &profile;
    }
    c.unknown = unknown.text;
    c.no_profile = unknown.code == ERR_DENIED;
    a->verdict.serial = mem_strdup(leaf_text(a->intent, "serial"));
    a->verdict.profile = mem_strdup(leaf_text(a->intent, "profile"));
    if (audit_outline_read(c.der, &c.outline, &e) == 0) {
        ask_all(a, &c);
    }
    ERR_clear_error();
    json_decref(document);
}
