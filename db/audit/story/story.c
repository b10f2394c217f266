/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story/story.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/typed.h"
#include "db/audit/query/cells.h"
#include "db/audit/query/filter.h"

enum { HEX_MAX = 2 * 64 + 1 };

/* What was typed, as parameters of FOUND. */
struct target {
    bool has_index;
    uint64_t index;
    char hex[HEX_MAX];
    const char *nf;
    const char *who;
};

void
story_leaf_free(struct story_leaf *leaf)
{
    leaf_free(leaf->leaf);
    leaf->leaf = NULL;
}

void
story_free(struct story *story)
{
    for (size_t i = 0; i < story->n; i++) {
        story_leaf_free(&story->leaves[i]);
    }
    story_leaf_free(&story->registrar);
    mem_free(story->leaves);
    *story = (struct story){0};
}

int
story_leaf_load(struct mirror *m, uint64_t index, struct story_leaf *leaf, struct err *e)
{
    CLEANUP(buf_free) struct buf body = BUF_INIT(LEAF_MAX);

    *leaf = (struct story_leaf){.index = index};
    if (mirror_leaf(m, index, &body, e) != 0 || mirror_prove(m, index, &leaf->proof, e) != 0) {
        return -1;
    }
    leaf->leaf = leaf_parse(buf_span(&body), e);
    return leaf->leaf == NULL ? err_wrap(e, "leaf %" PRIu64, index) : 0;
}

/* ---- what is asked ---- */

/*
 * about: requests and certificates that the story is of; registered: registrations of which
 * everything is told; of the others under which something was asked, these alone.
 */
#define ABOUT                                                                                      \
    "WITH people(serial) AS (SELECT serial FROM staff WHERE serial = :hex OR subject LIKE "        \
    ":subject ESCAPE '\\'), "                                                                      \
    "registered(id) AS (SELECT registration FROM registration WHERE registration = :hex UNION "    \
    "SELECT registration FROM registration WHERE nf = :nf), "                                      \
    "about(rid, serial) AS ("                                                                      \
    "SELECT rid, serial FROM certificate WHERE serial = :hex UNION "                               \
    "SELECT rid, serial FROM certificate WHERE rid = :hex UNION "                                  \
    "SELECT rid, serial FROM certificate WHERE registration IN (SELECT id FROM registered) UNION " \
    "SELECT rid, serial FROM certificate WHERE serial IN (SELECT serial FROM people) UNION "       \
    "SELECT rid, serial FROM repeat WHERE again = :hex UNION "                                     \
    "SELECT c.rid, c.serial FROM revocation v JOIN certificate c ON c.serial = v.serial WHERE "    \
    "v.rr = :hex UNION "                                                                           \
    "SELECT rid, NULL FROM request WHERE registration IN (SELECT id FROM registered) UNION "       \
    "SELECT :hex, :hex), "                                                                         \
    "rids(rid) AS (SELECT rid FROM about WHERE rid IS NOT NULL), "                                 \
    "serials(serial) AS (SELECT serial FROM about WHERE serial IS NOT NULL), "                     \
    "under(id) AS (SELECT id FROM registered UNION SELECT registration FROM request WHERE rid IN " \
    "(SELECT rid FROM rids)) "

#define LEAVES                                                                                     \
    "SELECT leaf FROM registration WHERE registration IN (SELECT id FROM under) UNION "            \
    "SELECT leaf FROM cancellation WHERE registration IN (SELECT id FROM under) UNION "            \
    "SELECT leaf FROM request WHERE rid IN (SELECT rid FROM rids) UNION "                          \
    "SELECT leaf FROM queue_head WHERE head IN (SELECT head FROM request WHERE rid IN (SELECT "    \
    "rid FROM rids) UNION SELECT head FROM repeat WHERE rid IN (SELECT rid FROM rids)) UNION "     \
    "SELECT leaf FROM approval WHERE rid IN (SELECT rid FROM rids) UNION "                         \
    "SELECT leaf FROM refusal WHERE rid IN (SELECT rid FROM rids) UNION "                          \
    "SELECT leaf FROM refusal WHERE registration IN (SELECT id FROM registered) UNION "            \
    "SELECT leaf FROM repeat WHERE rid IN (SELECT rid FROM rids) OR again = :hex UNION "           \
    "SELECT leaf FROM certificate WHERE rid IN (SELECT rid FROM rids) UNION "                      \
    "SELECT issued FROM certificate WHERE rid IN (SELECT rid FROM rids) UNION "                    \
    "SELECT confirmed FROM certificate WHERE rid IN (SELECT rid FROM rids) UNION "                 \
    "SELECT rejected FROM certificate WHERE rid IN (SELECT rid FROM rids) UNION "                  \
    "SELECT leaf FROM revocation WHERE serial IN (SELECT serial FROM serials) UNION "              \
    "SELECT leaf FROM adoption WHERE serial IN (SELECT serial FROM serials) UNION "                \
    "SELECT leaf FROM signed WHERE serial IN (SELECT serial FROM serials) UNION "                  \
    "SELECT leaf FROM command WHERE object IN (SELECT lower(hex(serial)) FROM serials UNION "      \
    "SELECT lower(hex(id)) FROM under) UNION "                                                     \
    "SELECT leaf FROM reported WHERE registration IN (SELECT id FROM registered) UNION "           \
    "SELECT :index"

