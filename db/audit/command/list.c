/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/ossl.h"
#include "db/audit/command/answer.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/query/query.h"

enum { LIMIT_MAX = 1000000000 };

/* --issuer: the certificate itself, or its SHA-256. */
static int
issuer_parse(char hash[2 * SHA256_SIZE + 1], struct filters *filters, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    uint8_t octets[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (asked.n_issuers == 0) {
        return 0;
    }
    if (asked.n_issuers > 1) {
        return err_set(e, ERR_INPUT, "--issuer: one of them");
    }
    filters->typed[FILTER_ISSUER] = asked.issuers[0];
    if (strspn(asked.issuers[0], "0123456789abcdefABCDEFx:") == strlen(asked.issuers[0])) {
        return 0;
    }
    certificate = certificate_load(asked.issuers[0], e);
    if (certificate == NULL || X509_digest(certificate, EVP_sha256(), octets, &n) != 1) {
        return err_wrap(e, "--issuer");
    }
    hex_format(span_of(octets, n), hash);
    filters->typed[FILTER_ISSUER] = hash;
    return 0;
}

static int
noun_parse(const char *name, const struct noun **noun, struct err *e)
{
    *noun = noun_find(name);
    if (*noun != NULL) {
        return 0;
    }
    (void)err_set(e, ERR_INPUT, "list what? One of");
    for (size_t i = 0; i < n_nouns; i++) {
        const size_t n = strlen(e->text);

        (void)snprintf(e->text + n, sizeof(e->text) - n, " %s", nouns[i].name);
    }
    return -1;
}

int
list_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    CLEANUP(mem_cleanup) char *key = NULL;
    struct query query = {0};
    struct query_result result;
    char issuer[2 * SHA256_SIZE + 1];
    enum sink_format format;
    const char *noun;
    struct err e = {0};
    int status;

    if (ask_noun(argc, argv, &noun) != 0 ||
        !ask_only(ASK_FILTERS | ASK_ISSUER | ASK_JSON | ASK_FORMAT | ASK_COLUMNS | ASK_LIMIT |
                  ASK_AS_OF)) {
        return ask_usage("list");
    }
    query.filters = asked.filters;
    query.columns = asked.columns;
    if (noun_parse(noun, &query.noun, &e) != 0 || ask_format(&format, &e) != 0 ||
        ask_as_of(&query.now, &e) != 0 || issuer_parse(issuer, &query.filters, &e) != 0 ||
        ask_number("--limit", asked.limit, 0, LIMIT_MAX, &query.limit, &e) != 0 ||
        query_check(&query, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    key = answer_key(mirror);
    query.key = span_str(key);
    if (query_ask(mirror_sqlite(mirror), &query, format, stdout, &result, &e) != 0) {
        return e.code == ERR_INPUT ? ask_misuse(e.text) : ask_failed(&e);
    }
    return answer_end(mirror, noun, format, query.now, &result);
}
