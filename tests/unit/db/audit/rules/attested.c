/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA claims to have from an RA: each thing of it wrong in turn. */
#include "db/audit/rules/attested.h"

#include <openssl/rsa.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/queue_head.h"
#include "db/ledger/leaf.h"
#include "tests/support/der_text.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/rules/ra.h"

#define ID "0123456789abcdef0123456789abcdef"
#define OTHER_ID "1123456789abcdef0123456789abcdef"
#define RID "abababababababababababababababababababababababababababababababab"
#define OTHER_RID "acababababababababababababababababababababababababababababababab"
#define CA "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OTHER_CA "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define ENTRY                                                                                      \
    "30{0c{'" ID "'}0a{00}0c{'nf-tls'}18{'20261123205251Z'}"                                       \
    "04{ab*32}}"

enum { RECEIVED = 1795467171 /* says ENTRY */, AT = 1795467180, FIRST = 10, SIZE = 3, PLACE = 11 };

static struct audit_ra w; /* the RA that speaks */
static EVP_PKEY *other_key;

static struct audit_ra
ra_of(EVP_PKEY *key, long serial)
{
    return audit_ra_new(key, serial, AT - 100, AT + 10L * 86400);
}

static int
setup(void **state)
{
    (void)state;
    w = ra_of(EVP_EC_gen("P-256"), 0x41424344);
    other_key = EVP_EC_gen("P-256");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    audit_ra_end(&w);
    EVP_PKEY_free(other_key);
    return 0;
}

/* ---- what is right, but for what a row says ---- */

enum step { NOTHING, RA_REVOKED, SECOND_HEAD, START_ELSEWHERE };

struct row {
    const char *name;
    const char *says; /* NULL: nothing is wrong */
    /* the head */
    const char *profile; /* of the RA's certificate */
    bool for_nf;         /* it has a registration */
    const char *ca;      /* that the head is for */
    bool other_key;      /* is named */
    bool other_signer;
    bool other_digest; /* than goes with the key */
    bool other_name;   /* the leaf has the hash of another text */
    const char *text;  /* in place of the text */
    time_t at;         /* of the head, since AT */
    int version;       /* of the record; 0: 2 */
    enum step between;
    /* the REQUEST */
    const char *no_head; /* it names another head */
    time_t later;        /* since AT */
    int place;           /* 0: PLACE */
    bool no_entry, no_path;
    const char *entry;        /* 0: ENTRY, in the leaf only */
    const char *registration; /* of the leaf */
    const char *rid;
    const char *assurance;
    const char *made_by; /* NULL: it does not say */
    int made;            /* since RECEIVED */
    bool no_made;
    bool again; /* an AGAIN instead */
};

static int
note(struct audit_attested *a, int version, struct leaf *made, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = made;

    assert_ok(leaf_seal(leaf, e), e);
    return audit_attested_check(a, version, leaf, e);
}

static void
begin(struct audit_attested *a, const struct row *r, int version, const char *issuer)
{
    struct leaf *leaf = leaf_new(LEAF_START, AT);
    struct err e = {0};

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", "0");
    leaf_set_text(leaf, "config", RID);
    leaf_set_bool(leaf, "softwareToken", false);
    leaf_set_text(leaf, "issuer", issuer);
    assert_ok(note(a, version, leaf, &e), &e);
    (void)r;
}

static void
certify(struct audit_attested *a, const struct row *r, int version)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(4096);
    struct leaf *leaf = leaf_new(LEAF_INTENT, AT);
    struct err e = {0};

    leaf_set_text(leaf, "rid", OTHER_RID);
    leaf_set_text(leaf, "serial", w.serial);
    leaf_set_text(leaf, "profile", r->profile != NULL ? r->profile : "ra-cmp");
    leaf_set_text(leaf, "tbs", RID);
    leaf_set_time(leaf, "notBefore", AT);
    leaf_set_time(leaf, "notAfter", AT + 1000);
    if (r->for_nf) {
        leaf_set_text(leaf, "registration", ID);
    }
    assert_ok(note(a, version, leaf, &e), &e);
    leaf = leaf_new(LEAF_ISSUED, AT);
    assert_ok(OSSL_ENCODE(X509, w.certificate, &der, &e), &e);
    leaf_set_text(leaf, "rid", OTHER_RID);
    leaf_set_text(leaf, "serial", w.serial);
    leaf_set_base64(leaf, "certificate", buf_span(&der));
    assert_ok(note(a, version, leaf, &e), &e);
}

