/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/start.h"

#include <event2/event.h>

#include "base/file.h"
#include "base/log.h"
#include "base/ossl.h"
#include "base/validity.h"
#include "ca/registration/batch.h"
#include "ca/x509/path/path.h"
#include "db/requests/requests.h"
#include "db/store/schema.h"
#include "pkcs11/client/pool.h"
#include "ra/daemon/budget.h"
#include "ra/daemon/crowd.h"
#include "ra/queue/ca_log.h"
#include "ra/queue/heads.h"
#include "ra/secret/file_seal.h"
#include "ra/secret/lane.h"
#include "ra/secret/mac_cache.h"
#include "ra/secret/seal_key.h"
#include "ra/transaction/transaction.h"

enum {
    REGISTRATIONS_MAX = 65536, /* whose budget is remembered */
    CERTIFICATE_MAX = 64 * 1024,
    LOOK_AT_ONCE = 1000, /* pages */
};

/* Each signed refusal costs a signature that enrolments need, too: a few for whoever made a
 * mistake, none for a flood. */
static const struct budget_limit refusals = {.interval_us = 50000, .burst = 20};

/* The RA's certificate must be one: issued by our issuing CA, with id-kp-cmcRA (RFC 9810 4.5). One
 * that has ended or has not begun is no reason not to start: daemon/own_certificate.h. */
static int
check_own_certificate(const struct settings *s, const struct credentials *c,
                      struct own_certificate *own, struct err *e)
{
    X509 *anchors[] = {c->root};
    X509 *untrusted[] = {c->issuing};
    struct path_request request = {.purpose = PATH_RA_CMP,
                                   .at = clock_now(),
                                   .anchors = anchors,
                                   .n_anchors = 1,
                                   .untrusted = untrusted,
                                   .n_untrusted = 1};

    if (validity_read(c->certificate, &own->not_before, &own->not_after, e) != 0) {
        return err_wrap(e, "%s", s->certificate);
    }
    if (request.at < own->not_before) {
        request.at = own->not_before;
    } else if (request.at > own->not_after) {
        request.at = own->not_after;
    }
    if (path_verify(c->certificate, &request, e) != 0) {
        return err_wrap(e, "%s", s->certificate);
    }
    return 0;
}

static void
say_remark(const struct err *e)
{
    log_err(LOG_WARNING, "trust-remark", e, "nfpki-ra.conf");
}

/* Whose heads the queue's are, and for whom. */
static int
hash_names(struct credentials *c, struct err *e)
{
    return certificate_key_hash(c->certificate, c->key_hash, e) != 0
               ? -1
               : sha256(buf_span(&c->issuing_der), c->issuing_hash, e);
}

static int
load_credentials(const struct settings *s, struct credentials *c, struct own_certificate *own,
                 struct err *e)
{
    const ASN1_OCTET_STRING *ski;

    if (certificate_load_der(s->certificate, CERTIFICATE_MAX, &c->certificate, &c->certificate_der,
                             e) != 0 ||
        certificate_load_der(s->issuing, CERTIFICATE_MAX, &c->issuing, &c->issuing_der, e) != 0 ||
        certificate_load_der(s->root, CERTIFICATE_MAX, &c->root, &c->root_der, e) != 0) {
        return -1;
    }
    c->trust = trust_new(c->root, c->issuing, &s->trust, e);
    if (c->trust == NULL) {
        return -1;
    }
    trust_remarks(c->trust, clock_now(), say_remark);
    c->tls_root = BUF_INIT(64 * 1024);
    if (s->public_tls_root != NULL && file_read(s->public_tls_root, &c->tls_root, e) != 0) {
        return err_wrap(e, "public_tls_root");
    }
    ski = X509_get0_subject_key_id(c->certificate);
    if (ski == NULL) {
        return err_set(e, ERR_INPUT, "%s has no subjectKeyIdentifier", s->certificate);
    }
    if (root_update_load(&s->root_update, &c->root_update, e) != 0) {
        return -1;
    }
    if (s->log_key != NULL && ca_log_read_key(s->log_key, &c->log_key, e) != 0) {
        return -1;
    }
    if (hash_names(c, e) != 0) {
        return -1;
    }
    c->ski = span_of(ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski));
    return check_own_certificate(s, c, own, e);
}

static void
say_not_started(const struct signer_options *o, const struct err *e)
{
    log_err(LOG_WARNING, "signer-not-started", e, "%s: trying again",
            o->socket != NULL ? o->socket : o->policy);
}

static void
say_what_it_is(struct signer *s, const char *name)
{
    if (signer_is_software(s)) {
        log_event(LOG_WARNING, "software-token", "the RA's key is in software: for tests only");
    }
    if (!signer_is_apart(s)) {
        log_event(
            LOG_WARNING, "signer-within-reach",
            "%s: this program's user can read the signer's PIN, and use its token past policy and "
            "journal: for tests and demonstrations only, see nfpki-signer(8), AS A SERVICE",
            name);
    }
}

