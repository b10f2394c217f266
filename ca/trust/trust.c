/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/trust.h"

#include "ca/trust/set.h"
#include "ca/x509/path/check.h"

struct trust {
    X509 *root;
    X509 *issuing;
    struct trust_set *sets[TRUST_SETS_MAX];
    size_t n_sets;
};

static void
destroy(struct trust **t)
{
    if (*t == NULL) {
        return;
    }
    X509_free((*t)->root);
    X509_free((*t)->issuing);
    for (size_t i = 0; i < (*t)->n_sets; i++) {
        trust_set_free((*t)->sets[i]);
    }
    mem_free(*t);
    *t = NULL;
}

void
trust_free(struct trust *t)
{
    destroy(&t);
}

struct trust *
trust_new(X509 *root, X509 *issuing, const struct trust_conf *conf, struct err *e)
{
    CLEANUP(destroy) struct trust *t = mem_new(sizeof(*t));

    if (X509_up_ref(root) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "trust");
        return NULL;
    }
    t->root = root;
    if (X509_up_ref(issuing) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "trust");
        return NULL;
    }
    t->issuing = issuing;
    for (size_t i = 0; i < conf->n; i++) {
        t->sets[i] = trust_set_new(&conf->sets[i], e);
        if (t->sets[i] == NULL) {
            return NULL;
        }
        t->n_sets++;
    }
    return TAKE(t);
}

static bool
is_initial(const struct trust_set *s)
{
    switch (trust_set_purpose(s)) {
    case TRUST_VENDOR:
    case TRUST_OPERATOR:
        return true;
    case TRUST_RA:
        break;
    }
    return false;
}

static bool
is_for_ra(const struct trust_set *s)
{
    return trust_set_purpose(s) == TRUST_RA;
}

static bool
is_initial_with_status(const struct trust_set *s)
{
    return is_initial(s) && trust_set_asks_status(s);
}

static bool
has_set(const struct trust *t, bool (*chosen)(const struct trust_set *))
{
    for (size_t i = 0; i < t->n_sets; i++) {
        if (chosen(t->sets[i])) {
            return true;
        }
    }
    return false;
}

bool
trust_has_initial(const struct trust *t)
{
    return has_set(t, is_initial);
}

int
trust_check_anchors(const struct trust *t, time_t now, struct err *e)
{
    for (size_t i = 0; i < t->n_sets; i++) {
        for (size_t k = 0; k < trust_set_anchors(t->sets[i]); k++) {
            if (trust_set_check_anchor(t->sets[i], k, now, e) != 0) {
                return -1;
            }
        }
    }
    return 0;
}

static void
anchor_remarks(const struct trust_set *s, time_t now, void (*say)(const struct err *))
{
    struct err e;

    for (size_t k = 0; k < trust_set_anchors(s); k++) {
        if (trust_set_check_anchor(s, k, now, &e) != 0 ||
            trust_set_check_early(s, k, now, &e) != 0) {
            say(&e);
        }
    }
}

void
trust_remarks(const struct trust *t, time_t now, void (*say)(const struct err *))
{
    size_t initial = 0;
    struct err e;

    for (size_t i = 0; i < t->n_sets; i++) {
        initial += is_initial(t->sets[i]);
    }
    for (size_t i = 0; i < t->n_sets; i++) {
        if (initial > 1 && is_initial(t->sets[i]) && !trust_set_has_names(t->sets[i])) {
            (void)err_set(&e, ERR_INPUT,
                          "trust \"%s\" has no names: it vouches for the names of the others too",
                          trust_set_name(t->sets[i]));
            say(&e);
        }
        anchor_remarks(t->sets[i], now, say);
        if (trust_set_check_crls(t->sets[i], now, &e) != 0) {
            say(&e);
        }
    }
}

/* ---- candidates ---- */

/* What may stand between leaf and anchor; a message has at most as many. */
struct candidates {
    X509 *list[PATH_UNTRUSTED_MAX];
    size_t n;
};
_Static_assert((int)CMP_EXTRA_CERTS_MAX <= (int)PATH_UNTRUSTED_MAX, "all but the signer fit");

static void
candidates_free(struct candidates *c)
{
    for (size_t i = 0; i < c->n; i++) {
        X509_free(c->list[i]);
    }
}