/* What these people did: nothing finds that but each row. */
#define DEEDS                                                                                      \
    " UNION SELECT leaf FROM registration WHERE registrar IN (SELECT serial FROM people) UNION "   \
    "SELECT leaf FROM cancellation WHERE registrar IN (SELECT serial FROM people) UNION "          \
    "SELECT leaf FROM approval WHERE officer IN (SELECT serial FROM people) UNION "                \
    "SELECT leaf FROM queue_head WHERE ra IN (SELECT serial FROM people) UNION "                   \
    "SELECT leaf FROM signed WHERE officer IN (SELECT serial FROM people) OR second_officer IN "   \
    "(SELECT serial FROM people)"

#define FOUND(leaves)                                                                              \
    ABOUT "SELECT leaf FROM (" leaves ") WHERE leaf < (SELECT accepted FROM position) ORDER BY "   \
          "leaf"

#define IS_STAFF                                                                                   \
    "SELECT EXISTS (SELECT 1 FROM staff WHERE serial = :hex OR subject LIKE :subject ESCAPE '\\')"

/* The certificate that a serial or a request stands for, the newest of several. */
#define ONE                                                                                        \
    "SELECT lower(hex(serial)), lower(hex(rid)), lower(hex(registration)), status FROM "           \
    "certificates WHERE serial = :hex OR rid = :hex OR serial IN (SELECT serial FROM repeat "      \
    "WHERE again = :hex UNION SELECT serial FROM revocation WHERE rr = :hex) "                     \
    "ORDER BY leaf DESC LIMIT 1"

static int
prepare(struct mirror *m, const char *sql, const struct target *t, sqlite3_stmt **statement,
        struct err *e)
{
    struct filters subject = {.typed[FILTER_SUBJECT] = t->who, .typed[FILTER_NF] = t->nf};
    uint8_t octets[HEX_MAX / 2];
    const size_t n = strlen(t->hex) / 2;
    int at;

    if (statement_prepare(mirror_sqlite(m), sql, statement, e) != 0) {
        return -1;
    }
    at = sqlite3_bind_parameter_index(*statement, ":hex");
    if (n > 0 && at > 0) {
        if (hex_parse(t->hex, octets, n, e) != 0) {
            return -1;
        }
        (void)sqlite3_bind_blob(*statement, at, octets, (int)n, SQLITE_TRANSIENT);
    }
    at = sqlite3_bind_parameter_index(*statement, ":index");
    if (t->has_index && at > 0) {
        (void)sqlite3_bind_int64(*statement, at, (int64_t)t->index);
    }
    return filters_bind(&subject, 0, *statement, e);
}

bool
story_is_index(const char *typed, uint64_t *index)
{
    const size_t digits = strspn(typed, "0123456789");

    if (digits == 0 || digits > 15 || typed[digits] != '\0') {
        return false;
    }
    for (*index = 0; *typed != '\0'; typed++) {
        *index = *index * 10 + (uint64_t)(*typed - '0');
    }
    return true;
}

bool
story_is_hex(const char *typed)
{
    char hex[HEX_MAX];

    return typed_hex(typed, hex, sizeof(hex)) == 0;
}

static bool
is_uuid(const char *text)
{
    static const size_t dashes[] = {8, 13, 18, 23};

    if (strlen(text) != 36 || strspn(text, "0123456789abcdefABCDEF-") != 36) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(dashes); i++) {
        if (text[dashes[i]] != '-') {
            return false;
        }
    }
    return true;
}

