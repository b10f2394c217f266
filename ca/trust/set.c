/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/trust/set.h"

#include <string.h>

#include "base/validity.h"
#include "ca/trust/anchor.h"
#include "ca/trust/crl_file.h"
#include "ca/x509/name.h"
#include "ca/x509/path/check.h"

struct trust_set {
    char *name;
    char *where;
    enum trust_purpose purpose;
    X509 *roots[TRUST_LIST_MAX];
    char *root_files[TRUST_LIST_MAX];
    size_t n_roots;
    struct crl_file *files[TRUST_LIST_MAX];
    size_t n_files;
    enum path_status crl_policy;
    int crl_max_age_s;
    unsigned allow;
    char *names[TRUST_LIST_MAX];
    size_t n_names;
    char *policies[TRUST_LIST_MAX];
    size_t n_policies;
};

static void
destroy(struct trust_set **set)
{
    struct trust_set *s = *set;

    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->n_roots; i++) {
        X509_free(s->roots[i]);
        mem_free(s->root_files[i]);
    }
    for (size_t i = 0; i < s->n_files; i++) {
        crl_file_free(s->files[i]);
    }
    for (size_t i = 0; i < s->n_names; i++) {
        mem_free(s->names[i]);
    }
    for (size_t i = 0; i < s->n_policies; i++) {
        mem_free(s->policies[i]);
    }
    mem_free(s->name);
    mem_free(s->where);
    mem_free(s);
    *set = NULL;
}

void
trust_set_free(struct trust_set *s)
{
    destroy(&s);
}

/* Puts the place of the set in front. */
static int
placed(const struct trust_set *s, struct err *e)
{
    (void)err_wrap(e, "trust \"%s\"", s->name);
    return s->where == NULL ? -1 : err_wrap(e, "%s", s->where);
}

static int
load_roots(struct trust_set *s, const struct trust_list *paths, struct err *e)
{
    for (size_t i = 0; i < paths->n; i++) {
        X509 *root = certificate_load(paths->items[i], e);

        if (root == NULL) {
            return -1;
        }
        s->root_files[s->n_roots] = mem_strdup(paths->items[i]);
        s->roots[s->n_roots++] = root;
        if (path_check_anchor(root, e) != 0) {
            e->code = ERR_INPUT;
            return err_wrap(e, "%s", paths->items[i]);
        }
    }
    return 0;
}

struct trust_set *
trust_set_new(const struct trust_conf_set *conf, struct err *e)
{
    CLEANUP(destroy) struct trust_set *s = mem_new(sizeof(*s));

    s->name = mem_strdup(conf->name);
    s->where = conf->where == NULL ? NULL : mem_strdup(conf->where);
    s->purpose = conf->purpose;
    s->crl_policy = conf->crl_policy;
    s->crl_max_age_s = conf->crl_max_age_s;
    s->allow = conf->allow;
    for (size_t i = 0; i < conf->crls.n; i++) {
        s->files[s->n_files++] = crl_file_new(conf->crls.items[i]);
    }
    for (size_t i = 0; i < conf->names.n; i++) {
        s->names[s->n_names++] = mem_strdup(conf->names.items[i]);
    }
    for (size_t i = 0; i < conf->policies.n; i++) {
        s->policies[s->n_policies++] = mem_strdup(conf->policies.items[i]);
    }
    if (load_roots(s, &conf->roots, e) != 0) {
        (void)placed(s, e);
        return NULL;
    }
    return TAKE(s);
}

const char *
trust_set_name(const struct trust_set *s)
{
    return s->name;
}

enum trust_purpose
trust_set_purpose(const struct trust_set *s)
{
    return s->purpose;
}

bool
trust_set_has_names(const struct trust_set *s)
{
    return s->n_names > 0;
}

bool
trust_set_asks_status(const struct trust_set *s)
{
    return s->crl_policy != PATH_STATUS_NONE;
}

/* ---- anchors ---- */

int
trust_set_check_anchor(const struct trust_set *s, size_t i, time_t now, struct err *e)
{
    struct err why = {0};

    if (anchor_check(s->roots[i], (const char *const *)s->names, s->n_names, now, &why) == 0) {
        return 0;
    }
    (void)err_set(e, why.code, "%s: nothing verifies under it (%s): replace it or take it out",
                  s->root_files[i], why.text);
    return placed(s, e);
}

int
trust_set_check_early(const struct trust_set *s, size_t i, time_t now, struct err *e)
{
    if (!anchor_is_early(s->roots[i], now)) {
        return 0;
    }
    (void)err_set(e, ERR_DENIED, "%s: nothing verifies under it before its notBefore",
                  s->root_files[i]);
    return placed(s, e);
}

size_t
trust_set_anchors(const struct trust_set *s)
{
    return s->n_roots;
}

/* ---- CRLs ---- */

