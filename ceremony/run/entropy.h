/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entropy.h - does a token's random generator do what a broken one would not? The two continuous
 * tests of NIST SP 800-90B 4.4 at 8 bits per octet and a false alarm in 2^30, and two draws must
 * differ. It finds gross failure and proves nothing more.
 */
#pragma once

#include "base/buf.h"

enum { ENTROPY_SAMPLE = 64 * 1024 };

struct entropy_statistics {
    size_t longest_run; /* of one octet; from 5 on refused */
    size_t
        most_in_window; /* how often a window of 512 repeats its first octet; from 18 on refused */
};

/* ERR_CRYPTO when the generator is broken. */
int entropy_check(struct span first, struct span second, struct entropy_statistics *out,
                  struct err *e);
