/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/held.h"

#include <string.h>

#include "base/log.h"
#include "base/ossl.h"
#include "base/proc.h"

enum { PIN_MAX = 255 };

static int
log_in(struct held *h, int pin_fd, struct err *e)
{
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(PIN_MAX);

    if (secret_read(pin_fd, h->policy->credential, &pin, e) != 0) {
        return -1;
    }
    return session_login(h->session, buf_span(&pin), e);
}

static bool
keeps_anchor(const struct held *h, bool self_test)
{
    return h->policy->anchors && !self_test;
}

static int
open_key(struct held *h, const char *policy, int pin_fd, bool self_test, struct err *e)
{
    const struct policy *p = h->policy;
    const struct key_policy *attributes = key_policy_find(p->attributes, e);

    if (attributes == NULL) {
        return err_wrap(e, "%s", policy);
    }
    /* The root's PIN is not left with a service. */
    if (!self_test && key_policy_always_authenticate(attributes)) {
        return err_set(e, ERR_DENIED, "%s: keys of %s are for ceremonies only", policy,
                       p->attributes);
    }
    h->module = module_open(p->module, p->module_config, e);
    if (h->module == NULL) {
        return -1;
    }
    h->session =
        session_open(h->module, p->token, p->serial,
                     keeps_anchor(h, self_test) ? SESSION_READ_WRITE : SESSION_READ_ONLY, e);
    if (h->session == NULL || log_in(h, pin_fd, e) != 0) {
        return -1;
    }
    h->key = key_find(h->session, attributes, span_of(p->key_id, sizeof(p->key_id)),
                      buf_span(&p->spki), e);
    if (h->key == NULL) {
        return -1;
    }
    if (p->seals) {
        h->secret = secret_find(h->session, span_of(p->seal_id, sizeof(p->seal_id)), e);
    }
    return p->seals && h->secret == NULL ? err_wrap(e, "seal") : 0;
}

/* A token that cannot keep one says so when it is to, at the first commit. */
static int
open_anchor(struct held *h, bool self_test, struct err *e)
{
    if (!keeps_anchor(h, self_test)) {
        if (h->policy->purpose == POLICY_LOG) {
            log_event(LOG_WARNING, "no-anchor",
                      "the policy says anchor = none: an older copy of journal, database and "
                      "ledger together is not known as one");
        }
        return 0;
    }
    h->anchored = anchored_open(h->session, h->policy->key_id, h->journal, e);
    return h->anchored == NULL ? -1 : 0;
}

/* ---- the journal ---- */

static int
make_mac(void *arg, struct span text, uint8_t mac[SNAPSHOT_MAC], struct err *e)
{
    CLEANUP(buf_free) struct buf out = BUF_SECRET(SECRET_MAC_SIZE);

    if (secret_mac(arg, text, &out, e) != 0) {
        return -1;
    }
    memcpy(mac, out.p, SNAPSHOT_MAC);
    return 0;
}

static void
say_not_believed(const struct held *h, const struct err *why)
{
    if (why->text[0] != '\0' && why->code != ERR_NOTFOUND) {
        log_err(LOG_WARNING, "snapshot-not-believed", why,
                "%s-snapshot: all lines of the journal were read", h->policy->journal);
    }
}

static int
load_journal(struct held *h, struct err *e)
{
    const struct snapshot_key key = {.make = make_mac, .arg = h->secret};
    struct err not_believed;
    uint8_t key_hash[SHA256_SIZE];
    size_t torn = 0;

    if (sha256(buf_span(&h->policy->spki), key_hash, e) != 0 ||
        journal_load(h->journal, key_hash, h->secret == NULL ? NULL : &key, &torn, &not_believed,
                     e) != 0) {
        return -1;
    }
    say_not_believed(h, &not_believed);
    if (torn > 0) {
        log_event(LOG_WARNING, "journal-repaired", "%s: cut %zu octets of a torn last line",
                  h->policy->journal, torn);
    }
    held_keep(h, HELD_KEEP_START);
    return 0;
}

void
held_keep(const struct held *h, uint64_t each)
{
    struct err e = {0};

    if (journal_keep(h->journal, each, &e) != 0) {
        log_err(LOG_WARNING, "snapshot-not-kept", &e, "%s-snapshot", h->policy->journal);
    }
}

int
held_open(struct held *h, const char *policy, int pin_fd, bool self_test, struct err *e)
{
    h->policy = policy_load(policy, e);
    if (h->policy == NULL) {
        return -1;
    }
    if (!self_test && h->policy->purpose == POLICY_SELF_TEST) {
        return err_set(e, ERR_DENIED, "%s: its purpose is self_test; use --self-test", policy);
    }
    h->journal = self_test ? NULL : journal_claim(h->policy->journal, e);
    if ((!self_test && h->journal == NULL) || open_key(h, policy, pin_fd, self_test, e) != 0) {
        return -1;
    }
    return self_test ? 0 : load_journal(h, e) != 0 ? -1 : open_anchor(h, self_test, e);
}

void
held_end(const struct held *h)
{
    struct err e = {0};

    if (h->journal != NULL) {
        held_keep(h, HELD_KEEP_END);
    }
    if (h->journal != NULL && journal_end(h->journal, &e) != 0) {
        log_err(LOG_WARNING, "not-counted", &e, "%s", h->policy->journal);
    }
}