struct crls {
    X509_CRL *list[TRUST_LIST_MAX];
    size_t n;
    bool bad; /* a file is no CRL, so whose it is is not known */
    struct err why;
};

static void
crls_free(struct crls *c)
{
    for (size_t i = 0; i < c->n; i++) {
        X509_CRL_free(c->list[i]);
    }
}

/* The first problem stays. */
static void
complain(struct crls *c, const struct crl_file *file, const char *what)
{
    if (c->why.code == ERR_NONE) {
        (void)err_set(&c->why, ERR_DENIED, "%s: %s", crl_file_path(file), what);
    }
}

static void
check_age(struct crls *c, const struct trust_set *s, const struct crl_file *file,
          const X509_CRL *crl, time_t now)
{
    if (validity_is_past(X509_CRL_get0_nextUpdate(crl), now)) {
        complain(c, file, "its nextUpdate has passed: fetch a new CRL from its issuer");
    } else if (s->crl_max_age_s > 0 &&
               validity_is_past(X509_CRL_get0_lastUpdate(crl), now - s->crl_max_age_s)) {
        complain(c, file, "older than crl_max_age_hours: fetch a new CRL from its issuer");
    }
}

static void
read_crls(const struct trust_set *s, time_t now, struct crls *out)
{
    for (size_t i = 0; i < s->n_files && s->crl_policy != PATH_STATUS_NONE; i++) {
        X509_CRL *crl = NULL;
        struct err e = {0};

        switch (crl_file_get(s->files[i], &crl, &e)) {
        case CRL_FILE_GOOD:
            out->list[out->n++] = crl;
            check_age(out, s, s->files[i], crl, now);
            break;
        case CRL_FILE_MISSING:
            if (s->crl_policy == PATH_STATUS_REQUIRED) {
                complain(out, s->files[i], "does not exist: fetch the CRL from its issuer");
            }
            break;
        case CRL_FILE_BAD:
            out->bad = true;
            complain(out, s->files[i], e.text);
            break;
        }
    }
}

int
trust_set_check_crls(const struct trust_set *s, time_t now, struct err *e)
{
    CLEANUP(crls_free) struct crls crls = {0};

    read_crls(s, now, &crls);
    if (crls.why.code == ERR_NONE) {
        return 0;
    }
    *e = crls.why;
    return err_wrap(e, "trust \"%s\"", s->name);
}

/* ---- the check ---- */

static bool
is_named(const struct trust_set *s, X509 *leaf)
{
    for (size_t i = 0; i < s->n_names; i++) {
        if (name_is_within(X509_get_subject_name(leaf), s->names[i])) {
            return true;
        }
    }
    return s->n_names == 0;
}

static enum path_verdict
judge(const struct trust_set *s, X509 *leaf, const struct path_request *request,
      const struct crls *crls, struct err *e)
{
    enum path_verdict verdict = path_judge(leaf, request, e);
    CLEANUP(mem_cleanup) char *subject = NULL;

    if (verdict == PATH_GOOD && crls->bad) {
        *e = crls->why;
        return PATH_REFUSED;
    }
    if (verdict == PATH_REFUSED && crls->why.code != ERR_NONE) {
        struct err both = *e;

        (void)err_set(e, ERR_DENIED, "%s; %s", both.text, crls->why.text);
    }
    if (verdict == PATH_GOOD && !is_named(s, leaf)) {
        subject = name_text(X509_get_subject_name(leaf));
        (void)err_set(e, ERR_DENIED, "subject %s begins with none of the names", subject);
        return PATH_REFUSED;
    }
    return verdict;
}

enum path_verdict
trust_set_judge(const struct trust_set *s, X509 *leaf, enum path_purpose purpose,
                X509 *const *untrusted, size_t n, time_t at, struct err *e)
{
    CLEANUP(crls_free) struct crls crls = {0};
    /* The status is that of today, whenever the request was made. */
    time_t now = clock_now() > at ? clock_now() : at;
    struct path_request request = {.purpose = purpose,
                                   .at = at,
                                   .anchors = s->roots,
                                   .n_anchors = s->n_roots,
                                   .pinned = true, /* an anchor need not be self-signed */
                                   .untrusted = untrusted,
                                   .n_untrusted = n,
                                   .allow = s->allow,
                                   .status = s->crl_policy,
                                   .status_at = now,
                                   .crls = crls.list,
                                   .policies = (const char *const *)s->policies,
                                   .n_policies = s->n_policies,
                                   .explicit_policy = s->n_policies > 0};
    enum path_verdict verdict;

    read_crls(s, now, &crls);
    request.n_crls = crls.n;
    request.crls_since = s->crl_max_age_s > 0 ? now - s->crl_max_age_s : 0;
    verdict = judge(s, leaf, &request, &crls, e);
    if (verdict != PATH_GOOD) {
        (void)err_wrap(e, "trust \"%s\"", s->name);
    }
    return verdict;
}