static void
revoke(struct audit_attested *a, int version)
{
    struct leaf *leaf = leaf_new(LEAF_REVOKED, AT);
    struct err e = {0};

    leaf_set_text(leaf, "serial", w.serial);
    leaf_set_int(leaf, "reason", 1);
    assert_ok(note(a, version, leaf, &e), &e);
}

/* The entry is in the middle of three. */
static void
make_tree(const char *entry, struct queue_head *h, struct buf *der, struct buf *path)
{
    uint8_t leaves[SIZE * MERKLE_HASH];
    struct err e = {0};

    der_text(entry, der);
    for (size_t i = 0; i < SIZE; i++) {
        const struct merkle_hash hash =
            merkle_leaf(i == PLACE - FIRST ? buf_span(der) : SPAN_LITERAL("another"));

        memcpy(leaves + i * MERKLE_HASH, hash.octets, MERKLE_HASH);
    }
    assert_ok(queue_head_root(span_of(leaves, sizeof(leaves)), &h->root, &e), &e);
    assert_ok(queue_head_path(span_of(leaves, sizeof(leaves)), PLACE - FIRST, path, &e), &e);
}

static void
make_text(const struct row *r, uint64_t first, struct buf *text, struct buf *path)
{
    CLEANUP(buf_free) struct buf entry = BUF_INIT(1024);
    struct queue_head h = {.first = first, .size = SIZE, .time = AT};
    struct err e = {0};

    memcpy(h.ra, w.key_hash, sizeof(h.ra));
    h.ra[0] ^= r->other_key ? 1 : 0;
    assert_ok(hex_parse(r->ca != NULL ? r->ca : CA, h.ca, sizeof(h.ca), &e), &e);
    make_tree(ENTRY, &h, &entry, path);
    assert_ok(queue_head_format(&h, text, &e), &e);
    if (r->text != NULL) {
        assert_ok(buf_set(text, span_str(r->text), &e), &e);
    }
}

static int
commit(struct audit_attested *a, const struct row *r, int version, uint64_t first, struct buf *text,
       struct buf *path, struct err *e)
{
    struct leaf *leaf = leaf_new(LEAF_QUEUE_HEAD, AT + r->at);
    uint8_t hash[SHA256_SIZE];

    make_text(r, first, text, path);
    assert_ok(sha256(buf_span(text), hash, e), e);
    hash[0] ^= r->other_name ? 1 : 0;
    leaf_set_hex(leaf, "head", span_of(hash, sizeof(hash)));
    leaf_set_base64(leaf, "text", buf_span(text));
    leaf_set_text(leaf, "ra", w.serial);
    audit_ra_sign(r->other_signer ? other_key : w.key, r->other_digest, buf_span(text), leaf);
    return note(a, version, leaf, e);
}

static int
ask(struct audit_attested *a, const struct row *r, int version, struct span text, struct span path,
    struct err *e)
{
    struct leaf *leaf = leaf_new(r->again ? LEAF_AGAIN : LEAF_REQUEST, AT + r->later);
    CLEANUP(buf_free) struct buf entry = BUF_INIT(1024);
    uint8_t hash[SHA256_SIZE];

