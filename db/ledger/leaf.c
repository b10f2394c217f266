/* SPDX-License-Identifier: Apache-2.0 */
#include "db/ledger/leaf.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "base/tlog/merkle.h"
#include "db/ledger/canonical.h"
#include "db/ledger/plain.h"

_Static_assert((int)LEAF_HASH_SIZE == (int)MERKLE_HASH, "one hash");

enum { MEMBERS_MAX = 32 };

enum member_type { MEMBER_TEXT, MEMBER_HEX, MEMBER_BASE64, MEMBER_TIME, MEMBER_INT, MEMBER_BOOL };

struct member {
    const char *name;
    enum member_type type;
    bool optional;
};

struct kind {
    const char *name;
    struct member members[MEMBERS_MAX];
};

/* db/LEDGER.md has the same (tests/check/record.sh). */
static const struct kind kinds[LEAF_KINDS] = {
    [LEAF_START] = {"START",
                    {{"program", MEMBER_TEXT, false},
                     {"version", MEMBER_TEXT, false},
                     {"config", MEMBER_HEX, false},
                     {"softwareToken", MEMBER_BOOL, false},
                     {"issuer", MEMBER_HEX, false},
                     {"record", MEMBER_INT, true},
                     {"clockSetBack", MEMBER_TIME, true},
                     {"root", MEMBER_HEX, true},
                     {"logKey", MEMBER_HEX, true}}},
    [LEAF_STOP] = {"STOP", {{"reason", MEMBER_TEXT, false}}},
    [LEAF_CONFIG] = {"CONFIG",
                     {{"file", MEMBER_TEXT, false},
                      {"sha256", MEMBER_HEX, false},
                      {"previous", MEMBER_HEX, true}}},
    [LEAF_REGISTRATION] = {"REGISTRATION",
                           {{"registration", MEMBER_HEX, false},
                            {"sha256", MEMBER_HEX, false},
                            {"nfInstanceId", MEMBER_TEXT, false},
                            {"registrar", MEMBER_HEX, false},
                            {"proof", MEMBER_TEXT, false},
                            {"certificates", MEMBER_INT, false},
                            {"notBefore", MEMBER_TIME, false},
                            {"notAfter", MEMBER_TIME, false},
                            {"supersedes", MEMBER_HEX, true},
                            {"cms", MEMBER_BASE64, true},
                            {"batch", MEMBER_BASE64, true}}},
    [LEAF_CANCEL] = {"CANCEL",
                     {{"registration", MEMBER_HEX, false},
                      {"reason", MEMBER_TEXT, true},
                      {"by", MEMBER_TEXT, true},
                      {"registrar", MEMBER_HEX, true},
                      {"cms", MEMBER_BASE64, true}}},
    [LEAF_REQUEST] = {"REQUEST",
                      {{"rid", MEMBER_HEX, false},
                       {"registration", MEMBER_HEX, false},
                       {"profile", MEMBER_TEXT, false},
                       {"assurance", MEMBER_TEXT, false},
                       {"qseq", MEMBER_INT, false},
                       {"approvals", MEMBER_INT, true},
                       {"head", MEMBER_HEX, true},
                       {"entry", MEMBER_BASE64, true},
                       {"path", MEMBER_BASE64, true},
                       {"made", MEMBER_TIME, true},
                       {"madeBy", MEMBER_TEXT, true}}},
    [LEAF_REFUSAL] = {"REFUSAL",
                      {{"rid", MEMBER_HEX, false},
                       {"registration", MEMBER_HEX, true},
                       {"failInfo", MEMBER_INT, false},
                       {"reason", MEMBER_TEXT, false}}},
    [LEAF_INTENT] = {"INTENT",
                     {{"rid", MEMBER_HEX, false},
                      {"serial", MEMBER_HEX, false},
                      {"profile", MEMBER_TEXT, false},
                      {"tbs", MEMBER_HEX, false},
                      {"notBefore", MEMBER_TIME, false},
                      {"notAfter", MEMBER_TIME, false},
                      {"nfInstanceId", MEMBER_TEXT, true},
                      {"registration", MEMBER_HEX, true},
                      {"assurance", MEMBER_TEXT, true},
                      {"approvals", MEMBER_INT, true},
                      {"renews", MEMBER_HEX, true},
                      {"updates", MEMBER_HEX, true},
                      {"profileFile", MEMBER_HEX, true},
                      {"messageTime", MEMBER_TIME, true},
                      {"insteadOf", MEMBER_HEX, true},
                      {"by", MEMBER_TEXT, true}}},
    [LEAF_ISSUED] = {"ISSUED",
                     {{"rid", MEMBER_HEX, false},
                      {"serial", MEMBER_HEX, false},
                      {"certificate", MEMBER_BASE64, false}}},
    [LEAF_CONFIRMED] = {"CONFIRMED",
                        {{"rid", MEMBER_HEX, false},
                         {"serial", MEMBER_HEX, false},
                         {"certConf", MEMBER_HEX, true}}},
    [LEAF_REJECTED] = {"REJECTED",
                       {{"rid", MEMBER_HEX, false},
                        {"serial", MEMBER_HEX, false},
                        {"reason", MEMBER_TEXT, false},
                        {"registration", MEMBER_HEX, true},
                        {"certConf", MEMBER_HEX, true}}},
    [LEAF_REVOKED] = {"REVOKED",
                      {{"serial", MEMBER_HEX, false},
                       {"reason", MEMBER_INT, false},
                       {"by", MEMBER_TEXT, true},
                       {"revocationDate", MEMBER_TIME, true},
                       {"supersededBy", MEMBER_HEX, true},
                       {"rr", MEMBER_HEX, true},
                       {"invalidityDate", MEMBER_TIME, true}}},
    [LEAF_CRL] = {"CRL",
                  {{"number", MEMBER_INT, false},
                   {"sha256", MEMBER_HEX, false},
                   {"thisUpdate", MEMBER_TIME, false},
                   {"nextUpdate", MEMBER_TIME, false},
                   {"entries", MEMBER_INT, false},
                   {"tbs", MEMBER_HEX, true}}},
    [LEAF_RECOVERED] = {"RECOVERED",
                        {{"resumed", MEMBER_INT, false},
                         {"abandoned", MEMBER_INT, false},
                         {"text", MEMBER_TEXT, true}}},
    [LEAF_CEREMONY] = {"CEREMONY",
                       {{"head", MEMBER_HEX, false},
                        {"name", MEMBER_TEXT, false},
                        {"sha256", MEMBER_HEX, true},
                        {"type", MEMBER_TEXT, true},
                        {"previous", MEMBER_HEX, true},
                        {"production", MEMBER_BOOL, true},
                        {"by", MEMBER_TEXT, true}}},
    [LEAF_APPROVAL] = {"APPROVAL",
                       {{"rid", MEMBER_HEX, false},
                        {"registration", MEMBER_HEX, false},
                        {"decision", MEMBER_TEXT, false},
                        {"officer", MEMBER_HEX, false},
                        {"key", MEMBER_HEX, false},
                        {"subject", MEMBER_TEXT, false},
                        {"cms", MEMBER_BASE64, false},
                        {"reason", MEMBER_TEXT, true},
                        {"by", MEMBER_TEXT, true}}},
    [LEAF_AGAIN] = {"AGAIN",
                    {{"rid", MEMBER_HEX, false},
                     {"serial", MEMBER_HEX, false},
                     {"again", MEMBER_HEX, false},
                     {"registration", MEMBER_HEX, false},
                     {"messageTime", MEMBER_TIME, false},
                     {"qseq", MEMBER_INT, false},
                     {"head", MEMBER_HEX, true}}},
    [LEAF_CRL_INTENT] = {"CRL-INTENT",
                         {{"number", MEMBER_INT, false},
                          {"tbs", MEMBER_HEX, false},
                          {"thisUpdate", MEMBER_TIME, false},
                          {"nextUpdate", MEMBER_TIME, false},
                          {"entries", MEMBER_INT, false},
                          {"upTo", MEMBER_INT, false},
                          {"expiredBefore", MEMBER_TIME, true},
                          {"revocations", MEMBER_HEX, false}}},
    [LEAF_QUEUE_HEAD] = {"QUEUE-HEAD",
                         {{"head", MEMBER_HEX, false},
                          {"text", MEMBER_BASE64, false},
                          {"signature", MEMBER_BASE64, false},
                          {"ra", MEMBER_HEX, false}}},
    [LEAF_SEALED] = {"SEALED", {{"pages", MEMBER_INT, true}, {"rows", MEMBER_INT, true}}},
    [LEAF_RESTORED] = {"RESTORED",
                       {{"record", MEMBER_INT, false},
                        {"from", MEMBER_INT, false},
                        {"to", MEMBER_INT, false},
                        {"root", MEMBER_HEX, false},
                        {"plan", MEMBER_HEX, false},
                        {"officer", MEMBER_HEX, false},
                        {"cms", MEMBER_BASE64, false},
                        {"secondOfficer", MEMBER_HEX, false},
                        {"secondCms", MEMBER_BASE64, false},
                        {"registrations", MEMBER_INT, false},
                        {"certificates", MEMBER_INT, false},
                        {"revocations", MEMBER_INT, false},
                        {"crls", MEMBER_INT, false},
                        {"abandoned", MEMBER_INT, false},
                        {"refused", MEMBER_INT, false},
                        {"void", MEMBER_INT, false},
                        {"fromCrl", MEMBER_INT, false},
                        {"crlNumber", MEMBER_INT, true},
                        {"crl", MEMBER_HEX, true},
                        {"adopted", MEMBER_INT, true},
                        {"previousOrigin", MEMBER_TEXT, true},
                        {"previousKey", MEMBER_BASE64, true},
                        {"previousCheckpoint", MEMBER_BASE64, true},
                        {"signed", MEMBER_INT, true},
                        {"signedRoot", MEMBER_HEX, true},
                        {"clockSetBack", MEMBER_TIME, true}}},
    [LEAF_ADOPTED] = {"ADOPTED", {{"serial", MEMBER_HEX, false}, {"from", MEMBER_TEXT, false}}},
    [LEAF_ACKNOWLEDGED] = {"ACKNOWLEDGED",
                           {{"record", MEMBER_INT, false},
                            {"key", MEMBER_HEX, false},
                            {"line", MEMBER_INT, false},
                            {"object", MEMBER_TEXT, false},
                            {"sha256", MEMBER_HEX, false},
                            {"serial", MEMBER_HEX, true},
                            {"number", MEMBER_INT, true},
                            {"reason", MEMBER_TEXT, false},
                            {"plan", MEMBER_HEX, false},
                            {"officer", MEMBER_HEX, false},
                            {"cms", MEMBER_BASE64, false},
                            {"secondOfficer", MEMBER_HEX, false},
                            {"secondCms", MEMBER_BASE64, false},
                            {"clockSetBack", MEMBER_TIME, true}}},
    [LEAF_RA_REPORT] = {"RA-REPORT",
                        {{"report", MEMBER_HEX, false},
                         {"text", MEMBER_BASE64, false},
                         {"signature", MEMBER_BASE64, false},
                         {"ra", MEMBER_HEX, false}}},
    [LEAF_OPERATION] = {"OPERATION",
                        {{"command", MEMBER_TEXT, false},
                         {"by", MEMBER_TEXT, false},
                         {"outcome", MEMBER_TEXT, false},
                         {"object", MEMBER_TEXT, true},
                         {"reason", MEMBER_TEXT, true},
                         {"untold", MEMBER_INT, true}}},
    [LEAF_CLOCK] = {"CLOCK", {{"expected", MEMBER_TIME, false}}},
};