static int
start_signer(struct ra *ra, const char *name, struct err *e)
{
    const struct signer_options options = {
        .program = ra->settings->signer,
        .policy = ra->settings->signer_listens ? NULL : name,
        .socket = ra->settings->signer_listens ? name : NULL,
        .pin_fd = -1,
        .finished = ra->tasks,
    };
    struct signer *s = signer_start_patiently(&options, say_not_started, e);

    if (s == NULL) {
        return err_wrap(e, "signer");
    }
    say_what_it_is(s, name);
    return signer_pool_add(ra->signers, s, e) != 0 ? err_wrap(e, "signer %s", name) : 0;
}

static int
start_signers(struct ra *ra, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);

    ra->signers = signer_pool_new();
    for (size_t i = 0; i < ra->settings->n_signers; i++) {
        if (start_signer(ra, ra->settings->signers[i], e) != 0) {
            return -1;
        }
    }
    if (OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(ra->credentials.certificate), &spki, e) !=
        0) {
        return -1;
    }
    if (!span_equal(buf_span(&spki), signer_spki(signer_pool_first(ra->signers)))) {
        return err_set(e, ERR_INPUT, "%s is not the certificate of the key that %s names",
                       ra->settings->certificate, settings_signer_name(ra->settings));
    }
    ra->credentials.algorithm = signer_algorithm_identifier(signer_pool_first(ra->signers));
    return 0;
}

/* ---- the database ---- */

static const struct store_migration *const schemas[STORE_SCHEMAS_MAX] = {ra_migrations};

static int
open_store(struct ra *ra, bool derived, struct store_options *options, struct err *e)
{
    CLEANUP(buf_free) struct buf key = BUF_SECRET(STORE_KEY_SIZE);

    if ((derived && file_seal_key(ra, &key, e) != 0) ||
        file_mkdirs(ra->settings->state, 0700, e) != 0) {
        return -1;
    }
    options->path = ra->settings->database;
    options->application = REQUESTS_APPLICATION;
    options->schemas[0] = ra_migrations;
    options->finished = ra->tasks;
    options->seal_key = buf_span(&key);
    ra->store = store_open(options, e);
    return ra->store == NULL ? -1 : 0;
}

static int
verify_queue(struct store_op *op, struct store_db *db, struct err *e)
{
    (void)op;
    return store_require_schema(db, schemas, "ra.db", "see nfpki-ra(8)", e) != 0
               ? -1
               : requests_verify_chain(db, e);
}

/* Whose file it is first, then what it says, under the key that seals. What fails on the way leaves
 * a file without seals as it is: --seal goes on with it. */
static int
open_file(struct ra *ra, struct err *e)
{
    struct store_options options = {.admit = file_seal_admit, .admit_arg = ra};
    struct store_op queue = {.run = verify_queue};
    bool derived = false;

    return seal_key_ask(ra, &derived, e) != 0 || open_store(ra, derived, &options, e) != 0 ||
                   store_call(ra->store, &queue, e) != 0 || seal_key_settle(ra, derived, e) != 0
               ? -1
               : file_seal_begin(ra, e);
}

/* ---- all of it, for who wants to know ---- */

struct looking {
    struct ra_verified *out;
    bool looked;
    bool all_told; /* which pages differ: they are read again for what follows */
};

static void
tell(void *arg, const char *what)
{
    struct looking *l = arg;

    if (l->all_told) {
        return;
    }
    l->out->differ++;
    l->out->tell(l->out->arg, what);
}

/* Each page, then all that SQLite finds, then what the rows say. */
static int
look(void *arg, struct store_db *db, struct err *e)
{
    struct looking *l = arg;
    uint64_t page = 0;
    bool end = false;

    l->looked = true;
    l->out->sealed = store_seal_state(db) == STORE_SEALED;
    while (l->out->sealed && !end) {
        uint64_t seen = 0;

        if (store_scrub(db, &page, LOOK_AT_ONCE, &seen, &end, e) != 0) {
            return -1;
        }
        l->out->pages += seen;
    }
    l->all_told = l->out->differ > 0;
    return file_seal_integrity(db, e) != 0 ? -1 : verify_queue(NULL, db, e);
}

/* The store is never opened behind that: what was looked at is as it was. */
static int
look_at_file(struct ra *ra, struct ra_verified *out, struct err *e)
{
    struct looking l = {.out = out};
    struct store_options options = {.admit = look, .admit_arg = &l, .tell = tell, .tell_arg = &l};
    bool derived = false;

    if (seal_key_ask(ra, &derived, e) != 0) {
        return -1;
    }
    return open_store(ra, derived, &options, e) != 0 && l.looked && e->code == ERR_DENIED ? 0 : -1;
}