    assert_ok(sha256(text, hash, e), e);
    leaf_set_hex(leaf, "head", span_of(hash, sizeof(hash)));
    if (r->no_head != NULL) {
        leaf_set_text(leaf, "head", r->no_head);
    }
    leaf_set_text(leaf, "rid", r->rid != NULL ? r->rid : RID);
    leaf_set_text(leaf, "registration", r->registration != NULL ? r->registration : ID);
    leaf_set_int(leaf, "qseq", r->place != 0 ? r->place : PLACE);
    if (r->again) {
        leaf_set_text(leaf, "again", OTHER_RID);
        leaf_set_text(leaf, "serial", w.serial);
        leaf_set_time(leaf, "messageTime", AT);
        return note(a, version, leaf, e);
    }
    leaf_set_text(leaf, "profile", "nf-tls");
    leaf_set_text(leaf, "assurance", r->assurance != NULL ? r->assurance : "mac");
    der_text(r->entry != NULL ? r->entry : ENTRY, &entry);
    if (!r->no_entry) {
        leaf_set_base64(leaf, "entry", buf_span(&entry));
    }
    if (!r->no_path) {
        leaf_set_base64(leaf, "path", path);
    }
    if (r->made_by != NULL) {
        leaf_set_text(leaf, "madeBy", r->made_by);
    }
    if (r->made_by != NULL && !r->no_made) {
        leaf_set_time(leaf, "made", RECEIVED + r->made);
    }
    return note(a, version, leaf, e);
}

static int
tell(struct audit_attested *a, const struct row *r, struct err *e)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    CLEANUP(buf_free) struct buf path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
    CLEANUP(buf_free) struct buf more = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    CLEANUP(buf_free) struct buf other = BUF_INIT(QUEUE_HEAD_PATH_MAX);
    const int version = r->version != 0 ? r->version : 2;

    begin(a, r, version, CA);
    certify(a, r, version);
    if (commit(a, r, version, FIRST, &text, &path, e) != 0) {
        return -1;
    }
    switch (r->between) {
    case NOTHING:
        break;
    case RA_REVOKED:
        revoke(a, version);
        break;
    case SECOND_HEAD: /* two days after it */
        assert_ok(
            commit(a, &(struct row){.at = 2L * LEAF_HEAD_AGE_MAX}, version, 100, &more, &other, e),
            e);
        break;
    case START_ELSEWHERE:
        begin(a, r, version, OTHER_CA);
        break;
    }
    return ask(a, r, version, buf_span(&text), buf_span(&path), e);
}