struct leaf {
    enum leaf_kind kind;
    time_t time;
    json_t *object;      /* NULL: */
    struct plain *plain; /* read as such */
    char *body;          /* once sealed */
    size_t n;
    struct merkle_hash hash;
};

const char *
leaf_kind_name(enum leaf_kind kind)
{
    assert(kind < LEAF_KINDS);
    return kinds[kind].name;
}

static json_t *
json_or_die(json_t *value)
{
    /* Text that is not UTF-8 becomes null, which no member may be: leaf_seal() says so. */
    return value == NULL ? json_null() : value;
}

static void
set(struct leaf *leaf, const char *name, json_t *value)
{
    assert(leaf->body == NULL);
    (void)json_object_set_new(leaf->object, name, json_or_die(value));
}

struct leaf *
leaf_new(enum leaf_kind kind, time_t at)
{
    struct leaf *leaf = mem_new(sizeof(*leaf));

    leaf->kind = kind;
    leaf->time = at;
    leaf->object = json_object();
    leaf_set_text(leaf, "kind", leaf_kind_name(kind));
    leaf_set_time(leaf, "time", at);
    return leaf;
}

void
leaf_free(struct leaf *leaf)
{
    if (leaf != NULL) {
        json_decref(leaf->object);
        plain_free(leaf->plain);
        mem_free(leaf->body);
        mem_free(leaf);
    }
}

