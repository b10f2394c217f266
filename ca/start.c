/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/start.h"

#include <event2/event.h>
#include <string.h>

#include "base/unix.h"
#include "base/validity.h"
#include "ca/daemon/record.h"
#include "ca/daemon/seals.h"
#include "ca/daemon/start_signers.h"
#include "ca/due/clock.h"
#include "ca/due/scrub.h"
#include "ca/due/unconfirmed.h"
#include "ca/due/waiting.h"
#include "ca/journals/journals.h"
#include "ca/policy/registered.h"
#include "ca/publish/checkpoint.h"
#include "ca/publish/committed.h"
#include "ca/publish/crl.h"
#include "ca/publish/greet.h"
#include "ca/request/stages.h"
#include "ca/request/watchers.h"
#include "ca/restore/work.h"
#include "ca/x509/name.h"

enum { SHARED_SAID_MAX = 100 };

/* ---- certificates ---- */

static int
check_chain(const struct ca *ca, struct err *e)
{
    const struct policy *p = &ca->policy;

    if (X509_verify(p->root, X509_get0_pubkey(p->root)) != 1) {
        return ossl_err(e, ERR_CRYPTO, "%s: not self-signed", ca->conf.root_certificate);
    }
    if (X509_check_issued(p->root, p->issuing) != X509_V_OK ||
        X509_verify(p->issuing, X509_get0_pubkey(p->root)) != 1) {
        return ossl_err(e, ERR_CRYPTO, "%s: not issued by %s", ca->conf.issuing_certificate,
                        ca->conf.root_certificate);
    }
    if (X509_check_ca(p->issuing) != 1) {
        return err_set(e, ERR_INPUT, "%s: not a CA certificate", ca->conf.issuing_certificate);
    }
    if (!validity_has(p->issuing, clock_now())) {
        return err_set(e, ERR_DENIED, "%s: out of its validity: make a new one in a ceremony",
                       ca->conf.issuing_certificate);
    }
    return 0;
}

static bool
is_rehearsal(const X509_NAME *name)
{
    struct span der;
    struct name parts;
    struct err e = {0};

    return name_der(name, &der, &e) == 0 && name_decode(der, &parts, &e) == 0 &&
           strncmp(parts.common_name, REHEARSAL_PREFIX, sizeof(REHEARSAL_PREFIX) - 1) == 0;
}

static void
say_remark(const struct err *e)
{
    log_err(LOG_WARNING, "trust-remark", e, "nfpki-ca.conf");
}

static int
load_policy(struct ca *ca, struct err *e)
{
    const struct ca_conf *c = &ca->conf;
    struct policy *p = &ca->policy;

    if (certificate_load_der(c->issuing_certificate, LINK_CERTIFICATE_MAX, &p->issuing,
                             &ca->issuing_der, e) != 0 ||
        certificate_load_der(c->root_certificate, LINK_CERTIFICATE_MAX, &p->root, &ca->root_der,
                             e) != 0 ||
        check_chain(ca, e) != 0 || sha256(buf_span(&ca->issuing_der), p->issuing_hash, e) != 0 ||
        profiles_hash(c->profiles, ca->profile_file, e) != 0) {
        return -1;
    }
    p->issuing_key = X509_get0_pubkey(p->issuing);
    p->name = X509_get_subject_name(p->issuing);
    p->heads = cmp_heads_new();
    p->crl_url = c->crl_url;
    p->blocked = c->blocked;
    p->backdate_s = c->backdate_s;
    p->message_window_s = c->message_window_s;
    p->message_required = c->message_required;
    p->rehearsal = is_rehearsal(p->name);
    p->registrar = *profile_by_name("registrar");
    p->officer = *profile_by_name("officer");
    if (cert_policies_take((const char *const *)c->registrar_policies, c->n_registrar_policies,
                           p->registrar.policies, e) != 0 ||
        cert_policies_take((const char *const *)c->officer_policies, c->n_officer_policies,
                           p->officer.policies, e) != 0) {
        return -1;
    }
    p->rules = (struct nf_rules){.home_domains = (const char *const *)c->home_domains,
                                 .n_home_domains = c->n_home_domains,
                                 .fqdn_suffixes = (const char *const *)c->fqdn_suffixes,
                                 .n_fqdn_suffixes = c->n_fqdn_suffixes,
                                 .profiles = c->profiles,
                                 .lab_profiles = c->lab_profiles};
    p->stored_rules = p->rules;
    p->stored_rules.stored = true;
    p->renew = (struct renew_rules){.window = c->renewal_window,
                                    .expired_days = c->expired_renewal_days,
                                    .same_key = c->allow_same_key_renewal,
                                    .reenrolment = c->reenrolment};
    p->trust = trust_new(p->root, p->issuing, &c->trust, e);
    if (p->trust == NULL) {
        return -1;
    }
    trust_remarks(p->trust, clock_now(), say_remark);
    return 0;
}