static const struct row ROWS[] = {
    {.name = "right"},
    {.name = "right, asked again", .again = true},
    {.name = "right, a day later", .later = LEAF_HEAD_AGE_MAX},
    {.name = "right, the clock was set back", .later = -50},
    {.name = "right, after a start of another CA", .between = START_ELSEWHERE},

    {.name = "a head in a record of before",
     .version = 1,
     .says = "a QUEUE-HEAD in a record of version 1"},
    {.name = "a head that is none", .text = "no head", .says = "a QUEUE-HEAD that is none: "},
    {.name = "a head under another name",
     .other_name = true,
     .says = "a QUEUE-HEAD under the name of another text"},
    {.name = "a head by a registrar", .profile = "registrar", .says = ", which is no RA then"},
    {.name = "a head by a network function", .for_nf = true, .says = ", which is no RA then"},
    {.name = "a head before its certificate", .at = -101, .says = ", which is no RA then"},
    {.name = "a head after its certificate",
     .at = 10L * 86400 + 1,
     .says = ", which is no RA then"},
    {.name = "a head for another CA", .ca = OTHER_CA, .says = "that is meant for another CA"},
    {.name = "a head of another key", .other_key = true, .says = "that names another key"},
    {.name = "a head signed by another key",
     .other_signer = true,
     .says = "whose signature does not verify"},

    {.name = "no such head", .no_head = RID, .says = "the REQUEST " RID " rests on no QUEUE-HEAD"},
    {.name = "half a head's name", .no_head = ID, .says = "rests on no QUEUE-HEAD"},
    {.name = "asked again: no such head",
     .again = true,
     .no_head = RID,
     .says = "the AGAIN " OTHER_RID " rests on no QUEUE-HEAD"},
    {.name = "more than a day later",
     .later = LEAF_HEAD_AGE_MAX + 1,
     .says = "rests on no QUEUE-HEAD of the day before"},
    {.name = "forgotten", .between = SECOND_HEAD, .says = "rests on no QUEUE-HEAD of the day"},
    {.name = "the RA is revoked meanwhile",
     .between = RA_REVOKED,
     .says = "rests on a QUEUE-HEAD by serial 41424344, which is no RA then"},
    {.name = "the RA has ended meanwhile",
     .at = 10L * 86400,
     .later = 10L * 86400 + 1,
     .says = "rests on a QUEUE-HEAD by serial 41424344, which is no RA then"},
    {.name = "before its places",
     .place = FIRST - 1,
     .says = "has place 9, which its QUEUE-HEAD has not"},
    {.name = "behind its places",
     .place = FIRST + SIZE,
     .says = "has place 13, which its QUEUE-HEAD has not"},
    {.name = "asked again: behind its places",
     .again = true,
     .place = FIRST + SIZE,
     .says = "has place 13, which its QUEUE-HEAD has not"},
    {.name = "no entry", .no_entry = true, .says = "does not say what its RA attested"},
    {.name = "no path", .no_path = true, .says = "is not under its QUEUE-HEAD"},
    {.name = "another place", .place = FIRST, .says = "is not under its QUEUE-HEAD"},
    {.name = "another entry",
     .entry = "30{0c{'" ID "'}0a{01}0c{'nf-tls'}18{'20261123205251Z'}04{ab*32}}",
     .says = "is not under its QUEUE-HEAD"},
    {.name = "another registration",
     .registration = OTHER_ID,
     .says = "says otherwise than its RA attested"},
    {.name = "another message", .rid = OTHER_RID, .says = "says otherwise than its RA attested"},
    {.name = "another assurance",
     .assurance = "signature",
     .says = "says otherwise than its RA attested"},

    {.name = "made as the RA says", .version = 3, .made_by = "ra"},
    {.name = "made as the requester says", .version = 3, .made_by = "requester", .made = -1},
    {.name = "a day before", .version = 3, .made_by = "requester", .made = -86400},
    {.name = "a day after", .version = 3, .made_by = "requester", .made = 86400},
    {.name = "nobody says when it was made",
     .version = 3,
     .says = "the REQUEST " RID " does not say when it was made"},
    {.name = "somebody says, but not what",
     .version = 3,
     .made_by = "ra",
     .no_made = true,
     .says = "does not say when it was made"},
    {.name = "made otherwise than the RA says",
     .version = 3,
     .made_by = "ra",
     .made = 1,
     .says = "was made at another time than its RA attested"},
    {.name = "more than a day before",
     .version = 3,
     .made_by = "requester",
     .made = -86401,
     .says = "was made at another time than its RA attested"},
    {.name = "more than a day after",
     .version = 3,
     .made_by = "requester",
     .made = 86401,
     .says = "was made at another time than its RA attested"},
    {.name = "made as somebody else says",
     .version = 3,
     .made_by = "officer",
     .says = "was made at another time than its RA attested"},
};

static void
what_the_ra_did_not_sign_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const struct row *r = &ROWS[i];
        struct audit_attested *a = audit_attested_new();
        struct err e = {0};
        const int result = tell(a, r, &e);

        audit_attested_free(a);
        if ((result == 0) != (r->says == NULL) ||
            (result != 0 && (e.code != ERR_CRYPTO || strstr(e.text, r->says) == NULL))) {
            fail_msg("%s: %s", r->name, result == 0 ? "nothing is found" : e.text);
        }
    }
}

/* An entry that is signed, and is none. */
static void
what_the_ra_signed_is_an_entry(void **state)
{
    struct audit_attested *a = audit_attested_new();
    CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    CLEANUP(buf_free) struct buf path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
    const struct row r = {.entry = "05{}", .place = FIRST};
    struct queue_head h = {.first = FIRST, .size = 1, .time = AT};
    struct leaf *leaf = leaf_new(LEAF_QUEUE_HEAD, AT);
    CLEANUP(buf_free) struct buf entry = BUF_INIT(64);
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    (void)state;
    begin(a, &r, 2, CA);
    certify(a, &r, 2);
    der_text(r.entry, &entry);
    h.root = merkle_leaf(buf_span(&entry));
    memcpy(h.ra, w.key_hash, sizeof(h.ra));
    assert_ok(hex_parse(CA, h.ca, sizeof(h.ca), &e), &e);
    assert_ok(queue_head_format(&h, &text, &e), &e);
    assert_ok(sha256(buf_span(&text), hash, &e), &e);
    leaf_set_hex(leaf, "head", span_of(hash, sizeof(hash)));
    leaf_set_base64(leaf, "text", buf_span(&text));
    leaf_set_text(leaf, "ra", w.serial);
    audit_ra_sign(w.key, false, buf_span(&text), leaf);
    assert_ok(note(a, 2, leaf, &e), &e);
    assert_int_equal(ask(a, &(struct row){.entry = "05{}", .place = FIRST, .no_path = true}, 2,
                         buf_span(&text), buf_span(&path), &e),
                     -1);
    assert_non_null(strstr(e.text, "what the RA attested is no entry"));
    audit_attested_free(a);
}

