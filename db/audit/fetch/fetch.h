/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetch.h - brings the published folder of a ledger, and what it has grown by, from a web server
 * into a folder of ours. What files there are follows from the checkpoint, which the log's key
 * verifies, and so does what is in them: nothing else is kept (bring.h). What the leaves say is for
 * the reader of the folder to verify.
 *
 * The checkpoint is asked for first and put there last, so that at any time the folder is one that
 * can be read. Files that are there are not asked for again: after a kill it goes on.
 */
#pragma once

#include "base/tlog/policy.h"
#include "db/audit/fetch/transfer.h"

enum fetch_key {
    FETCH_KEY_GIVEN,
    FETCH_KEY_KEPT,  /* from the folder, of a fetch before */
    FETCH_KEY_FIRST, /* from the source itself: nothing to compare with */
};

struct fetch_result {
    enum fetch_key key_from;
    uint8_t key[LOG_KEY_ID];
    uint64_t size;            /* leaves */
    uint64_t earlier;         /* that were there */
    uint64_t files;           /* that came */
    uint64_t messages_absent; /* files of messages that the source does not have, */
    uint64_t messages_wrong; /* and in which it has others than the leaves name: kept as they are */
};

struct fetch {
    struct transfer_from from;
    const char *dir;                  /* is made when it is not there */
    const struct log_key *key;        /* NULL: the folder's, else the source's */
    const struct tlog_policy *policy; /* whose witnesses' notes are asked for, too; NULL: nobody's.
                                       * When it names logs, this must be one of them. */
    void (*progress)(void *arg, uint64_t done, uint64_t all); /* may be NULL */
    void *arg;
};

/* ERR_CONFLICT: the source has a smaller log than the folder, or another past; the checkpoint that
 * it showed is kept as checkpoint.refused-*, and the folder stays as it is. */
int fetch_folder(const struct fetch *, struct fetch_result *, struct err *e);