int
ca_check(struct ca *ca, struct err *e)
{
    return load_policy(ca, e) != 0 ? -1 : trust_check_anchors(ca->policy.trust, clock_now(), e);
}

/* ---- leaves ---- */

struct leaves_op {
    struct store_op op;
    struct ca *ca;
    struct recovery recovered;
    const char *stop; /* NULL: a start */
};

/* A leaf when this file is another one than at the last start. */
static int
append_config(struct store_db *db, const char *file, struct span hash, time_t now, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_CONFIG, now);
    CLEANUP(buf_free) struct buf previous = BUF_INIT(SHA256_SIZE);
    uint64_t index;
    bool changed;

    if (issuance_setting(db, file, hash, &previous, &changed, e) != 0) {
        return -1;
    }
    if (!changed) {
        return 0;
    }
    leaf_set_text(leaf, "file", file);
    leaf_set_hex(leaf, "sha256", hash);
    if (previous.n > 0) {
        leaf_set_hex(leaf, "previous", buf_span(&previous));
    }
    return ledger_append(db, leaf, &index, e);
}

static int
append_blocked_keys(struct store_db *db, const struct ca *ca, time_t now, struct err *e)
{
    uint8_t hash[SHA256_SIZE];

    return blocked_keys_hash(ca->conf.blocked, hash, e) != 0
               ? -1
               : append_config(db, "blocked_keys", span_of(hash, sizeof(hash)), now, e);
}

/* Of the first signer `issuing_policy`, of others with their number. */
static int
append_issuing(struct store_db *db, const struct ca *ca, time_t now, struct err *e)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < ca->conf.n_issuing; i++) {
        const unsigned number = ca->conf.issuing[i].number;
        CLEANUP(mem_cleanup)
        char *name = number == 0 ? mem_strdup("issuing_policy")
                                 : mem_printf("issuing_policy.%u", number + 1);

        result =
            append_config(db, name, signer_policy_hash(signer_pool_at(ca->issuing, i)), now, e);
    }
    return result;
}

static int
append_configs(struct store_db *db, const struct ca *ca, time_t now, struct err *e)
{
    if (append_config(db, "nfpki-ca.conf", span_of(ca->conf.hash, sizeof(ca->conf.hash)), now, e) !=
            0 ||
        append_config(db, "profiles", span_of(ca->profile_file, SHA256_SIZE), now, e) != 0 ||
        append_issuing(db, ca, now, e) != 0) {
        return -1;
    }
    if (ca->conf.blocked != NULL && append_blocked_keys(db, ca, now, e) != 0) {
        return -1;
    }
    return append_config(db, "log_policy", signer_policy_hash(ca->log), now, e);
}

static int
append_recovered(struct store_db *db, const struct leaves_op *o, time_t now, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_RECOVERED, now);
    uint64_t index;

    if (o->recovered.resumed + o->recovered.abandoned == 0) {
        return 0;
    }
    leaf_set_int(leaf, "resumed", o->recovered.resumed);
    leaf_set_int(leaf, "abandoned", o->recovered.abandoned);
    return ledger_append(db, leaf, &index, e);
}