/* As RAs did before, and not any more. */
static void
what_names_no_head_is_of_before(void **state)
{
    (void)state;
    for (int version = 1; version <= 2; version++) {
        for (int again = 0; again <= 1; again++) {
            struct audit_attested *a = audit_attested_new();
            struct leaf *leaf = leaf_new(again == 1 ? LEAF_AGAIN : LEAF_REQUEST, AT);
            struct err e = {0};
            int result;

            leaf_set_text(leaf, "rid", RID);
            leaf_set_text(leaf, "registration", ID);
            leaf_set_int(leaf, "qseq", 1);
            if (again == 1) {
                leaf_set_text(leaf, "again", OTHER_RID);
                leaf_set_text(leaf, "serial", w.serial);
                leaf_set_time(leaf, "messageTime", AT);
            } else {
                leaf_set_text(leaf, "profile", "nf-tls");
                leaf_set_text(leaf, "assurance", "mac");
            }
            result = note(a, version, leaf, &e);
            audit_attested_free(a);
            assert_int_equal(result, version == 1 ? 0 : -1);
            assert_true(version == 1 ||
                        strstr(e.text, again == 1 ? "the AGAIN " OTHER_RID " names no QUEUE-HEAD"
                                                  : "the REQUEST " RID
                                                    " names no QUEUE-HEAD") != NULL);
        }
    }
}

static void
places_that_two_heads_have_are_counted(void **state)
{
    static const struct {
        uint64_t first;
        time_t at;
        size_t twice;
    } rows[] = {
        {10, 0, 0},    {10, 1, 0} /* the same again */,
        {13, 2, 0},    {12, 3, 1},
        {16, 4, 1},    {1, 5, 1},
        {2, 6, 2},     {18, 7, 3},
        {254, 8, 3},   {256, 9, 4} /* that has the last of its places */,
        {1024, 10, 4}, {1022, 11, 5} /* that has the first */,
        {1027, 12, 5}, {12, 2L * LEAF_HEAD_AGE_MAX, 5},
    };
    struct audit_attested *a = audit_attested_new();

    (void)state;
    begin(a, NULL, 2, CA);
    certify(a, &(struct row){0}, 2);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
        CLEANUP(buf_free) struct buf path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
        struct err e = {0};

        assert_ok(commit(a, &(struct row){.at = rows[i].at}, 2, rows[i].first, &text, &path, &e),
                  &e);
        if (audit_attested_twice(a) != rows[i].twice) {
            fail_msg("row %zu: %zu", i, audit_attested_twice(a));
        }
    }
    audit_attested_free(a);
}

/* SHA-384 goes with P-384, and with no other key that an RA may have. */
static void
the_digest_goes_with_the_key(void **state)
{
    static const struct {
        struct row row;
        const char *says;
    } rows[] = {
        {{.name = "right"}, NULL},
        {{.other_digest = true}, "whose signature does not verify"},
        {{.other_signer = true}, "whose signature does not verify"},
    };
    EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_EC_gen("P-384"), EVP_RSA_gen(2048)};
    const struct audit_ra first = w;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys) * ARRAY_LEN(rows); i++) {
        const size_t n = i % ARRAY_LEN(rows);
        struct audit_attested *a = audit_attested_new();
        struct err e = {0};
        int result;

        if (n == 0) {
            w = ra_of(keys[i / ARRAY_LEN(rows)], 0x51);
        }
        result = tell(a, &rows[n].row, &e);
        audit_attested_free(a);
        if ((result == 0) != (rows[n].says == NULL) ||
            (result != 0 && strstr(e.text, rows[n].says) == NULL)) {
            fail_msg("key %zu, row %zu: %s", i / ARRAY_LEN(rows), n,
                     result == 0 ? "nothing is found" : e.text);
        }
        if (n == ARRAY_LEN(rows) - 1) {
            audit_ra_end(&w);
        }
    }
    w = first;
}

