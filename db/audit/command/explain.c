/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/answer.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/brought.h"
#include "db/audit/command/commands.h"
#include "db/audit/story/explain.h"

static int
tell(struct explanation x, const char *typed, enum sink_format format)
{
    CLEANUP(story_free) struct story story = {0};
    CLEANUP(mem_cleanup) char *key = answer_key(x.mirror);
    const struct basis basis = answer_basis(x.mirror);
    struct err e = {0};

    x.basis = &basis;
    x.key = span_str(key);
    x.story = &story;
    if (story_of(x.mirror, typed, &story, &e) != 0) {
        return e.code == ERR_INPUT ? ask_misuse(e.text) : ask_failed(&e);
    }
    if (story.n == 0) {
        return ask_nothing("nothing about", typed);
    }
    if (explain(&x, format, stdout, &e) != 0) {
        return e.code == ERR_INPUT ? ask_misuse(e.text) : ask_failed(&e);
    }
    return ask_finish(0, &e);
}

int
explain_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    CLEANUP(brought_free) STACK_OF(X509) *vendors = sk_X509_new_null();
    struct explanation x = {.issuers = issuers, .vendors = vendors};
    enum sink_format format;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || argv[optind][0] == '\0' ||
        !ask_only(ASK_JSON | ASK_FORMAT | ASK_AS_OF | ASK_ISSUER | ASK_VENDOR)) {
        return ask_usage("explain");
    }
    if (ask_format(&format, &e) != 0 || ask_as_of(&x.now, &e) != 0 ||
        brought_issuers(issuers, &e) != 0 || brought_vendors(vendors, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    x.mirror = mirror;
    return tell(x, argv[optind], format);
}
