/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/name.h"

#include <string.h>

#include "ca/x509/der.h"

enum {
    CHARACTERS_MAX = 64,  /* RFC 5280 Appendix A.1, ub-organization-name and ub-common-name */
    SET_ENTRIES_MAX = 32, /* of a name that is compared as a set: each RDN with each */
};

/* The attributes in the order in which they stand in a name. */
enum part { COUNTRY, ORGANIZATION, COMMON_NAME, PARTS };

static const struct {
    const char *key; /* in text */
    const char *oid;
    uint8_t tag;
} attributes[PARTS] = {
    [COUNTRY] = {"C", "2.5.4.6", DER_PRINTABLE_STRING},
    [ORGANIZATION] = {"O", "2.5.4.10", DER_UTF8_STRING},
    [COMMON_NAME] = {"CN", "2.5.4.3", DER_UTF8_STRING},
};

static char *
part_of(struct name *name, size_t part)
{
    char *const parts[PARTS] = {name->country, name->organization, name->common_name};

    return parts[part];
}

static const char *
part_text(const struct name *name, size_t part)
{
    const char *const parts[PARTS] = {name->country, name->organization, name->common_name};

    return parts[part];
}

static int
country_check(const char *text, struct err *e)
{
    if (strlen(text) != 2 || text[0] < 'A' || text[0] > 'Z' || text[1] < 'A' || text[1] > 'Z') {
        return err_set(e, ERR_INPUT, "C: must be two upper-case letters (ISO 3166)");
    }
    return 0;
}

/* 1..64 printable characters of well-formed UTF-8, no blank at either end. */
static int
text_check(const char *key, const char *text, struct err *e)
{
    size_t left = strlen(text);
    size_t count = 0;
    const unsigned char *p = (const unsigned char *)text;

    if (left == 0 || left > NAME_TEXT_MAX || text[0] == ' ' || text[left - 1] == ' ') {
        return err_set(e, ERR_INPUT, "%s: empty, too long, or a blank at an end", key);
    }
    while (left > 0) {
        unsigned long c;
        int n = UTF8_getc(p, (int)left, &c);

        if (n <= 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
            return err_set(e, ERR_INPUT, "%s: not printable UTF-8", key);
        }
        p += n;
        left -= (size_t)n;
        count++;
    }
    if (count > CHARACTERS_MAX) {
        return err_set(e, ERR_INPUT, "%s: more than %d characters", key, CHARACTERS_MAX);
    }
    return 0;
}

/* Each part is set once, and `out` was all zero before. */
static int
part_set(struct name *out, size_t part, const char *text, struct err *e)
{
    int result =
        part == COUNTRY ? country_check(text, e) : text_check(attributes[part].key, text, e);

    if (result == 0) {
        memcpy(part_of(out, part), text, strlen(text));
    }
    return result;
}

int
name_set(struct name *out, const char *country, const char *organization, const char *common_name,
         struct err *e)
{
    const char *const parts[PARTS] = {country, organization, common_name};
    size_t count = 0;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < PARTS; i++) {
        if (parts[i] != NULL && parts[i][0] != '\0') {
            if (part_set(out, i, parts[i], e) != 0) {
                return -1;
            }
            count++;
        }
    }
    return count > 0 ? 0 : err_set(e, ERR_INPUT, "name: without any part");
}

int
name_parse_text(const char *text, struct name *out, struct err *e)
{
    size_t next = 0;

    memset(out, 0, sizeof(*out));
    while (text[0] != '\0') {
        size_t n = strcspn(text, ",");
        size_t key = strcspn(text, "=");
        char value[NAME_TEXT_MAX + 1];
        size_t part = next;

        while (part < PARTS && (strlen(attributes[part].key) != key ||
                                strncmp(attributes[part].key, text, key) != 0)) {
            part++;
        }
        if (part == PARTS || key >= n) {
            return err_set(e, ERR_INPUT, "name: write C=, O=, CN= in this order, each once");
        }
        if (n - key - 1 > NAME_TEXT_MAX || memchr(text, '\\', n) != NULL ||
            memchr(text + key + 1, '=', n - key - 1) != NULL) {
            return err_set(e, ERR_INPUT, "%s: too long, or with a backslash or equals sign",
                           attributes[part].key);
        }
        memcpy(value, text + key + 1, n - key - 1);
        value[n - key - 1] = '\0';
        if (part_set(out, part, value, e) != 0) {
            return -1;
        }
        next = part + 1;
        text += n;
        if (text[0] == ',') {
            text += 1 + strspn(text + 1, " ");
            if (text[0] == '\0') {
                return err_set(e, ERR_INPUT, "name: ends with a comma");
            }
        }
    }
    return next > 0 ? 0 : err_set(e, ERR_INPUT, "name: without any part");
}

int
name_encode(const struct name *name, struct buf *out, struct err *e)
{
    struct der w = DER_WRITER(out, e);

    der_begin(&w, DER_SEQUENCE);
    for (size_t i = 0; i < PARTS; i++) {
        if (part_text(name, i)[0] != '\0') {
            der_begin(&w, DER_SET);
            der_begin(&w, DER_SEQUENCE);
            der_put_oid(&w, attributes[i].oid);
            der_put_str(&w, attributes[i].tag, part_text(name, i));
            der_end(&w);
            der_end(&w);
        }
    }
    der_end(&w);
    return der_finish(&w);
}