static int
append_start(struct store_db *db, const struct ca *ca, time_t now, struct err *e)
{
    CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_START, now);
    uint8_t root[SHA256_SIZE];
    uint8_t log_key[SHA256_SIZE];
    uint64_t index;

    if (sha256(buf_span(&ca->root_der), root, e) != 0 ||
        sha256(signer_spki(ca->log), log_key, e) != 0) {
        return -1;
    }

    leaf_set_text(leaf, "program", "nfpki-ca");
    leaf_set_text(leaf, "version", NFPKI_VERSION);
    leaf_set_hex(leaf, "config", span_of(ca->conf.hash, sizeof(ca->conf.hash)));
    leaf_set_bool(leaf, "softwareToken",
                  signer_pool_is_software(ca->issuing) || signer_is_software(ca->log));
    leaf_set_hex(leaf, "issuer", span_of(ca->policy.issuing_hash, sizeof(ca->policy.issuing_hash)));
    leaf_set_int(leaf, "record", LEAF_RECORD_VERSION);
    leaf_set_hex(leaf, "root", span_of(root, sizeof(root)));
    leaf_set_hex(leaf, "logKey", span_of(log_key, sizeof(log_key)));
    if (ca->went_back_from != 0) {
        leaf_set_time(leaf, "clockSetBack", ca->went_back_from);
    }
    return ledger_append(db, leaf, &index, e);
}

/* Of a state of before: since then no second one is taken. */
static void
say_shared(void *arg, const char *id, const char *other)
{
    (void)arg;
    log_event(LOG_WARNING, "proof-shared",
              "registrations %s and %s have the same proof: nothing is issued by it under either, "
              "cancel one of them",
              id, other);
}

static int
run_leaves(struct store_op *op, struct store_db *db, struct err *e)
{
    struct leaves_op *o = CONTAINER_OF(op, struct leaves_op, op);
    time_t now = clock_now();

    if (o->stop != NULL) {
        CLEANUP(leaf_cleanup) struct leaf *leaf = leaf_new(LEAF_STOP, now);
        uint64_t index;

        leaf_set_text(leaf, "reason", o->stop);
        return scrub_keep(o->ca->scrub, db, e) != 0 ? -1 : ledger_append(db, leaf, &index, e);
    }
    return issuance_registration_each_shared(db, now, SHARED_SAID_MAX, say_shared, NULL, e) != 0 ||
                   append_recovered(db, o, now, e) != 0 || append_configs(db, o->ca, now, e) != 0 ||
                   append_start(db, o->ca, now, e) != 0 || ca_seals_say(db, now, e) != 0
               ? -1
               : 0;
}

/* ---- the whole ---- */

static void
on_connected(struct ca *ca)
{
    unconfirmed_connected(ca->unconfirmed);
}

int
ca_open_signers(struct ca *ca, struct err *e)
{
    ca->finished = tasks_new(e);
    ca->registered = registered_new();
    return ca->finished == NULL || load_policy(ca, e) != 0 || ca_start_signers(ca, e) != 0 ||
                   ca_seals_key(ca, e) != 0 || work_finish(ca->conf.database, e) != 0
               ? -1
               : 0;
}

/* A token that cannot keep what was signed last says so here; and where another run has the log,
 * that one stops now. */
static int
take_log(const struct ca *ca, struct err *e)
{
    struct signer_anchored now;

    return signer_has_anchor(ca->log) && signer_anchor(ca->log, &now, e) != 0
               ? err_wrap(e, "signer %s: the log's anchor", ca_signer_name(&ca->conf.log))
               : 0;
}

/* Of all that may refuse the last, and so the first that changes something: in the token. */
static int
look_last(struct ca *ca, void *arg, struct store_db *db, struct err *e)
{
    (void)arg;
    return journals_look(ca, db, e) != 0 ? -1 : take_log(ca, e);
}

