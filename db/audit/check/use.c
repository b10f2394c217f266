/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have what: registrations, names, keys, and the people who decide. */
#include <ctype.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/check/record.h"
#include "db/audit/der/names.h"
#include "db/audit/lint/case.h"
#include "db/audit/lint/seen.h"

/* A clock is set by a little now and then, and a leaf is dated by the thread that made it. */
enum { CLOCKS_MAX_S = LEAF_BACK_MAX, KEY_COMPROMISE = 1 };

static const struct finding_kind EXCEEDED = {"check.registration.exceeded", SEVERITY_ERROR,
                                             "BR 5.4.1(2)"};
static const struct finding_kind OUTSIDE = {"check.registration.time", SEVERITY_ERROR,
                                            "BR 5.4.1(2)"};
static const struct finding_kind ENDED = {"check.registration.ended", SEVERITY_ERROR,
                                          "BR 5.4.1(2)"};
static const struct finding_kind UNKNOWN = {"check.registration.unknown", SEVERITY_ERROR,
                                            "BR 5.4.1(2)"};
static const struct finding_kind SHARED = {"check.name.shared", SEVERITY_NOTICE,
                                           "TS 33.310 6.1.3c"};
static const struct finding_kind COMPROMISED = {"check.key.compromised", SEVERITY_ERROR,
                                                "BR 6.1.1.3"};
static const struct finding_kind BOTH = {"check.approval.registrar", SEVERITY_WARNING,
                                         "NCSSR, separation of duties"};

static const struct finding_kind ALONE = {"check.staff.alone", SEVERITY_NOTICE,
                                          "NCSSR, separation of duties"};

struct registration {
    int64_t certificates, used;
    time_t from, until;
    bool ended;
    char *registrar;
};

/* What is remembered of an INTENT until it ends. */
struct intent {
    char *registration; /* NULL: of none */
    bool is_use;
    char *nf;
    char *profile;
};

struct record_use {
    struct findings *findings;
    struct seen *registrations; /* struct registration */
    struct seen *intents;       /* struct intent, by serial */
    struct seen *names;         /* NF instance, by name */
    struct seen *keys;          /* SHA-256 of a key, by serial */
    struct seen *compromised;   /* serial, by SHA-256 of its key */
    struct seen *people;        /* subject, by serial */
};

static void
release_registration(void *value)
{
    struct registration *r = value;

    mem_free(r->registrar);
    mem_free(r);
}

static void
release_intent(void *value)
{
    struct intent *i = value;

    if (i != NULL) {
        mem_free(i->registration);
        mem_free(i->nf);
        mem_free(i->profile);
        mem_free(i);
    }
}

struct record_use *
record_use_new(struct findings *findings)
{
    struct record_use *u = mem_new(sizeof(*u));

    u->findings = findings;
    u->registrations = seen_new(release_registration);
    u->intents = seen_new(release_intent);
    u->names = seen_new(mem_free);
    u->keys = seen_new(mem_free);
    u->compromised = seen_new(mem_free);
    u->people = seen_new(mem_free);
    return u;
}

void
record_use_free(struct record_use *u)
{
    if (u != NULL) {
        seen_free(u->registrations);
        seen_free(u->intents);
        seen_free(u->names);
        seen_free(u->keys);
        seen_free(u->compromised);
        seen_free(u->people);
        mem_free(u);
    }
}

static char *
dup_or_null(const char *text)
{
    return text == NULL ? NULL : mem_strdup(text);
}

/* ---- registrations ---- */

static void
registration_note(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    struct registration *r;
    struct err e;

    (void)index;
    if (seen_find(u->registrations, leaf_text(leaf, "registration")) != NULL) {
        return;
    }
    r = mem_new(sizeof(*r));
    r->certificates = leaf_int(leaf, "certificates", 0);
    r->registrar = mem_strdup(leaf_text(leaf, "registrar"));
    /* Their form is leaf_parse()'s. */
    if (time_parse(leaf_text(leaf, "notBefore"), &r->from, &e) != 0 ||
        time_parse(leaf_text(leaf, "notAfter"), &r->until, &e) != 0) {
        r->until = 0;
    }
    seen_add(u->registrations, leaf_text(leaf, "registration"), r);
}