/* What the leaf of this index is about: of several the first that says most. */
static int
of_leaf(struct mirror *m, struct target *t, struct err *e)
{
    static const char *const names[] = {"serial", "rid", "registration"};
    struct story_leaf leaf = {0};

    if (t->index >= mirror_checkpoint(m)->size) {
        return 0;
    }
    if (story_leaf_load(m, t->index, &leaf, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < ARRAY_LEN(names) && t->hex[0] == '\0'; i++) {
        const char *value = leaf_text(leaf.leaf, names[i]);

        (void)snprintf(t->hex, sizeof(t->hex), "%s", value == NULL ? "" : value);
    }
    story_leaf_free(&leaf);
    return 0;
}

static int
target_parse(struct mirror *m, const char *typed, struct target *t, struct err *e)
{
    *t = (struct target){0};
    if (story_is_index(typed, &t->index)) {
        t->has_index = true;
        return of_leaf(m, t, e);
    }
    if (is_uuid(typed)) {
        t->nf = typed;
    } else if (typed_hex(typed, t->hex, sizeof(t->hex)) != 0) {
        t->hex[0] = '\0';
        t->who = typed;
    }
    return 0;
}

/* ---- what is found ---- */

static int
keep(struct mirror *m, uint64_t index, struct story *story, struct err *e)
{
    const char *registrar;

    if (story->n == STORY_MAX) {
        return err_set(e, ERR_INPUT, "more than %d leaves are about this: ask for one of them",
                       STORY_MAX);
    }
    story->leaves =
        mem_grow(story->leaves, &story->capacity, story->n + 1, sizeof(story->leaves[0]));
    if (story_leaf_load(m, index, &story->leaves[story->n], e) != 0) {
        return -1;
    }
    registrar = leaf_kind(story->leaves[story->n].leaf) == LEAF_REGISTRATION
                    ? leaf_text(story->leaves[story->n].leaf, "registrar")
                    : NULL;
    if (registrar != NULL) {
        (void)snprintf(story->names.registrar, sizeof(story->names.registrar), "%s", registrar);
    }
    story->n++;
    return 0;
}

static int
collect(struct mirror *m, const struct target *t, struct story *story, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *people = NULL;
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    bool did = false;
    int rc;

    if (prepare(m, IS_STAFF, t, &people, e) != 0) {
        return -1;
    }
    did = sqlite3_step(people) == SQLITE_ROW && sqlite3_column_int(people, 0) != 0;
    if (prepare(m, did ? FOUND(LEAVES DEEDS) : FOUND(LEAVES), t, &statement, e) != 0) {
        return -1;
    }
    while ((rc = sqlite3_step(statement)) == SQLITE_ROW) {
        if (keep(m, (uint64_t)sqlite3_column_int64(statement, 0), story, e) != 0) {
            return -1;
        }
    }
    return rc == SQLITE_DONE
               ? 0
               : err_set(e, ERR_STORE, "%s: %s", mirror_path(m), sqlite3_errmsg(mirror_sqlite(m)));
}

static void
take(char *to, size_t size, sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    (void)snprintf(to, size, "%s", text == NULL ? "" : (const char *)text);
}

/* Which certificate it is about; a request that has none yet has its own name. */
static int
name(struct mirror *m, const struct target *t, struct story *story, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    struct story_names *names = &story->names;

    if (prepare(m, ONE, t, &statement, e) != 0) {
        return -1;
    }
    if (sqlite3_step(statement) == SQLITE_ROW) {
        take(names->serial, sizeof(names->serial), statement, 0);
        take(names->rid, sizeof(names->rid), statement, 1);
        take(names->registration, sizeof(names->registration), statement, 2);
        take(story->status, sizeof(story->status), statement, 3);
        return 0;
    }
    for (size_t i = 0; i < story->n; i++) {
        const struct leaf *leaf = story->leaves[i].leaf;
        const char *registration = leaf_text(leaf, "registration");

        if (leaf_kind(leaf) == LEAF_REQUEST && strcmp(leaf_text(leaf, "rid"), t->hex) == 0) {
            (void)snprintf(names->rid, sizeof(names->rid), "%s", leaf_text(leaf, "rid"));
            (void)snprintf(names->registration, sizeof(names->registration), "%s", registration);
        } else if (registration != NULL && strcmp(registration, t->hex) == 0) {
            (void)snprintf(names->registration, sizeof(names->registration), "%s", registration);
        }
    }
    return 0;
}

int
story_issued(struct mirror *m, const char *serial, bool *found, uint64_t *index, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    struct target t = {0};
    int rc;

    if (typed_hex(serial, t.hex, sizeof(t.hex)) != 0) {
        return err_set(e, ERR_INPUT, "not a serial in hex");
    }
    if (prepare(m, "SELECT max(issued) FROM certificates WHERE serial = :hex", &t, &statement, e) !=
        0) {
        return -1;
    }
    rc = sqlite3_step(statement);
    *found = rc == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    *index = *found ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    return rc == SQLITE_ROW ? 0 : statement_ended(statement, rc, e);
}

int
story_of(struct mirror *m, const char *typed, struct story *story, struct err *e)
{
    struct target t;
    bool found = false;
    uint64_t index = 0;

    if (target_parse(m, typed, &t, e) != 0 || collect(m, &t, story, e) != 0 ||
        name(m, &t, story, e) != 0) {
        return -1;
    }
    if (story->names.registrar[0] == '\0') {
        return 0;
    }
    return story_issued(m, story->names.registrar, &found, &index, e) == 0
               ? found ? story_leaf_load(m, index, &story->registrar, e) : 0
               : -1;
}

const struct story_leaf *
story_find(const struct story *story, enum leaf_kind kind)
{
    for (size_t i = story->n; i > 0; i--) {
        if (leaf_kind(story->leaves[i - 1].leaf) == kind) {
            return &story->leaves[i - 1];
        }
    }
    return NULL;
}