void
leaf_set_text(struct leaf *leaf, const char *name, const char *text)
{
    set(leaf, name, json_string(text));
}

void
leaf_set_int(struct leaf *leaf, const char *name, int64_t number)
{
    set(leaf, name, json_integer(number));
}

void
leaf_set_bool(struct leaf *leaf, const char *name, bool value)
{
    set(leaf, name, json_boolean(value));
}

void
leaf_set_hex(struct leaf *leaf, const char *name, struct span bytes)
{
    CLEANUP(mem_cleanup) char *text = hex_dup(bytes);

    set(leaf, name, json_string(text));
}

void
leaf_set_base64(struct leaf *leaf, const char *name, struct span bytes)
{
    CLEANUP(mem_cleanup) char *text = base64_dup(bytes);

    set(leaf, name, json_string(text));
}

void
leaf_set_time(struct leaf *leaf, const char *name, time_t at)
{
    char text[TIME_TEXT_SIZE];

    time_format(at, text);
    set(leaf, name, json_string(text));
}

static bool
is_hex(const char *text)
{
    size_t n = strspn(text, "0123456789abcdef");

    return n > 0 && n % 2 == 0 && text[n] == '\0';
}

/* The one canonical text of at least one octet (RFC 4648 3.5): it is not decoded for that. */
static bool
is_base64(const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const unsigned spare[] = {0, 3, 15}; /* bits of the last digit, by padding */
    const size_t digits = strspn(text, alphabet);
    const size_t padding = strspn(text + digits, "=");
    const char *last;

    if (digits == 0 || padding > 2 || text[digits + padding] != '\0' ||
        (digits + padding) % 4 != 0) {
        return false;
    }
    last = strchr(alphabet, text[digits - 1]);
    return last != NULL && ((unsigned)(last - alphabet) & spare[padding]) == 0;
}