static void
cancel_note(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    struct registration *r = seen_find(u->registrations, leaf_text(leaf, "registration"));

    (void)index;
    if (r != NULL) {
        r->ended = true;
    }
}

static void
use_judge(struct record_use *u, uint64_t index, const struct leaf *leaf, struct registration *r)
{
    const char *serial = leaf_text(leaf, "serial");
    const char *id = leaf_text(leaf, "registration");

    r->used++;
    if (r->used > r->certificates) {
        findings_add(u->findings, &EXCEEDED, index, serial,
                     "it is number %lld under registration %s, which allows %lld",
                     (long long)r->used, id, (long long)r->certificates);
    }
    if (leaf_time(leaf) < r->from - CLOCKS_MAX_S || leaf_time(leaf) > r->until + CLOCKS_MAX_S) {
        findings_add(u->findings, &OUTSIDE, index, serial,
                     "it is not of the time of registration %s", id);
    }
}

/* The window and the uses are those of initial certificates. */
static void
intent_note(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");
    const char *id = leaf_text(leaf, "registration");
    struct registration *r = id == NULL ? NULL : seen_find(u->registrations, id);
    struct intent *i = mem_new(sizeof(*i));

    i->registration = dup_or_null(id);
    i->nf = dup_or_null(leaf_text(leaf, "nfInstanceId"));
    i->profile = mem_strdup(leaf_text(leaf, "profile"));
    i->is_use = id != NULL && leaf_text(leaf, "renews") == NULL &&
                leaf_text(leaf, "updates") == NULL && leaf_text(leaf, "insteadOf") == NULL;
    if (id == NULL && strcmp(i->profile, LINT_ADOPTED) != 0) {
        findings_add(u->findings, &ALONE, index, serial,
                     "a certificate of the authority's own (%.64s), asked for by %.200s: nobody "
                     "else approved it in the record",
                     i->profile,
                     leaf_text(leaf, "by") == NULL ? "somebody" : leaf_text(leaf, "by"));
    }
    if (id != NULL && r == NULL) {
        findings_add(u->findings, &UNKNOWN, index, serial, "registration %s is not in the record",
                     id);
    }
    if (r != NULL && r->ended) {
        findings_add(u->findings, &ENDED, index, serial, "registration %s was ended before", id);
    }
    if (r != NULL && i->is_use) {
        use_judge(u, index, leaf, r);
    }
    release_intent(seen_take(u->intents, serial));
    seen_add(u->intents, serial, i);
}

/* What was given up before there was a certificate was no use. */
static void
rejected_note(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    struct intent *i = seen_take(u->intents, leaf_text(leaf, "serial"));
    struct registration *r =
        i == NULL || i->registration == NULL ? NULL : seen_find(u->registrations, i->registration);

    (void)index;
    if (r != NULL && i->is_use) {
        r->used--;
    }
    release_intent(i);
}

/* ---- names and keys ---- */

static void
name_note(struct record_use *u, uint64_t index, const char *serial, const char *name,
          const char *nf)
{
    const char *owner = seen_find(u->names, name);

    if (owner == NULL) {
        seen_add(u->names, name, mem_strdup(nf));
    } else if (strcmp(owner, nf) != 0) {
        findings_add(u->findings, &SHARED, index, serial,
                     "%.260s is a name of NF instance %s, and was one of %s", name, nf, owner);
    }
}

/* Whose names they are. */
struct named {
    struct record_use *use;
    uint64_t leaf;
    const char *serial, *nf;
};

