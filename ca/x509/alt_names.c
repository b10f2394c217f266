/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/alt_names.h"

#include <string.h>
#include <strings.h>

static struct span
text_of(const ASN1_STRING *s)
{
    return span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static bool
equal_without_case(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp((const char *)a.p, (const char *)b.p, a.n) == 0);
}

static size_t
find(struct span s, char c)
{
    const uint8_t *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);

    return at == NULL ? s.n : (size_t)(at - s.p);
}

/* RFC 5280 7.5: the local part as it is, the host without case. */
static bool
equal_mail(struct span a, struct span b)
{
    size_t at = find(a, '@');

    return at == find(b, '@') && span_equal(span_of(a.p, at), span_of(b.p, at)) &&
           equal_without_case(span_of(a.p + at, a.n - at), span_of(b.p + at, b.n - at));
}

/* How much of a URI has no case (RFC 5280 7.4): scheme and host; of urn:uuid all. */
static size_t
caseless_part(struct span uri)
{
    static const char uuid[] = "urn:uuid:";
    size_t scheme = find(uri, ':');
    size_t host = scheme + sizeof("://") - 1;
    size_t n;

    if (uri.n >= sizeof(uuid) - 1 &&
        strncasecmp((const char *)uri.p, uuid, sizeof(uuid) - 1) == 0) {
        return uri.n;
    }
    if (host > uri.n || memcmp(uri.p + scheme, "://", 3) != 0) {
        return scheme;
    }
    n = find(span_of(uri.p + host, uri.n - host), '/');
    /* Somebody's name in front of the host has a case. */
    return find(span_of(uri.p + host, n), '@') == n ? host + n : scheme;
}

static bool
equal_uri(struct span a, struct span b)
{
    size_t n = caseless_part(a);

    return a.n == b.n && n == caseless_part(b) &&
           equal_without_case(span_of(a.p, n), span_of(b.p, n)) &&
           span_equal(span_of(a.p + n, a.n - n), span_of(b.p + n, b.n - n));
}

static bool
equal(GENERAL_NAME *a, GENERAL_NAME *b)
{
    if (a->type != b->type) {
        return false;
    }
    switch (a->type) {
    case GEN_DNS:
        return equal_without_case(text_of(a->d.ia5), text_of(b->d.ia5));
    case GEN_EMAIL:
        return equal_mail(text_of(a->d.ia5), text_of(b->d.ia5));
    case GEN_URI:
        return equal_uri(text_of(a->d.ia5), text_of(b->d.ia5));
    default: /* directoryName by RFC 5280 7.1, the others octet for octet */
        return GENERAL_NAME_cmp(a, b) == 0;
    }
}

static bool
has_all_of(const GENERAL_NAMES *names, const GENERAL_NAMES *others)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(others); i++) {
        bool found = false;

        for (int k = 0; !found && k < sk_GENERAL_NAME_num(names); k++) {
            found = equal(sk_GENERAL_NAME_value(names, k), sk_GENERAL_NAME_value(others, i));
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool
alt_names_equal(const GENERAL_NAMES *a, const GENERAL_NAMES *b)
{
    return sk_GENERAL_NAME_num(a) <= ALT_NAMES_MAX && sk_GENERAL_NAME_num(b) <= ALT_NAMES_MAX &&
           has_all_of(a, b) && has_all_of(b, a);
}
