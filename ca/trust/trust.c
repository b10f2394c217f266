/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/trust.h"

struct trust {
    X509 *root;
    X509 *issuing;
    X509 **vendor_roots;
    size_t n_vendor_roots;
};

static void
destroy(struct trust **t)
{
    if (*t == NULL) {
        return;
    }
    X509_free((*t)->root);
    X509_free((*t)->issuing);
    for (size_t i = 0; i < (*t)->n_vendor_roots; i++) {
        X509_free((*t)->vendor_roots[i]);
    }
    mem_free((*t)->vendor_roots);
    mem_free(*t);
    *t = NULL;
}

void
trust_free(struct trust *t)
{
    destroy(&t);
}

struct trust *
trust_new(X509 *root, X509 *issuing, char *const *vendor_roots, size_t n, struct err *e)
{
    CLEANUP(destroy) struct trust *t = mem_zalloc(1, sizeof(*t));

    if (X509_up_ref(root) != 1 || X509_up_ref(issuing) != 1) {
        (void)ossl_err(e, ERR_CRYPTO, "trust");
        return NULL;
    }
    t->root = root;
    t->issuing = issuing;
    t->vendor_roots = mem_zalloc(n + 1, sizeof(X509 *));
    for (size_t i = 0; i < n; i++) {
        t->vendor_roots[i] = certificate_load(vendor_roots[i], e);
        if (t->vendor_roots[i] == NULL) {
            return NULL;
        }
        t->n_vendor_roots++;
    }
    return TAKE(t);
}

bool
trust_has_initial(const struct trust *t)
{
    return t->n_vendor_roots > 0;
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
candidates_read(const struct cmp_msg *msg, struct candidates *out, struct err *e)
{
    for (size_t i = 1; i < cmp_msg_extra_count(msg); i++) {
        X509 *certificate = certificate_parse(cmp_msg_extra(msg, i), e);

        if (certificate == NULL) {
            return err_wrap(e, "extraCerts[%zu]", i);
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
    case PATH_NO_ANCHOR:
    case PATH_REFUSED:
        return fail(failure, CMP_SIGNER_NOT_TRUSTED);
    case PATH_REVOKED:
        return fail(failure, CMP_CERT_REVOKED);
    case PATH_FAILED:
        return fail(failure, CMP_SYSTEM_FAILURE);
    }
    return fail(failure, CMP_SIGNER_NOT_TRUSTED);
}

int
trust_check_initial(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                    enum cmp_failure *failure, struct err *e)
{
    CLEANUP(candidates_free) struct candidates middle = {0};
    struct path_request request = {.purpose = PATH_REQUESTER,
                                   .at = at,
                                   .anchors = t->vendor_roots,
                                   .n_anchors = t->n_vendor_roots,
                                   .untrusted = middle.list};

    if (t->n_vendor_roots == 0) {
        (void)err_set(e, ERR_DENIED, "no vendor_roots are configured");
        return fail(failure, CMP_SIGNER_NOT_TRUSTED);
    }
    if (candidates_read(msg, &middle, e) != 0) {
        return fail(failure, CMP_SIGNER_NOT_TRUSTED);
    }
    request.n_untrusted = middle.n;
    return answer(path_judge(signer, &request, e), failure);
}

int
trust_check_pinned(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                   enum cmp_failure *failure, struct err *e)
{
    const struct path_request request = {
        .purpose = PATH_REQUESTER, .at = at, .anchors = &signer, .n_anchors = 1, .pinned = true};

    (void)t;
    (void)msg;
    return answer(path_judge(signer, &request, e), failure);
}

/* Over the issuing CA that we have, whatever the message brings. */
static int
check_under_root(const struct trust *t, X509 *signer, enum path_purpose purpose, time_t at,
                 enum cmp_failure *failure, struct err *e)
{
    const struct path_request request = {.purpose = purpose,
                                         .at = at,
                                         .anchors = &t->root,
                                         .n_anchors = 1,
                                         .untrusted = &t->issuing,
                                         .n_untrusted = 1};

    return answer(path_judge(signer, &request, e), failure);
}

int
trust_check_own(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                enum cmp_failure *failure, struct err *e)
{
    (void)msg;
    return check_under_root(t, signer, PATH_OWN, at, failure, e);
}

int
trust_check_ra(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
               enum cmp_failure *failure, struct err *e)
{
    (void)msg;
    return check_under_root(t, signer, PATH_RA_CMP, at, failure, e);
}

int
trust_check_registrar(const struct trust *t, const struct cmp_msg *msg, X509 *signer, time_t at,
                      enum cmp_failure *failure, struct err *e)
{
    (void)msg;
    return check_under_root(t, signer, PATH_REGISTRAR, at, failure, e);
}