static int
name_told(void *arg, const char *type, const char *value, struct err *e)
{
    const struct named *n = arg;
    CLEANUP(mem_cleanup) char *text = mem_strdup(value);

    (void)e;
    for (char *c = text; *c != '\0'; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    if (strcmp(type, "DNS") == 0) {
        name_note(n->use, n->leaf, n->serial, text, n->nf);
    }
    return 0;
}

/* A key that somebody else has is nobody's any more. */
static void
key_note(struct record_use *u, uint64_t index, const char *serial, struct span spki)
{
    uint8_t hash[SHA256_SIZE];
    CLEANUP(mem_cleanup) char *key = NULL;
    const char *lost;
    struct err e;

    if (sha256(spki, hash, &e) != 0) {
        return;
    }
    key = hex_dup(span_of(hash, sizeof(hash)));
    lost = seen_find(u->compromised, key);
    if (lost != NULL) {
        findings_add(u->findings, &COMPROMISED, index, serial,
                     "its key is that of serial %s, which was revoked for keyCompromise before",
                     lost);
    }
    if (seen_find(u->keys, serial) == NULL) {
        seen_add(u->keys, serial, TAKE(key));
    }
}

static void
person_note(struct record_use *u, const char *serial, const struct audit_outline *outline)
{
    CLEANUP(mem_cleanup) char *subject = audit_names_subject(outline);

    if (subject != NULL && seen_find(u->people, serial) == NULL) {
        seen_add(u->people, serial, TAKE(subject));
    }
}

/* By a walk over its DER: decoding each would cost more than all the rest. */
static void
issued_note(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");
    struct intent *i = seen_take(u->intents, serial);
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    struct audit_outline outline;
    bool whole;
    struct err e;

    if (audit_outline_octets(leaf, &der, &e) == 0 &&
        audit_outline_read(buf_span(&der), &outline, &e) == 0) {
        key_note(u, index, serial, outline.spki);
        if (i != NULL && i->nf != NULL) {
            struct named named = {u, index, serial, i->nf};

            (void)audit_names_read(&outline, name_told, &named, &whole, &e);
        } else {
            person_note(u, serial, &outline);
        }
    }
    release_intent(i);
}

static void
revoked_note(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");
    const char *key = seen_find(u->keys, serial);

    (void)index;
    if (leaf_int(leaf, "reason", -1) == KEY_COMPROMISE && key != NULL &&
        seen_find(u->compromised, key) == NULL) {
        seen_add(u->compromised, key, mem_strdup(serial));
    }
}

/* ---- people ---- */

/* Of two who must agree, one is the other. */
static void
approval_note(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    const struct registration *r = seen_find(u->registrations, leaf_text(leaf, "registration"));
    const char *registrar = r == NULL ? NULL : seen_find(u->people, r->registrar);

    if (registrar != NULL && strcmp(leaf_text(leaf, "decision"), "approve") == 0 &&
        strcmp(registrar, leaf_text(leaf, "subject")) == 0) {
        findings_add(u->findings, &BOTH, index, NULL,
                     "who approves under registration %s is who signed it: %.200s",
                     leaf_text(leaf, "registration"), registrar);
    }
}

typedef void note_leaf(struct record_use *, uint64_t index, const struct leaf *);

static note_leaf *const NOTES[LEAF_KINDS] = {
    [LEAF_REGISTRATION] = registration_note,
    [LEAF_CANCEL] = cancel_note,
    [LEAF_INTENT] = intent_note,
    [LEAF_REJECTED] = rejected_note,
    [LEAF_ISSUED] = issued_note,
    [LEAF_REVOKED] = revoked_note,
    [LEAF_APPROVAL] = approval_note,
};

void
record_use_leaf(struct record_use *u, uint64_t index, const struct leaf *leaf)
{
    note_leaf *note = NOTES[leaf_kind(leaf)];

    if (note != NULL) {
        note(u, index, leaf);
    }
}
