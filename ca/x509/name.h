/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name.h - distinguished names of the one shape that we issue, and the comparison of any two.
 *
 * The shape (TS 33.310 6.1.3c.3, RFC 9310 Appendix B) is C, O, CN in this order, each at most once,
 * one per RDN: C as PrintableString, O and CN as UTF8String. The same parts always give the same
 * octets. Pure and thread-safe.
 */
#pragma once

#include "base/ossl.h"

enum {
    NAME_TEXT_MAX = 256, /* octets of O or CN: ub-organization-name, ub-common-name are 64
                            characters of up to 4 octets (RFC 5280 Appendix A.1) */
    NAME_DER_MAX = 1024,
};

/* A part that is "" is absent. */
struct name {
    char country[3];
    char organization[NAME_TEXT_MAX + 1];
    char common_name[NAME_TEXT_MAX + 1];
};

/* Parts that are NULL or "" are absent; ERR_INPUT names the part: C is two upper-case letters, the
 * others 1..64 characters of printable UTF-8 without control characters; one at least is there. */
int name_set(struct name *out, const char *country, const char *organization,
             const char *common_name, struct err *e);
/* "C=SE, O=Operator, CN=Root" -> parts, in this order and each at most once. A comma, backslash or
 * equals sign inside a value is refused. For definition and configuration files. */
int name_parse_text(const char *text, struct name *out, struct err *e);
/* Appends the DER Name. */
int name_encode(const struct name *, struct buf *out, struct err *e);
/* Reads a DER Name of exactly our shape and encoding; ERR_INPUT for every other one. */
int name_decode(struct span der, struct name *out, struct err *e);

/* Owned RFC 2253 text of any name ("CN=x,O=y,C=SE"), as `openssl x509 -nameopt RFC2253` prints it:
 * what a registration writes for a vendor's issuer and subject. NAME_UNWRITTEN, which is the text
 * of no name, not even of the empty one, when memory is short. */
#define NAME_UNWRITTEN "?"
char *name_text(const X509_NAME *) OWNED(mem_free);
/* The rules of RFC 5280 7.1: case and inner blanks of strings do not matter. */
bool name_equal(const X509_NAME *a, const X509_NAME *b);
/* Have they the same RDNs by those rules, whatever their order and however often? Some clients
 * write a name as RFC 4514 prints it, from its end. For a name that says which certificate is
 * meant, never for one that a path is built on. */
bool name_equal_as_set(const X509_NAME *a, const X509_NAME *b);
/* Is the name below `subtree`: do its first RDNs give that text, octet for octet, in the form of
 * name_text()? "O=y,C=SE" is above "CN=x,O=y,C=SE" (and above itself). */
bool name_is_within(const X509_NAME *, const char *subtree);
/* The DER of a name, borrowed until the X509_NAME is freed or changed. */
int name_der(const X509_NAME *, struct span *out, struct err *e);
