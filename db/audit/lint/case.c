/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/case.h"

#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void
lint_oid_text(const ASN1_OBJECT *oid, char out[LINT_OID_MAX])
{
    if (OBJ_obj2txt(out, LINT_OID_MAX, oid, 1) <= 0) {
        out[0] = '\0';
    }
}

X509_EXTENSION *
lint_case_extension(const struct lint_case *c, const char *name)
{
    const char *wanted = lint_table_extension_oid(c->profile->table, name);

    for (int i = 0; i < X509_get_ext_count(c->certificate); i++) {
        X509_EXTENSION *extension = X509_get_ext(c->certificate, i);
        char oid[LINT_OID_MAX];

        lint_oid_text(X509_EXTENSION_get_object(extension), oid);
        if (strcmp(oid, wanted) == 0) {
            return extension;
        }
    }
    return NULL;
}

struct span
lint_extension_value(X509_EXTENSION *extension)
{
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);

    return span_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

const char *
lint_document_text(const struct lint_case *c, const char *name)
{
    return json_string_value(json_object_get(c->document, name));
}

const json_t *
lint_document_list(const struct lint_case *c, const char *name)
{
    return json_object_get(c->document, name);
}

bool
lint_list_has(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));

        if (one != NULL && strcasecmp(one, text) == 0) {
            return true;
        }
    }
    return false;
}

bool
lint_times(const X509 *certificate, time_t *from, time_t *until)
{
    struct tm begin = {0};
    struct tm end = {0};

    if (ASN1_TIME_to_tm(X509_get0_notBefore(certificate), &begin) != 1 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
        return false;
    }
    *from = timegm(&begin);
    *until = timegm(&end);
    return true;
}

bool
lint_is_nf(const struct lint_case *c)
{
    return leaf_text(c->intent, "nfInstanceId") != NULL;
}

char *
lint_dns_text(const GENERAL_NAME *name)
{
    const int n = name->type == GEN_DNS ? ASN1_STRING_length(name->d.dNSName) : -1;
    char *text;

    if (n < 0) {
        return NULL;
    }
    text = mem_zalloc((size_t)n + 1, 1);
    for (int i = 0; i < n; i++) {
        const char octet = (char)ASN1_STRING_get0_data(name->d.dNSName)[i];

        text[i] = (char)(octet == '\0' ? '?' : octet);
    }
    return text;
}
