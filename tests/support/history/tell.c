/* SPDX-License-Identifier: Apache-2.0 */
/* A season in the life of a CA. */
#include <string.h>

#include "tests/support/history/history.h"
#include "tests/support/test.h"

#define HASH_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define HASH_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define REGISTRATION "33333333333333333333333333333333"

static void
note(char out[HISTORY_HEX], const char *serial)
{
    memcpy(out, serial, HISTORY_HEX);
}

/* Days 0 to 2: ceremonies, people, the first network functions. */
static void
tell_beginning(struct history *h, struct history_told *t)
{
    history_start(h, "1.0", NULL);
    history_ceremony(h, "root");
    history_ceremony(h, "issuing <b>1</b>");
    history_config(h, "nfpki-ca.conf", "first", NULL);
    history_config(h, "profiles", "profiles", NULL);
    history_sealed(h, 120);
    t->ada = history_person(h, "officer", "Ada Alder", 300);
    t->boris = history_person(h, "officer", "Boris Birch", 300);
    t->carla = history_person(h, "officer", "Carla Cedar", 300);
    t->north = history_person(h, "registrar", "Registrar North", 300);
    t->ra = history_person(h, "ra-cmp", "RA 1", 60);
    h->ra = t->ra;
    history_report(h, "start 2026-01-12T08:00:20Z 1.0 " HASH_1 " " HASH_2 "\n");
    history_crl(h, 7);
    history_at(h, 1, 9, 0);
    t->hostile = history_hostile_person(h);
    history_at(h, 1, 10, 0);
    t->used = history_register(h, "AMF", "amf1", t->north, "mac", 1, 90);
    history_enrol(h, t->used, (struct history_how){0});
    history_at(h, 1, 10, 40);
    history_enrol(h, history_register(h, "SMF", "smf1", t->north, "mac", 1, 90),
                  (struct history_how){0});
    history_at(h, 2, 8, 0);
    t->revoked = history_register(h, "UPF", "upf1", t->north, "mac", 2, 90);
    history_enrol(h, t->revoked, (struct history_how){0});
    t->unused = history_register(h, "NRF", "nrf1", t->north, "mac", 3, 110);
    history_stop(h, "SIGTERM");
}

/* Days 3 to 20: outages, a compromise, requests that officers decide about, refusals. */
static void
tell_trouble(struct history *h, struct history_told *t)
{
    history_at(h, 3, 14, 0); /* the stop took more than a day */
    history_start(h, "1.0", NULL);
    history_crl(h, 7);
    history_at(h, 5, 11, 0);
    history_revoke(h, t->revoked->serial, 1, "uid 0 (root) \x1b[2J", NULL);
    note(t->compromised, t->revoked->serial);
    history_crl(h, 7);
    history_at(h, 6, 9, 30);
    t->approved = history_register(h, "AUSF", "ausf1", t->hostile, "mac", 1, 90);
    history_request(h, t->approved, "nf-tls", 2);
    history_at(h, 6, 10, 0);
    history_approve(h, t->approved, t->ada, "approve", NULL);
    history_at(h, 6, 13, 0);
    history_approve(h, t->approved, t->boris, "approve", "seen on site");
    history_intend(h, t->approved, (struct history_how){.approvals = 2});
    history_issued(h, t->approved);
    history_confirm(h, t->approved);
    history_at(h, 7, 9, 0);
    t->refused_nf = history_register(h, "UDM", "udm1", t->north, "mac", 1, 90);
    history_request(h, t->refused_nf, "nf-tls", 2);
    history_at(h, 7, 9, 30);
    history_approve(h, t->refused_nf, t->carla, "reject", "<img src=http://x>");
    history_refuse(h, t->refused_nf, 23, "an officer rejected it");
    history_at(h, 8, 9, 0);
    history_request(h, t->refused_nf, "nf-tls-client", 0);
    history_refuse(h, t->refused_nf, 19, "the template has \x1b]0;x\x07\u202e</script>");
    history_report(h, "refused 12 1 unknown the protection <b>does not verify</b>\n"
                      "refused 2 23 " REGISTRATION " the registration is used up\n"
                      "others 400 2\n"
                      "did 2026-01-20T08:59:00Z register refused - uid 0 (root)\n");
    history_operation(h, "revoke", "uid 0 (root) \x1b[2J", "00ff", "no such certificate");
    history_at(h, 9, 9, 0);
    history_revoke(h, t->carla->serial, 9, "uid 0 (root)", NULL);
    history_at(h, 10, 2, 0); /* killed: no STOP */
    history_start(h, "1.0", NULL);
    history_recovered(h, 0, 0, "nothing was left open");
    history_crl(h, 7);
    history_config(h, "profiles", "profiles 2", "profiles");
    history_at(h, 12, 9, 0);
    t->rejected = history_register(h, "PCF", "pcf1", t->hostile, "mac", 2, 60);
    history_request(h, t->rejected, "nf-tls", 0);
    history_intend(h, t->rejected, (struct history_how){0});
    history_issued(h, t->rejected);
    history_reject(h, t->rejected, "not the key", true);
}

