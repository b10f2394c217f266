/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/serve.h"

#include <getopt.h>
#include <stdio.h>

#include "base/pool.h"
#include "db/audit/command/ask.h"
#include "db/audit/command/ask_policy.h"
#include "db/audit/command/brought.h"
#include "db/audit/command/commands.h"

#define LISTEN "127.0.0.1:8830"

/* Whoever starts it waits for this line. */
static int
say_ready(const struct serve *serve)
{
    CLEANUP(mem_cleanup) char *url = serve_url(serve);
    struct err e = {0};

    (void)printf("READY %s\n", url);
    return ask_finish(0, &e);
}

/* The mirror that is open now keeps one state of it. Each answer is of another: it is closed. */
static int
serve_mirror(struct mirror **mirror, struct audit_issuers *issuers, STACK_OF(X509) * vendors,
             const struct tlog_policy *policy)
{
    const bool is_named = policy != NULL && tlog_policy_has_log(policy, mirror_key(*mirror));
    const struct serve_options options = {.mirror = asked.mirror,
                                          .listen = asked.listen == NULL ? LISTEN : asked.listen,
                                          .key = mirror_key(*mirror),
                                          .key_is_given = is_named || ask_key_is_given(*mirror),
                                          .issuers = issuers,
                                          .vendors = vendors,
                                          .policy = policy};
    struct err e = {0};
    CLEANUP(serve_cleanup) struct serve *serve = serve_new(&options, &e);
    int status;

    mirror_cleanup(mirror);
    if (serve == NULL) {
        return ask_misuse(e.text); /* the address: no mirror was asked */
    }
    status = say_ready(serve);
    if (status == EXIT_VERIFIED) {
        serve_run(serve);
    }
    return status;
}

int
serve_command_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    CLEANUP(tlog_policy_cleanup) struct tlog_policy *policy = NULL;
    CLEANUP(audit_issuers_cleanup) struct audit_issuers *issuers = audit_issuers_new();
    CLEANUP(brought_free) STACK_OF(X509) *vendors = sk_X509_new_null();
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc ||
        !ask_only(ASK_LISTEN | ASK_POLICY | ASK_ISSUER | ASK_VENDOR)) {
        return ask_usage("serve");
    }
    if (asked.mirror == NULL || (asked.given & ASK_LEDGER) != 0) {
        return ask_misuse("serve answers from a mirror: --mirror DB");
    }
    if (brought_issuers(issuers, &e) != 0 || brought_vendors(vendors, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_policy(&policy);
    if (status == EXIT_VERIFIED) {
        status = ask_mirror(&mirror);
    }
    if (status == EXIT_VERIFIED && policy != NULL && tlog_policy_has_logs(policy) &&
        !tlog_policy_has_log(policy, mirror_key(mirror))) {
        (void)err_set(&e, ERR_CRYPTO, "%s does not name this log", asked.policy);
        status = ask_failed(&e);
    } else if (status == EXIT_VERIFIED) {
        status = serve_mirror(&mirror, issuers, vendors, policy);
    }
    pool_contexts_free();
    return status;
}
