/* SPDX-License-Identifier: Apache-2.0 */
/* Who issued it, and for how long. */
#include <stdlib.h>
#include <string.h>

#include "db/audit/lint/case.h"

enum { DAY = 24 * 60 * 60, RECORDED_WITHIN = 6 * 60 * 60, YEAR_2050 = 150 };

/* RFC 5280 4.1.2.4, 7.1: the octets of the issuer's subject, so that no comparison is needed. */
enum lint_outcome
lint_issuer_name(const struct lint_case *c, struct err *why)
{
    CLEANUP(buf_free) struct buf name = BUF_INIT(LEAF_MAX);

    if (OSSL_ENCODE(X509_NAME, X509_get_subject_name(c->issuer), &name, why) != 0) {
        return LINT_NOT_RUN;
    }
    return span_equal(buf_span(&name), c->outline.issuer)
               ? LINT_PASSED
               : LINT_FAIL(why, "it is not, octet for octet, the issuing certificate's subject");
}

/* RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on. */
static bool
time_has_form(const ASN1_TIME *time)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(time, &tm) != 1) {
        return false;
    }
    return (ASN1_STRING_type(time) == V_ASN1_UTCTIME) == (tm.tm_year < YEAR_2050);
}

enum lint_outcome
lint_validity_form(const struct lint_case *c, struct err *why)
{
    return time_has_form(X509_get0_notBefore(c->certificate)) &&
                   time_has_form(X509_get0_notAfter(c->certificate))
               ? LINT_PASSED
               : LINT_FAIL(why, "a time is not UTCTime before 2050 and GeneralizedTime after");
}

enum lint_outcome
lint_validity_order(const struct lint_case *c, struct err *why)
{
    return strcmp(c->outline.not_before, c->outline.not_after) < 0
               ? LINT_PASSED
               : LINT_FAIL(why, "%s is not before %s", c->outline.not_before, c->outline.not_after);
}

/* notAfter less notBefore, as the limits of profiles are written; with its last second (RFC 5280
 * 4.1.2.5) a certificate is a second longer. */
enum lint_outcome
lint_validity_cap(const struct lint_case *c, struct err *why)
{
    const time_t most = lint_profile_longest(c->profile);
    time_t from;
    time_t until;

    if (!lint_times(c->certificate, &from, &until)) {
        return LINT_FAIL(why, "a time that is none");
    }
    return until - from <= most ? LINT_PASSED
                                : LINT_FAIL(why, "it lasts %lld s, its profile's longest is %lld s",
                                            (long long)(until - from), (long long)most);
}

enum lint_outcome
lint_validity_issuer(const struct lint_case *c, struct err *why)
{
    return ASN1_TIME_compare(X509_get0_notBefore(c->certificate), X509_get0_notBefore(c->issuer)) >=
                       0 &&
                   ASN1_TIME_compare(X509_get0_notAfter(c->certificate),
                                     X509_get0_notAfter(c->issuer)) <= 0
               ? LINT_PASSED
               : LINT_FAIL(why, "it is not within that of the issuing certificate");
}

enum lint_outcome
lint_validity_recorded(const struct lint_case *c, struct err *why)
{
    time_t from;
    time_t until;

    if (strcmp(leaf_text(c->intent, "profile"), LINT_ADOPTED) == 0) {
        return LINT_APART;
    }
    if (!lint_times(c->certificate, &from, &until)) {
        return LINT_FAIL(why, "a time that is none");
    }
    return llabs((long long)(from - c->issued)) <= RECORDED_WITHIN
               ? LINT_PASSED
               : LINT_FAIL(why, "it begins at %s, %lld s from when it was recorded",
                           c->outline.not_before, llabs((long long)(from - c->issued)));
}

enum lint_outcome
lint_validity_intent(const struct lint_case *c, struct err *why)
{
    return strcmp(c->outline.not_before, leaf_text(c->intent, "notBefore")) == 0 &&
                   strcmp(c->outline.not_after, leaf_text(c->intent, "notAfter")) == 0
               ? LINT_PASSED
               : LINT_FAIL(why, "the INTENT says another");
}

/* What the registrar allows of this profile; the profile's own limit counts, too. */
enum lint_outcome
lint_validity_registration(const struct lint_case *c, struct err *why)
{
    const json_t *profiles = lint_document_list(c, "profiles");
    json_int_t days = 0;
    time_t from;
    time_t until;

    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const json_t *one = json_array_get(profiles, i);
        const char *name = json_string_value(json_object_get(one, "name"));

        if (name != NULL && strcmp(name, leaf_text(c->intent, "profile")) == 0) {
            days = json_integer_value(json_object_get(one, "maxValidityDays"));
        }
    }
    if (days == 0) {
        return LINT_APART;
    }
    if (!lint_times(c->certificate, &from, &until)) {
        return LINT_FAIL(why, "a time that is none");
    }
    return until - from <= (time_t)days * DAY
               ? LINT_PASSED
               : LINT_FAIL(why, "it lasts %lld s, %lld days are registered",
                           (long long)(until - from), (long long)days);
}
