/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>

#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/proof.h"
#include "db/audit/story/story.h"

static int
prove(struct mirror *m, uint64_t index)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(PROOF_MAX);
    CLEANUP(story_leaf_free) struct story_leaf leaf = {0};
    struct err e = {0};

    if (story_leaf_load(m, index, &leaf, &e) != 0 ||
        proof_format(leaf_body(leaf.leaf), index, &leaf.proof, mirror_note(m), &text, &e) != 0) {
        return ask_failed(&e);
    }
    (void)fwrite(text.p, 1, text.n, stdout);
    return ask_finish(0, &e);
}

int
prove_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    uint64_t index = 0;
    bool found = false;
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc - 1 || !ask_only(0)) {
        return ask_usage("prove");
    }
    if (!story_is_index(argv[optind], &index) && !story_is_hex(argv[optind])) {
        return ask_misuse("not a leaf index, nor a serial in hex, of either case, with or without "
                          "0x and colons");
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (story_is_index(argv[optind], &index)) {
        found = index < mirror_checkpoint(mirror)->size;
    } else if (story_issued(mirror, argv[optind], &found, &index, &e) != 0) {
        return ask_failed(&e);
    }
    return found ? prove(mirror, index)
                 : ask_nothing("no leaf or issued certificate", argv[optind]);
}