/* ---- what it has, however it was read ---- */

static bool
member_get(const struct leaf *leaf, const char *name, struct plain_member *out)
{
    const struct plain_member *plain = leaf->plain == NULL ? NULL : plain_find(leaf->plain, name);
    const json_t *value = json_object_get(leaf->object, name);

    *out = (struct plain_member){.name = name, .type = PLAIN_OTHER};
    if (plain != NULL) {
        *out = *plain;
    } else if (json_is_string(value)) {
        out->type = PLAIN_TEXT;
        out->text = json_string_value(value);
    } else if (json_is_integer(value)) {
        out->type = PLAIN_INT;
        out->number = json_integer_value(value);
    } else if (json_is_boolean(value)) {
        out->type = PLAIN_BOOL;
        out->number = json_is_true(value) ? 1 : 0;
    }
    return plain != NULL || value != NULL;
}

/* No text has a NUL in it: jansson reads none without JSON_ALLOW_NUL. */
static bool
member_fits(enum member_type type, const struct plain_member *value)
{
    const char *text = value->text;
    time_t t;
    struct err e;

    switch (type) {
    case MEMBER_TEXT:
        return text != NULL;
    case MEMBER_HEX:
        return text != NULL && is_hex(text);
    case MEMBER_BASE64:
        return text != NULL && is_base64(text);
    case MEMBER_TIME:
        return text != NULL && time_parse(text, &t, &e) == 0;
    case MEMBER_INT:
        return value->type == PLAIN_INT;
    case MEMBER_BOOL:
        return value->type == PLAIN_BOOL;
    }
    return false;
}

/* Every member of the kind that must be there is, each has its type, and nothing else is there. */
static int
check_members(const struct leaf *leaf, struct err *e)
{
    const struct kind *kind = &kinds[leaf->kind];
    size_t known = 2; /* kind and time */

    for (const struct member *m = kind->members; m->name != NULL; m++) {
        struct plain_member value;

        if (!member_get(leaf, m->name, &value)) {
            if (!m->optional) {
                return err_set(e, ERR_INPUT, "leaf %s: member %s is missing", kind->name, m->name);
            }
            continue;
        }
        if (!member_fits(m->type, &value)) {
            return err_set(e, ERR_INPUT, "leaf %s: member %s has another form", kind->name,
                           m->name);
        }
        known++;
    }
    if ((leaf->plain != NULL ? plain_count(leaf->plain) : json_object_size(leaf->object)) !=
        known) {
        return err_set(e, ERR_INPUT, "leaf %s: a member that the kind does not have", kind->name);
    }
    return 0;
}

