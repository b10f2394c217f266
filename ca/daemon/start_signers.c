/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/daemon/start_signers.h"

#include "ca/x509/pubkey.h"

static void
say_not_started(const struct signer_options *o, const struct err *e)
{
    log_err(LOG_WARNING, "signer-not-started", e, "%s: trying again",
            o->socket != NULL ? o->socket : o->policy);
}

static struct signer *
start_signer(struct ca *ca, const struct ca_signer *conf, struct err *e)
{
    const char *name = ca_signer_name(conf);
    const struct signer_options options = ca_signer_options(ca, conf);
    struct signer *s = signer_start_patiently(&options, say_not_started, e);

    if (s == NULL) {
        (void)err_wrap(e, "signer %s", name);
        return NULL;
    }
    if (signer_is_software(s)) {
        log_event(LOG_WARNING, "software-token",
                  "%s: the key is in SoftHSM: for rehearsals, tests and demonstrations only", name);
    }
    if (!signer_is_apart(s)) {
        log_event(
            LOG_WARNING, "signer-within-reach",
            "%s: this program's user can read the signer's PIN, use its token past policy and "
            "journal, and change the journal: for tests and demonstrations only, see "
            "nfpki-signer(8), AS A SERVICE",
            name);
    }
    return s;
}

/* One after the other: their processes read the same token. */
static int
start_issuing(struct ca *ca, struct err *e)
{
    ca->issuing = signer_pool_new();
    for (size_t i = 0; i < ca->conf.n_issuing; i++) {
        struct signer *s = start_signer(ca, &ca->conf.issuing[i], e);

        if (s == NULL) {
            return -1;
        }
        if (signer_pool_add(ca->issuing, s, e) != 0) {
            return err_wrap(e, "signer %s", ca_signer_name(&ca->conf.issuing[i]));
        }
    }
    return 0;
}

int
ca_start_signers(struct ca *ca, struct err *e)
{
    CLEANUP(buf_free) struct buf spki = BUF_INIT(PUBKEY_SPKI_MAX);

    if (start_issuing(ca, e) != 0) {
        return -1;
    }
    ca->log = start_signer(ca, &ca->conf.log, e);
    if (ca->log == NULL ||
        OSSL_ENCODE(X509_PUBKEY, X509_get_X509_PUBKEY(ca->policy.issuing), &spki, e) != 0) {
        return -1;
    }
    if (!span_equal(buf_span(&spki), signer_spki(signer_pool_first(ca->issuing)))) {
        return err_set(e, ERR_DENIED, "the key of %s is not the one in %s",
                       ca_signer_name(&ca->conf.issuing[0]), ca->conf.issuing_certificate);
    }
    return 0;
}
