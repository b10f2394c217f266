/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - a header of FILE-seal: which tree there is. Private to map.c.
 *
 * One block of SLOT_SIZE octets: "nfpkimap", version (4 octets), octets of a page (4), generation
 * (8), pages (8), the root's tag (16), the WAL that is in the file: epoch (16), frames (8), seal of
 * the last one (16); whose key it is (16); the seal of all that (16); zeros.
 */
#pragma once

#include "db/pages/tag.h"

enum { SLOT_SIZE = 4096 };

/* As far as this WAL went it is in the file. All zero: none is. */
struct slot_wal {
    struct tag epoch;
    uint64_t frames;
    struct tag last;
};

struct slot {
    uint32_t page_size;
    uint64_t generation;
    uint64_t count;
    struct tag root;
    struct slot_wal wal;
    struct tag seal;
};

enum slot_kind {
    SLOT_BLANK, /* zeros: never written */
    SLOT_WHOLE,
    SLOT_TORN,  /* of our key, it says; or nothing at all */
    SLOT_OTHER, /* whole or not, of another key */
};

/* `seal` becomes what it is sealed by. False when OpenSSL fails. */
bool slot_encode(const struct tag_keys *, struct slot *, uint8_t out[SLOT_SIZE]);
bool slot_decode(const struct tag_keys *, const uint8_t block[SLOT_SIZE], struct slot *,
                 enum slot_kind *);
/* Without a key: was anything sealed here? */
bool slot_is_any(const uint8_t block[SLOT_SIZE]);