static void
keep_body(struct leaf *leaf, const void *octets, size_t n)
{
    leaf->body = mem_zalloc(n + 1, 1);
    memcpy(leaf->body, octets, n);
    leaf->n = n;
    leaf->hash = merkle_leaf(leaf_body(leaf));
}

int
leaf_seal(struct leaf *leaf, struct err *e)
{
    if (leaf->body != NULL) {
        return 0;
    }
    if (check_members(leaf, e) != 0) {
        return -1;
    }
    leaf->body = canonical_dup(leaf->object, &leaf->n);
    if (leaf->n > LEAF_MAX) {
        const size_t n = leaf->n;

        mem_free(leaf->body);
        leaf->body = NULL;
        return err_set(e, ERR_INPUT, "leaf %s: %zu octets, allowed are %d",
                       leaf_kind_name(leaf->kind), n, LEAF_MAX);
    }
    leaf->hash = merkle_leaf(leaf_body(leaf));
    return 0;
}

static int
find_kind(const char *name, enum leaf_kind *kind)
{
    for (unsigned i = 0; name != NULL && i < LEAF_KINDS; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            *kind = (enum leaf_kind)i;
            return 0;
        }
    }
    return -1;
}

static int
members_read(struct leaf *leaf, struct span body, struct err *e)
{
    json_error_t reason;

    leaf->plain = plain_read(body);
    if (leaf->plain != NULL) {
        return 0;
    }
    leaf->object = json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, &reason);
    return json_is_object(leaf->object)
               ? 0
               : err_set(e, ERR_INPUT, "a leaf is not a JSON object: %s",
                         leaf->object == NULL ? reason.text : "another type");
}

static int
parse_into(struct leaf *leaf, struct span body, struct err *e)
{
    struct err time_error;
    const char *at;

    if (members_read(leaf, body, e) != 0) {
        return -1;
    }
    if (find_kind(leaf_text(leaf, "kind"), &leaf->kind) != 0) {
        return err_set(e, ERR_INPUT, "a leaf of an unknown kind");
    }
    at = leaf_text(leaf, "time");
    if (at == NULL || time_parse(at, &leaf->time, &time_error) != 0) {
        return err_set(e, ERR_INPUT, "leaf %s: member time is missing or has another form",
                       leaf_kind_name(leaf->kind));
    }
    if (leaf->plain != NULL) {
        if (check_members(leaf, e) != 0) {
            return -1;
        }
        keep_body(leaf, body.p, body.n);
        return 0;
    }
    if (leaf_seal(leaf, e) != 0) {
        return -1;
    }
    if (!span_equal(leaf_body(leaf), body)) {
        return err_set(e, ERR_INPUT, "leaf %s: not sorted, compact and ASCII",
                       leaf_kind_name(leaf->kind));
    }
    return 0;
}

struct leaf *
leaf_parse(struct span body, struct err *e)
{
    struct leaf *leaf;

    if (body.n == 0 || body.n > LEAF_MAX) {
        (void)err_set(e, ERR_INPUT, "a leaf of %zu octets", body.n);
        return NULL;
    }
    leaf = mem_new(sizeof(*leaf));
    if (parse_into(leaf, body, e) != 0) {
        leaf_free(leaf);
        return NULL;
    }
    return leaf;
}

enum leaf_kind
leaf_kind(const struct leaf *leaf)
{
    return leaf->kind;
}

time_t
leaf_time(const struct leaf *leaf)
{
    return leaf->time;
}

struct span
leaf_body(const struct leaf *leaf)
{
    assert(leaf->body != NULL);
    return span_of(leaf->body, leaf->n);
}

const uint8_t *
leaf_hash(const struct leaf *leaf)
{
    assert(leaf->body != NULL);
    return leaf->hash.octets;
}

const char *
leaf_text(const struct leaf *leaf, const char *name)
{
    struct plain_member value;

    (void)member_get(leaf, name, &value);
    return value.text;
}

int64_t
leaf_int(const struct leaf *leaf, const char *name, int64_t missing)
{
    struct plain_member value;

    (void)member_get(leaf, name, &value);
    return value.type == PLAIN_INT ? value.number : missing;
}

bool
leaf_bool(const struct leaf *leaf, const char *name)
{
    struct plain_member value;

    (void)member_get(leaf, name, &value);
    return value.type == PLAIN_BOOL && value.number == 1;
}