/* What needs neither token nor database. */
static int
check_places(const struct ca *ca, struct err *e)
{
    return unix_check_path(ca->conf.link_socket, e) != 0 ||
                   unix_check_path(ca->conf.admin_socket, e) != 0
               ? -1
               : crl_check_root(ca, e);
}

int
ca_open(struct ca *ca, struct err *e)
{
    if (ca_open_signers(ca, e) != 0 || check_places(ca, e) != 0 ||
        ca_record_open(ca, look_last, NULL, e) != 0 || ca_record_publish(ca, e) != 0 ||
        journals_open(ca, e) != 0 || ca_ras_load(ca, e) != 0 || crl_publish_root(ca, e) != 0) {
        return -1;
    }
    ca->base = event_base_new();
    if (ca->base == NULL) {
        return err_set(e, ERR_IO, "libevent could not be initialised");
    }
    ca->pool = pool_new(ca->conf.workers, ca->finished, e);
    if (ca->pool == NULL) {
        return -1;
    }
    ca->release = release_new(ca);
    ca->committed = committed_new(ca);
    ca->crl = crl_maker_new(ca);
    ca->watchers = watchers_new(ca);
    ca->requests = requests_new(ca);
    ca->waiting = waiting_new(ca);
    ca->unconfirmed = unconfirmed_new(ca);
    ca->scrub = scrub_new(ca);
    ca->greeter = greeter_new(ca, on_connected);
    ca->journals = journals_new(ca);
    return 0;
}

int
ca_begin(struct ca *ca, struct recovery recovered, struct err *e)
{
    struct leaves_op o = {.op = {.run = run_leaves}, .ca = ca, .recovered = recovered};

    if (recovered.resumed + recovered.abandoned > 0) {
        log_event(LOG_WARNING, "recovered", "%d intents were finished, %d given up",
                  recovered.resumed, recovered.abandoned);
    }
    return store_call(ca->store, &o.op, e) != 0 || release_now(ca, e) != 0
               ? -1
               : committed_now(ca->committed, e);
}

int
ca_finish(struct ca *ca, const char *reason, struct err *e)
{
    struct leaves_op o = {.op = {.run = run_leaves}, .ca = ca, .stop = reason};

    if (store_call(ca->store, &o.op, e) != 0 || release_now(ca, e) != 0) {
        return -1;
    }
    journals_end(ca);
    return committed_now(ca->committed, e);
}

static void
free_events(struct ca *ca)
{
    struct event *events[] = {ca->finishing, ca->signals[0], ca->signals[1], ca->drained};

    for (size_t i = 0; i < ARRAY_LEN(events); i++) {
        if (events[i] != NULL) {
            event_free(events[i]);
        }
    }
}

void
ca_close(struct ca *ca)
{
    link_server_free(ca->link);
    admin_server_free(ca->admin);
    pool_free(ca->pool);
    mem_free(ca->reports.by);
    crl_maker_free(ca->crl);
    waiting_free(ca->waiting);
    requests_free(ca->requests);
    watchers_free(ca->watchers);
    unconfirmed_free(ca->unconfirmed);
    clock_watch_free(ca->clock_watch);
    scrub_free(ca->scrub);
    greeter_free(ca->greeter);
    registered_free(ca->registered);
    release_free(ca->release);
    committed_free(ca->committed);
    if (ca->ras != NULL) {
        ca_ras_drop(ca->ras);
    }
    signer_pool_free(ca->issuing); /* who asks the database when one comes back */
    signer_free(ca->log);
    journals_free(ca->journals);
    store_free(ca->store);
    ledger_free(ca->ledger);
    buf_free(&ca->seal_key);
    free_events(ca);
    if (ca->base != NULL) {
        event_base_free(ca->base);
    }
    tasks_free(ca->finished);
    trust_free(ca->policy.trust);
    cmp_heads_free(ca->policy.heads);
    X509_free(ca->policy.issuing);
    X509_free(ca->policy.root);
    buf_free(&ca->issuing_der);
    buf_free(&ca->root_der);
    ca_conf_free(&ca->conf);
}
