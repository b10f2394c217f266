/* SPDX-License-Identifier: Apache-2.0 */
/* The log key and the root that each START names: they are those that verify, and stay. */
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/check/record.h"

static const struct finding_kind LOG_KEY = {"check.key.log", SEVERITY_ERROR, "db/LEDGER.md"};
static const struct finding_kind ROOT = {"check.root.changed", SEVERITY_WARNING, "BR 5.4.1(1)"};
static const struct finding_kind UNSAID = {"check.root.ceremony", SEVERITY_NOTICE, "BR 5.4.1(1)"};

struct record_keys {
    struct findings *findings;
    char verifies[2 * SHA256_SIZE + 1]; /* the log key of who verifies; empty: nobody said */
    char log_key[2 * SHA256_SIZE + 1];  /* of the last START that names one; empty: none */
    char root[2 * SHA256_SIZE + 1];
    uint64_t root_leaf; /* the START that named it first */
    size_t roots;       /* so many followed each other */
    size_t ceremonies;  /* that make a root, */
    bool any_ceremony;  /* of those that say what they are */
};

struct record_keys *
record_keys_new(struct findings *findings)
{
    struct record_keys *k = mem_new(sizeof(*k));

    k->findings = findings;
    return k;
}

void
record_keys_free(struct record_keys *k)
{
    mem_free(k);
}

int
record_keys_log(struct record_keys *k, struct span spki, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    if (sha256(spki, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), k->verifies);
    return 0;
}

static void
log_key_judge(struct record_keys *k, uint64_t index, const char *log_key)
{
    if (k->verifies[0] != '\0' && strcmp(log_key, k->verifies) != 0) {
        findings_add(k->findings, &LOG_KEY, index, NULL,
                     "it names log key %s, and the record is signed by %s", log_key, k->verifies);
    } else if (k->log_key[0] != '\0' && strcmp(log_key, k->log_key) != 0) {
        findings_add(k->findings, &LOG_KEY, index, NULL,
                     "it names log key %s, and the START before named %s", log_key, k->log_key);
    }
    (void)snprintf(k->log_key, sizeof(k->log_key), "%s", log_key);
}

static void
root_judge(struct record_keys *k, uint64_t index, const char *root)
{
    if (strcmp(root, k->root) == 0) {
        return;
    }
    if (k->root[0] != '\0') {
        findings_add(k->findings, &ROOT, index, NULL,
                     "it names root %s, and the START before named %s", root, k->root);
    }
    (void)snprintf(k->root, sizeof(k->root), "%s", root);
    k->root_leaf = index;
    k->roots++;
}

void
record_keys_leaf(struct record_keys *k, uint64_t index, const struct leaf *leaf)
{
    const char *type = leaf_kind(leaf) == LEAF_CEREMONY ? leaf_text(leaf, "type") : NULL;

    if (type != NULL) {
        k->any_ceremony = true;
        k->ceremonies += strcmp(type, "root-generate") == 0;
    }
    if (leaf_kind(leaf) == LEAF_START && leaf_text(leaf, "logKey") != NULL) {
        log_key_judge(k, index, leaf_text(leaf, "logKey"));
    }
    if (leaf_kind(leaf) == LEAF_START && leaf_text(leaf, "root") != NULL) {
        root_judge(k, index, leaf_text(leaf, "root"));
    }
}

/* A CEREMONY has hashes of a bundle, and not of what was made: they are counted. It may be recorded
 * after the START. */
void
record_keys_end(struct record_keys *k)
{
    if (k->any_ceremony && k->roots > k->ceremonies) {
        findings_add(k->findings, &UNSAID, k->root_leaf, NULL,
                     "%zu roots were named up to here, and the record has %zu ceremonies that make "
                     "one: ask for the bundle of the others",
                     k->roots, k->ceremonies);
    }
}
