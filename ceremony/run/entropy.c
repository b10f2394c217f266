/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/entropy.h"

enum { WINDOW = 512, RUN_CUTOFF = 5, WINDOW_CUTOFF = 18 };

static size_t
longest_run(struct span s)
{
    size_t longest = 0;
    size_t run = 0;

    for (size_t i = 0; i < s.n; i++) {
        run = i > 0 && s.p[i] == s.p[i - 1] ? run + 1 : 1;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static size_t
most_in_window(struct span s)
{
    size_t most = 0;

    for (size_t at = 0; at + WINDOW <= s.n; at += WINDOW) {
        size_t count = 0;

        for (size_t i = 0; i < WINDOW; i++) {
            count += s.p[at + i] == s.p[at];
        }
        most = count > most ? count : most;
    }
    return most;
}

int
entropy_check(struct span first, struct span second, struct entropy_statistics *out, struct err *e)
{
    struct span samples[2] = {first, second};

    *out = (struct entropy_statistics){0};
    if (first.n < WINDOW || span_equal(first, second)) {
        return err_set(e, ERR_CRYPTO, "the token's random generator repeats itself");
    }
    for (size_t i = 0; i < 2; i++) {
        size_t run = longest_run(samples[i]);
        size_t most = most_in_window(samples[i]);

        out->longest_run = run > out->longest_run ? run : out->longest_run;
        out->most_in_window = most > out->most_in_window ? most : out->most_in_window;
    }
    if (out->longest_run >= RUN_CUTOFF || out->most_in_window >= WINDOW_CUTOFF) {
        return err_set(e, ERR_CRYPTO,
                       "the token's random generator is broken: a run of %zu, %zu of one octet in "
                       "a window of 512",
                       out->longest_run, out->most_in_window);
    }
    return 0;
}