/* Takes one RDN and stores it when it is the attribute that may stand here. */
static int
rdn_take(struct span *rdns, size_t *next, struct name *out, struct err *e)
{
    struct span set;
    struct span pair;
    struct span oid;
    struct span value;
    uint8_t tag;
    size_t part = *next;
    char text[NAME_TEXT_MAX + 1];
    static const uint8_t last[PARTS] = {6, 10, 3};

    if (der_expect(rdns, DER_SET, "name", &set, e) != 0 ||
        der_expect(&set, DER_SEQUENCE, "name", &pair, e) != 0 ||
        der_expect(&pair, DER_OID, "name", &oid, e) != 0 ||
        der_take(&pair, &tag, &value, NULL, e) != 0 || der_empty(set, "name", e) != 0 ||
        der_empty(pair, "name", e) != 0) {
        return -1;
    }
    if (oid.n != 3 || oid.p[0] != 0x55 || oid.p[1] != 0x04) {
        return err_set(e, ERR_INPUT, "name: an attribute besides C, O, CN");
    }
    while (part < PARTS && oid.p[2] != last[part]) {
        part++;
    }
    if (part == PARTS || tag != attributes[part].tag) {
        return err_set(e, ERR_INPUT, "name: attribute, order or string type not as C, O, CN");
    }
    if (value.n > NAME_TEXT_MAX || memchr(value.p, 0, value.n) != NULL) {
        return err_set(e, ERR_INPUT, "%s: too long, or with a NUL", attributes[part].key);
    }
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    *next = part + 1;
    return part_set(out, part, text, e);
}

int
name_decode(struct span der, struct name *out, struct err *e)
{
    struct span rdns;
    size_t next = 0;

    memset(out, 0, sizeof(*out));
    if (der_expect(&der, DER_SEQUENCE, "name", &rdns, e) != 0 || der_empty(der, "name", e) != 0) {
        return -1;
    }
    while (rdns.n > 0) {
        if (rdn_take(&rdns, &next, out, e) != 0) {
            return -1;
        }
    }
    return next > 0 ? 0 : err_set(e, ERR_INPUT, "name: without any part");
}

char *
name_text(const X509_NAME *name)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long n;

    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
        return mem_strdup(NAME_UNWRITTEN);
    }
    n = BIO_get_mem_data(bio, &text);
    return mem_printf("%.*s", (int)n, text);
}

bool
name_equal(const X509_NAME *a, const X509_NAME *b)
{
    return X509_NAME_cmp(a, b) == 0;
}

int
name_der(const X509_NAME *name, struct span *out, struct err *e)
{
    const unsigned char *p;
    size_t n;

    if (X509_NAME_get0_der(name, &p, &n) != 1) {
        return ossl_err(e, ERR_CRYPTO, "encode a name");
    }
    *out = span_of(p, n);
    return 0;
}

/* Appends the RDN whose first entry is `at`; returns where the next begins. */
static int
rdn_append(X509_NAME *to, const X509_NAME *from, int at)
{
    int rdn = X509_NAME_ENTRY_set(X509_NAME_get_entry(from, at));
    int set = 0;

    while (at < X509_NAME_entry_count(from) &&
           X509_NAME_ENTRY_set(X509_NAME_get_entry(from, at)) == rdn) {
        if (X509_NAME_add_entry(to, X509_NAME_get_entry(from, at), -1, set) != 1) {
            return -1;
        }
        set = -1; /* the others belong to the RDN of the first */
        at++;
    }
    return at;
}

static bool
has_rdn(const X509_NAME *name, const X509_NAME *rdn)
{
    bool found = false;

    for (int at = 0; !found && at >= 0 && at < X509_NAME_entry_count(name);) {
        CLEANUP(x509_name_cleanup) X509_NAME *one = X509_NAME_new();

        at = one == NULL ? -1 : rdn_append(one, name, at);
        found = at >= 0 && X509_NAME_cmp(one, rdn) == 0;
    }
    return found;
}

static bool
has_rdns_of(const X509_NAME *name, const X509_NAME *other)
{
    bool all = true;

    for (int at = 0; all && at < X509_NAME_entry_count(other);) {
        CLEANUP(x509_name_cleanup) X509_NAME *one = X509_NAME_new();

        at = one == NULL ? -1 : rdn_append(one, other, at);
        all = at >= 0 && has_rdn(name, one);
    }
    return all;
}

bool
name_equal_as_set(const X509_NAME *a, const X509_NAME *b)
{
    if (X509_NAME_cmp(a, b) == 0) {
        return true;
    }
    return X509_NAME_entry_count(a) <= SET_ENTRIES_MAX &&
           X509_NAME_entry_count(b) <= SET_ENTRIES_MAX && has_rdns_of(a, b) && has_rdns_of(b, a);
}

bool
name_is_within(const X509_NAME *name, const char *subtree)
{
    CLEANUP(x509_name_cleanup) X509_NAME *first = X509_NAME_new();
    bool found = false;

    for (int at = 0; first != NULL && !found && at >= 0 && at < X509_NAME_entry_count(name);) {
        CLEANUP(mem_cleanup) char *text = NULL;

        at = rdn_append(first, name, at);
        text = name_text(first);
        found = at >= 0 && strcmp(text, subtree) == 0;
    }
    return found;
}