/* What an RA signed stays good when it gets another certificate for its key. */
static void
a_head_is_recorded_again_by_the_next_certificate(void **state)
{
    struct audit_attested *a = audit_attested_new();
    CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
    CLEANUP(buf_free) struct buf path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
    const struct audit_ra first = w;
    const struct row r = {.name = "right"};
    struct err e = {0};

    (void)state;
    begin(a, &r, 2, CA);
    certify(a, &r, 2);
    assert_ok(commit(a, &r, 2, FIRST, &text, &path, &e), &e);
    revoke(a, 2);
    assert_int_equal(ask(a, &r, 2, buf_span(&text), buf_span(&path), &e), -1);
    assert_int_equal(EVP_PKEY_up_ref(w.key), 1);
    w = ra_of(first.key, 0x52);
    certify(a, &r, 2);
    path.n = 0;
    assert_ok(commit(a, &r, 2, FIRST, &text, &path, &e), &e);
    assert_ok(ask(a, &r, 2, buf_span(&text), buf_span(&path), &e), &e);
    assert_int_equal(audit_attested_twice(a), 0);
    audit_attested_free(a);
    audit_ra_end(&w);
    w = first;
}

/* Two keys whose hashes begin alike: the auditor has their heads side by side. */
static void
alike(EVP_PKEY *two[2])
{
    EVP_PKEY **seen = mem_zalloc(1 << 16, sizeof(EVP_PKEY *));

    two[0] = NULL;
    while (two[0] == NULL) {
        EVP_PKEY *key = EVP_EC_gen("P-256");
        uint8_t hash[SHA256_SIZE];
        EVP_PKEY **place;

        audit_ra_key_hash(key, hash);
        place = &seen[hash[0] << 8 | hash[1]];
        two[0] = *place;
        *place = two[0] == NULL ? key : NULL;
        two[1] = key;
    }
    for (size_t i = 0; i < 1 << 16; i++) {
        EVP_PKEY_free(seen[i]);
    }
    mem_free(seen);
}

/* Each RA has a queue of its own. */
static void
places_of_another_ra_are_others(void **state)
{
    static const struct {
        int ra;
        uint64_t first;
        size_t twice;
    } rows[] = {{0, 10, 0}, {1, 10, 0}, {1, 11, 1}, {0, 13, 1}, {0, 15, 2}};
    struct audit_attested *a = audit_attested_new();
    const struct audit_ra first = w;
    struct audit_ra both[2];
    EVP_PKEY *keys[2];

    (void)state;
    alike(keys);
    begin(a, NULL, 2, CA);
    for (int i = 0; i < 2; i++) {
        w = both[i] = ra_of(keys[i], 0x53 + i);
        certify(a, &(struct row){0}, 2);
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(QUEUE_HEAD_TEXT_MAX);
        CLEANUP(buf_free) struct buf path = BUF_INIT(QUEUE_HEAD_PATH_MAX);
        struct err e = {0};

        w = both[rows[i].ra];
        assert_ok(commit(a, &(struct row){0}, 2, rows[i].first, &text, &path, &e), &e);
        if (audit_attested_twice(a) != rows[i].twice) {
            fail_msg("row %zu: %zu", i, audit_attested_twice(a));
        }
    }
    audit_attested_free(a);
    audit_ra_end(&both[0]);
    audit_ra_end(&both[1]);
    w = first;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_ra_did_not_sign_is_found),
        cmocka_unit_test(what_the_ra_signed_is_an_entry),
        cmocka_unit_test(what_names_no_head_is_of_before),
        cmocka_unit_test(places_that_two_heads_have_are_counted),
        cmocka_unit_test(places_of_another_ra_are_others),
        cmocka_unit_test(a_head_is_recorded_again_by_the_next_certificate),
        cmocka_unit_test(the_digest_goes_with_the_key),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