static void
set_rules(struct ra *ra)
{
    ra->rules = (struct cmp_rules){
        .bodies = CMP_BODY_BIT(CMP_IR) | CMP_BODY_BIT(CMP_CR) | CMP_BODY_BIT(CMP_P10CR) |
                  CMP_BODY_BIT(CMP_KUR) | CMP_BODY_BIT(CMP_CERTCONF) | CMP_BODY_BIT(CMP_POLLREQ) |
                  CMP_BODY_BIT(CMP_RR) | CMP_BODY_BIT(CMP_GENM) | CMP_BODY_BIT(CMP_ERROR),
        .time_required = ra->settings->message_time_required,
        .mac = {.count_min = (uint32_t)ra->settings->pbm_min_iterations,
                .count_max = (uint32_t)ra->settings->pbm_max_iterations,
                .pbmac1_max = (uint32_t)ra->settings->pbmac1_max_iterations},
    };
    ra->old_rules = ra->rules;
    ra->old_rules.old = cmp_lenience_rfc4210;
    /* Whether laboratories are allowed is in the CA's configuration alone. */
    ra->registration_rules =
        (struct nf_rules){.profiles = ra->settings->profiles, .lab_profiles = true};
    ra->stored_rules = ra->registration_rules;
    ra->stored_rules.stored = true;
}

int
ra_prepare(struct ra *ra, const struct settings *settings, struct err *e)
{
    ra->settings = settings;
    ra->manifests = batch_manifests_new();
    set_rules(ra);
    ra->behind_s = settings->message_time_window;
    ra->mac_cache = mac_cache_new(MAC_CACHE_MAX, settings->confirm_wait);
    ra->by_registration = budget_new(&settings->http.by_registration, REGISTRATIONS_MAX);
    ra->of_refusals = budget_new(&refusals, 1);
    ra->beginning = crowd_new((size_t)settings->beginning_max, settings->sync_wait);
    return load_credentials(settings, &ra->credentials, &ra->own, e);
}

int
ra_verify(struct ra *ra, const struct settings *settings, struct ra_verified *out, struct err *e)
{
    if (ra_prepare(ra, settings, e) != 0) {
        return -1;
    }
    ra->tasks = tasks_new(e);
    return ra->tasks == NULL || start_signers(ra, e) != 0 ? -1 : look_at_file(ra, out, e);
}

int
ra_open(struct ra *ra, const struct settings *settings, struct err *e)
{
    if (ra_prepare(ra, settings, e) != 0) {
        return -1;
    }
    (void)own_certificate_look(ra);
    ra->tasks = tasks_new(e);
    ra->base = event_base_new();
    if (ra->tasks == NULL || ra->base == NULL || start_signers(ra, e) != 0 ||
        open_file(ra, e) != 0) {
        return -1;
    }
    ra->pool = pool_new((size_t)settings->workers, ra->tasks, e);
    if (ra->pool == NULL) {
        return -1;
    }
    ra->lane = lane_new(ra->base, ra->tasks, 0, e);
    if (ra->lane == NULL) {
        return -1;
    }
    ra->heads = heads_new(ra);
    transaction_open(ra);
    return 0;
}

int
ra_check(const struct settings *settings, struct err *e)
{
    struct ra ra = {.settings = settings};
    int result = load_credentials(settings, &ra.credentials, &ra.own, e);

    if (result == 0) {
        (void)own_certificate_look(&ra);
        result = trust_check_anchors(ra.credentials.trust, clock_now(), e);
    }
    ra_close(&ra);
    return result;
}

void
ra_close(struct ra *ra)
{
    struct credentials *c = &ra->credentials;

    transaction_close(ra);
    heads_free(ra->heads);
    pool_free(ra->pool);
    lane_free(ra->lane);
    store_free(ra->store);
    signer_pool_free(ra->signers);
    if (ra->base != NULL) {
        event_base_free(ra->base);
    }
    tasks_free(ra->tasks);
    X509_free(c->certificate);
    X509_free(c->issuing);
    X509_free(c->root);
    trust_free(c->trust);
    buf_free(&c->certificate_der);
    buf_free(&c->issuing_der);
    buf_free(&c->root_der);
    buf_free(&c->tls_root);
    root_update_free(&c->root_update);
    buf_free(&c->log_key);
    buf_free(&ra->seal_key);
    mac_cache_free(ra->mac_cache);
    batch_manifests_free(ra->manifests);
    budget_free(ra->by_registration);
    budget_free(ra->of_refusals);
    crowd_free(ra->beginning);
}