/* What a network function rejected is made up for once; what one never confirmed; hostile names. */
static void
tell_oddities(struct history *h, struct history_told *t)
{
    X509 *rejected = t->rejected->certificate;
    EVP_PKEY *key = t->rejected->key;
    char before[HISTORY_HEX];

    history_at(h, 12, 10, 0);
    note(before, t->rejected->serial);
    note(t->rejected_first, before);
    assert_int_equal(X509_up_ref(rejected), 1);
    assert_int_equal(EVP_PKEY_up_ref(key), 1);
    history_enrol(h, t->rejected, (struct history_how){.instead_of = before});
    history_give_back(h, t->rejected, rejected, key, 5);
    X509_free(rejected);
    EVP_PKEY_free(key);
    history_at(h, 14, 9, 0);
    t->never_confirmed = history_register(h, "NEF", "nef1", t->north, "mac", 1, 60);
    history_request(h, t->never_confirmed, "nf-tls", 0);
    history_intend(h, t->never_confirmed, (struct history_how){0});
    history_issued(h, t->never_confirmed);
    history_at(h, 15, 9, 0);
    t->hostile_nf = history_register(h, "AMF", "amf9", t->hostile, "mac", 1, 90);
    history_enrol(h, t->hostile_nf, (struct history_how){.hostile = true});
    history_at(h, 17, 3, 0);
    history_operation(h, "crl", "uid 0 (root)", NULL, NULL);
    history_crl(h, 7);
    history_at(h, 18, 9, 0);
    history_acknowledge(h, t->ada, t->boris, "a line of a signer that was lost <b>");
    history_at(h, 19, 9, 0);
    history_clock(h, h->l.now - 4000);
    history_cancel_by(h, t->refused_nf, "uid 0 (root)", "never used");
}

/* Days 21 to 60: it works, and more is asked each week; one CRL is late. */
static void
tell_growth(struct history *h, const struct history_told *t)
{
    static const char *const types[] = {"AMF", "SMF", "UPF", "SMF", "NRF", "UPF", "AMF"};

    for (int i = 0; i < (int)ARRAY_LEN(types); i++) {
        CLEANUP(mem_cleanup) char *name = mem_printf("more%d", i);

        history_at(h, 21 + 5 * i, 8 + i, 10 * i);
        history_enrol(h,
                      history_register(h, types[i], name, i % 3 == 0 ? t->hostile : t->north,
                                       i % 2 == 0 ? "mac" : "publicKey", 1, 60),
                      (struct history_how){.profile = i % 4 == 1 ? "nf-tls-client" : "nf-tls"});
        if (i != 2) { /* the one of day 31 came late */
            history_at(h, 24 + 5 * i, 4, 0);
            history_crl(h, 7);
        }
    }
}

