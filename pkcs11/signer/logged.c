/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/signer/logged.h"

#include <inttypes.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/checkpoint.h"
#include "pkcs11/client/evidence.h"
#include "pkcs11/signer/leaf.h"
#include "pkcs11/signer/object.h"

/* A proof that does not hold is a refusal, no failure of this signer. */
static int
deny(struct err *e, const char *field)
{
    if (e->code != ERR_INPUT) {
        e->code = ERR_DENIED;
    }
    return err_wrap(e, "%s", field);
}

/* A note with the octets of the last good one is good. */
static int
open_note(const struct policy *p, struct span note, struct checkpoint *out, struct err *e)
{
    struct policy_memo *memo = p->memo;

    if (memo != NULL && memo->n > 0 && span_equal(note, span_of(memo->note, memo->n))) {
        *out = memo->checkpoint;
        return 0;
    }
    if (checkpoint_open(&p->log, note, out, e) != 0) {
        return -1;
    }
    if (memo != NULL && note.n <= sizeof(memo->note)) { /* one that the log alone signed */
        memcpy(memo->note, note.p, note.n);
        memo->n = note.n;
        memo->checkpoint = *out;
    }
    return 0;
}

static int
check_covered(const struct policy *p, const struct evidence *v, struct err *e)
{
    struct merkle_proof path = {.n = v->path.n / MERKLE_HASH};
    const struct merkle_hash leaf = merkle_leaf(v->leaf);
    struct checkpoint checkpoint;

    if (open_note(p, v->note, &checkpoint, e) != 0) {
        return deny(e, "evidence");
    }
    if (v->index >= checkpoint.size) {
        return err_set(e, ERR_DENIED,
                       "checkpoint: it covers %" PRIu64 " leaves, and not leaf %" PRIu64,
                       checkpoint.size, v->index);
    }
    if (path.n > 0) {
        memcpy(path.hashes, v->path.p, v->path.n);
    }
    return merkle_verify_inclusion(v->index, checkpoint.size, &leaf, &path, &checkpoint.root, e) ==
                   0
               ? 0
               : deny(e, "path");
}

static bool
is_hex_of(struct span text, struct span bytes)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(bytes);

    return span_equal(text, span_str(hex));
}

/* The leaf is of this kind, and its tbs is the hash of what is to be signed; *serial gets its
 * member. */
static int
check_leaf(struct span leaf, const char *kind, struct span tbs, const char *what,
           struct span *serial, struct err *e)
{
    struct leaf_member m[] = {{.name = "kind"}, {.name = "serial"}, {.name = "tbs"}};
    uint8_t hash[SHA256_SIZE];

    if (leaf_read(leaf, m, ARRAY_LEN(m), e) != 0) {
        return err_wrap(e, "leaf");
    }
    if (!span_equal(m[0].text, span_str(kind))) {
        return err_set(e, ERR_DENIED, "leaf: it is not %s %s", kind[0] == 'I' ? "an" : "a", kind);
    }
    if (sha256(tbs, hash, e) != 0) {
        return -1;
    }
    if (!is_hex_of(m[2].text, span_of(hash, sizeof(hash)))) {
        return err_set(e, ERR_DENIED, "leaf: its tbs is not the SHA-256 of this %s", what);
    }
    *serial = m[1].text;
    return 0;
}

/* Auditors go by the leaf when they decide how long a revocation belongs on CRLs. */
static int
check_times(struct span leaf, struct span tbs, struct err *e)
{
    struct leaf_member m[] = {{.name = "notBefore"}, {.name = "notAfter"}};
    char from[TIME_TEXT_SIZE];
    char to[TIME_TEXT_SIZE];

    if (object_validity(tbs, from, to, e) != 0) {
        return -1;
    }
    if (leaf_read(leaf, m, ARRAY_LEN(m), e) != 0) {
        return err_wrap(e, "leaf");
    }
    return span_equal(m[0].text, span_str(from)) && span_equal(m[1].text, span_str(to))
               ? 0
               : err_set(e, ERR_DENIED,
                         "leaf: its notBefore or notAfter is another than the certificate's");
}

int
logged_check_certificate(const struct policy *p, struct span tbs, struct span evidence,
                         struct err *e)
{
    struct evidence v;
    struct span said;
    uint8_t serial[AGAIN_SERIAL];

    if (evidence_decode(evidence, &v, e) != 0 || check_covered(p, &v, e) != 0 ||
        object_serial(tbs, serial, e) != 0 ||
        check_leaf(v.leaf, "INTENT", tbs, "TBSCertificate", &said, e) != 0) {
        return -1;
    }
    return is_hex_of(said, span_of(serial, sizeof(serial)))
               ? check_times(v.leaf, tbs, e)
               : err_set(e, ERR_DENIED, "leaf: its serial is another than the certificate's");
}

static int
check_said(struct span leaf, const struct crl_said *said, struct err *e)
{
    CLEANUP(mem_cleanup) char *number = mem_printf("%" PRIu64, said->number);
    CLEANUP(mem_cleanup) char *entries = mem_printf("%zu", said->entries);
    CLEANUP(mem_cleanup)
    char *digest = hex_dup(span_of(said->revocations, sizeof(said->revocations)));
    struct leaf_member m[] = {{.name = "number", .is_number = true},
                              {.name = "entries", .is_number = true},
                              {.name = "thisUpdate"},
                              {.name = "nextUpdate"},
                              {.name = "revocations"}};
    const char *const right[] = {number, entries, said->this_update, said->next_update, digest};

    if (leaf_read(leaf, m, ARRAY_LEN(m), e) != 0) {
        return err_wrap(e, "leaf");
    }
    for (size_t i = 0; i < ARRAY_LEN(m); i++) {
        if (!span_equal(m[i].text, span_str(right[i]))) {
            return err_set(e, ERR_DENIED, "leaf: its %s is not that of this TBSCertList",
                           m[i].name);
        }
    }
    return 0;
}

int
logged_check_crl(const struct policy *p, struct span tbs, const struct crl_said *said,
                 struct span evidence, struct err *e)
{
    struct evidence v;
    struct span none;

    if (evidence_decode(evidence, &v, e) != 0 || check_covered(p, &v, e) != 0 ||
        check_leaf(v.leaf, "CRL-INTENT", tbs, "TBSCertList", &none, e) != 0) {
        return -1;
    }
    return check_said(v.leaf, said, e);
}