static int
candidates_read(const struct cmp_msg *msg, X509 *signer, struct candidates *out, struct err *e)
{
    CLEANUP(buf_free) struct buf own = BUF_INIT(CMP_MESSAGE_MAX);

    if (OSSL_ENCODE(X509, signer, &own, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < cmp_msg_extra_count(msg); i++) {
        X509 *certificate;

        if (span_equal(cmp_msg_extra(msg, i), buf_span(&own))) {
            continue; /* wherever it stands */
        }
        certificate = certificate_parse(cmp_msg_extra(msg, i), e);
        if (certificate == NULL) {
            e->code = ERR_DENIED;
            return err_wrap(e, "extraCerts[%zu]", i);
        }
        /* extraCerts may hold others' certificates (RFC 9483 3.3): what no path of ours has in it
         * is left out, and no reason to refuse. */
        if (path_check_limits(certificate, e) != 0) {
            X509_free(certificate);
            continue;
        }
        out->list[out->n++] = certificate;
    }
    return 0;
}

/* ---- checks ---- */

static int
fail(enum cmp_failure *failure, enum cmp_failure value)
{
    *failure = value;
    return -1;
}

static int
answer(enum path_verdict verdict, enum cmp_failure *failure)
{
    switch (verdict) {
    case PATH_GOOD:
        *failure = CMP_NO_FAILURE;
        return 0;
    case PATH_REVOKED:
        return fail(failure, CMP_CERT_REVOKED);
    case PATH_FAILED:
        return fail(failure, CMP_SYSTEM_FAILURE);
    case PATH_NO_ANCHOR:
    case PATH_REFUSED:
        break;
    }
    return fail(failure, CMP_SIGNER_NOT_TRUSTED);
}

/* Of two verdicts of two sets: what counts more? That it is revoked, that it could not be found
 * out, that one is good; and a reason why not from the set that knows the issuer. */
static int
weight(enum path_verdict verdict)
{
    switch (verdict) {
    case PATH_NO_ANCHOR:
        return 0;
    case PATH_REFUSED:
        return 1;
    case PATH_GOOD:
        return 2;
    case PATH_FAILED:
        return 3;
    case PATH_REVOKED:
        return 4;
    }
    return 4;
}

/* Asks each of the chosen sets. PATH_NO_ANCHOR, with `e` as it is, when there are none. */
static enum path_verdict
judge_with(const struct trust *t, bool (*chosen)(const struct trust_set *),
           const struct candidates *middle, X509 *signer, enum path_purpose purpose, time_t at,
           struct err *e)
{
    enum path_verdict verdict = PATH_NO_ANCHOR;

    for (size_t i = 0; i < t->n_sets; i++) {
        enum path_verdict one;
        struct err why = {0};

        if (!chosen(t->sets[i])) {
            continue;
        }
        one = trust_set_judge(t->sets[i], signer, purpose, middle->list, middle->n, at, &why);
        if (weight(one) >= weight(verdict)) {
            verdict = one;
            *e = why;
        }
    }
    return verdict;
}

static enum path_verdict
judge(const struct trust *t, bool (*chosen)(const struct trust_set *), const struct cmp_msg *msg,
      X509 *signer, enum path_purpose purpose, time_t at, struct err *e)
{
    CLEANUP(candidates_free) struct candidates middle = {0};

    return candidates_read(msg, signer, &middle, e) != 0
               ? PATH_REFUSED
               : judge_with(t, chosen, &middle, signer, purpose, at, e);
}

int
trust_check_initial(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                    enum cmp_failure *failure, struct err *e)
{
    (void)err_set(e, ERR_DENIED,
                  "no vendor_roots and no trust section of purpose vendor or operator");
    return answer(judge(t, is_initial, msg, signer, PATH_REQUESTER, at, e), failure);
}

/* Is it revoked by a set that knows its issuer? What else a set has against it does not matter to
 * one that is pinned; but that it could not be found out does, and what cannot be read beside it
 * must not be what hides it. */
static enum path_verdict
status_judge(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
             struct err *e)
{
    CLEANUP(candidates_free) struct candidates middle = {0};
    enum path_verdict verdict;
    struct err why = {0};

    if (!has_set(t, is_initial_with_status)) {
        return PATH_GOOD;
    }
    if (candidates_read(msg, signer, &middle, e) != 0) {
        return PATH_REFUSED;
    }
    verdict = judge_with(t, is_initial_with_status, &middle, signer, PATH_REQUESTER, at, &why);
    if (verdict != PATH_REVOKED && verdict != PATH_FAILED) {
        return PATH_GOOD;
    }
    *e = why;
    return verdict;
}

int
trust_check_pinned(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                   enum cmp_failure *failure, struct err *e)
{
    const struct path_request request = {
        .purpose = PATH_REQUESTER, .at = at, .anchors = &signer, .n_anchors = 1, .pinned = true};
    enum path_verdict verdict = path_judge(signer, &request, e);

    return answer(verdict == PATH_GOOD ? status_judge(t, msg, signer, at, e) : verdict, failure);
}

/* Over the issuing CA that we have, whatever the message brings. */
static enum path_verdict
judge_under_root(const struct trust *t, X509 *signer, enum path_purpose purpose, time_t at,
                 struct err *e)
{
    const struct path_request request = {.purpose = purpose,
                                         .at = at,
                                         .anchors = &t->root,
                                         .n_anchors = 1,
                                         .untrusted = &t->issuing,
                                         .n_untrusted = 1};

    return path_judge(signer, &request, e);
}

int
trust_check_own(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                enum cmp_failure *failure, struct err *e)
{
    (void)msg;
    return answer(judge_under_root(t, signer, PATH_OWN, at, e), failure);
}

int
trust_check_ra(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
               enum cmp_failure *failure, struct err *e)
{
    enum path_verdict verdict = judge_under_root(t, signer, PATH_RA_CMP, at, e);

    if (verdict == PATH_NO_ANCHOR) {
        verdict = judge(t, is_for_ra, msg, signer, PATH_RA_CMP, at, e);
    }
    return answer(verdict, failure);
}

int
trust_check_person(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                   enum cmp_failure *failure, struct err *e)
{
    (void)msg;
    return answer(judge_under_root(t, signer, PATH_PERSON, at, e), failure);
}