/* Days 61 to 80: updates, a second RA, one key twice, the clock. */
static void
tell_renewal(struct history *h, struct history_told *t)
{
    char before[HISTORY_HEX];
    time_t last;

    history_at(h, 57, 9, 0);
    t->second_ra = history_person(h, "ra-cmp", "RA 2", 200);
    h->ra = t->second_ra;
    history_at(h, 58, 9, 0);
    history_crl(h, 7);
    history_at(h, 59, 9, 0);
    note(t->superseded, h->nfs[10]->serial);
    history_update(h, h->nfs[10]);
    history_at(h, 60, 9, 0);
    note(before, h->nfs[11]->serial);
    history_request_how(h, h->nfs[11], &(struct history_how){.updates = before});
    history_intend(h, h->nfs[11], (struct history_how){.updates = before});
    history_issued(h, h->nfs[11]);
    history_at(h, 60, 9, 5);
    history_again(h, h->nfs[11]);
    history_confirm(h, h->nfs[11]);
    note(t->superseded_too, before);
    history_revoke(h, before, 4, NULL, h->nfs[11]->serial);
    history_at(h, 62, 9, 0);
    history_enrol(h, h->nfs[12],
                  (struct history_how){.renews = h->nfs[12]->serial, .key = h->nfs[11]->key});
    note(t->shared[0], h->nfs[11]->serial);
    note(t->shared[1], h->nfs[12]->serial);
    history_at(h, 64, 4, 0);
    history_crl(h, 7);
    history_at(h, 66, 12, 0);
    history_stop(h, "new version");
    last = h->l.now - 1;
    history_at(h, 66, 11, 0); /* the clock was an hour ahead */
    history_start(h, "1.1", &last);
    history_config(h, "nfpki-ca.conf", "second", "first");
}

/* The last days, up to when the auditor asks. */
static void
tell_end(struct history *h, struct history_told *t)
{
    struct history_nf *nf;

    history_at(h, 68, 9, 0);
    history_register_again(h, t->used, t->north, 90);
    history_enrol(h, t->used, (struct history_how){.updates = t->used->serial});
    history_at(h, 70, 4, 0);
    history_crl(h, 7);
    history_at(h, 70, 10, 0); /* it has the name of another one, and more than it may */
    t->greedy = history_register(h, "SMF", "smf1", t->north, "mac", 1, 90);
    history_enrol(h, t->greedy, (struct history_how){.days = 20});
    history_enrol(h, t->greedy, (struct history_how){.days = 20});
    history_at(h, 71, 9, 0);
    nf = history_register(h, "SCP", "scp1", t->north, "certificate", 1, 90);
    history_request(h, nf, "nf-tls", 0);
    history_intend(h, nf, (struct history_how){0});
    note(t->open, nf->serial); /* an intent without an end */
    history_at(h, 72, 9, 0);
    t->waiting = history_register(h, "SEPP", "sepp1", t->north, "mac", 1, 90);
    history_request(h, t->waiting, "nf-tls", 2);
    history_at(h, 72, 10, 0);
    history_approve(h, t->waiting, t->ada, "approve", NULL);
    history_at(h, 73, 9, 0);
    nf = history_register(h, "BSF", "bsf1", t->north, "mac", 1, 90);
    history_cancel(h, nf, t->north);
    history_at(h, 74, 8, 0);
    history_restored(h, t->ada, t->boris, h->edge.size - 3, t->adopted);
    history_start(h, "1.1", NULL);
    history_crl(h, 7);
}

void
history_tell(struct history *h, struct history_told *t)
{
    *t = (struct history_told){0};
    tell_beginning(h, t);
    tell_trouble(h, t);
    tell_oddities(h, t);
    tell_growth(h, t);
    tell_renewal(h, t);
    tell_end(h, t);
    t->as_of = history_time(h, 75, 12, 0);
    t->size = h->edge.size;
    audit_ledger_publish(&h->l);
}
