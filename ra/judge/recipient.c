/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/judge/recipient.h"

#include "base/ossl.h"
#include "ca/cmp/message/phrase.h"
#include "ca/x509/name.h"

/* Whoever signed the wrapper, which is verified by now, is who its network functions know. */
static bool
is_upstream(const struct job *job, const X509_NAME *recipient)
{
    struct err e = {0};
    CLEANUP(x509_name_cleanup)
    X509_NAME *upstream = job->outer == NULL ? NULL : cmp_msg_sender_name(job->outer, &e);

    return upstream != NULL && name_equal_as_set(recipient, upstream);
}

int
judge_recipient(struct job *job)
{
    const struct credentials *c = &job->ra->credentials;
    struct err e = {0};
    CLEANUP(x509_name_cleanup) X509_NAME *recipient = cmp_msg_recipient_name(job->msg, &e);

    if (cmp_is_later(job->body)) {
        return 0;
    }
    if (recipient != NULL &&
        (X509_NAME_entry_count(recipient) == 0 ||
         name_equal_as_set(recipient, X509_get_subject_name(c->certificate)) ||
         name_equal_as_set(recipient, X509_get_subject_name(c->issuing)) ||
         name_equal_as_set(recipient, X509_get_subject_name(c->root)) ||
         (job->signer != NULL && name_equal_as_set(recipient, X509_get_issuer_name(job->signer))) ||
         is_upstream(job, recipient))) {
        return 0;
    }
    return phrase_refuse(&job->failure, PHRASE_RECIPIENT, &job->e, "recipient is none of us");
}
