/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/print.h"
#include "db/audit/proof.h"
#include "db/audit/story.h"
#include "db/audit/verify.h"

/* The leaf that is asked for: of a certificate its ISSUED. */
struct sought {
    struct story_target target;
    bool found;
    uint64_t index;
    struct buf body;
};

static void
sought_free(struct sought *s)
{
    buf_free(&s->body);
}

static void
look(void *arg, uint64_t index, const struct leaf *leaf)
{
    struct sought *s = arg;
    const char *serial = leaf_text(leaf, "serial");
    struct err e;

    if (s->found || (s->target.is_index
                         ? index != s->target.index
                         : leaf_kind(leaf) != LEAF_ISSUED || strcmp(serial, s->target.hex) != 0)) {
        return;
    }
    s->index = index;
    s->found = buf_set(&s->body, leaf_body(leaf), &e) == 0;
}

static int
prove(struct audit_log *log, const struct sought *s)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(PROOF_MAX);
    const struct merkle_hash hash = merkle_leaf(buf_span(&s->body));
    struct merkle_proof path;
    struct err e = {0};

    if (audit_inclusion(log, s->index, &hash, &path, &e) != 0 ||
        proof_format(buf_span(&s->body), s->index, &path, audit_note(log), &text, &e) != 0) {
        return ask_failed(&e);
    }
    (void)fwrite(text.p, 1, text.n, stdout);
    return ask_finish(0, &e);
}

int
prove_run(int argc, char **argv)
{
    CLEANUP(audit_log_cleanup) struct audit_log *log = NULL;
    CLEANUP(sought_free) struct sought s = {.body = BUF_INIT(LEAF_MAX)};
    struct audit_figures figures;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || !ask_only(0)) {
        return ask_usage("prove");
    }
    if (story_target_parse(argv[optind], &s.target, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_ledger(&log);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (audit_verify(log, look, &s, &figures, &e) != 0) {
        return ask_failed(&e);
    }
    audit_print_findings(stderr, &figures);
    if (!s.found) {
        (void)fprintf(stderr, "nfpki-audit: no leaf or issued certificate %s in this ledger\n",
                      argv[optind]);
        return EXIT_NOTHING;
    }
    return prove(log, &s);
}
