/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/command/answer.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/ossl.h"
#include "db/audit/command/ask.h"
#include "db/audit/json.h"

struct basis
answer_basis(const struct mirror *m)
{
    return (struct basis){mirror_checkpoint(m), mirror_key(m), ask_key_is_given(m),
                          mirror_cosigned(m)};
}

char *
answer_key(const struct mirror *m)
{
    CLEANUP(json_cleanup) json_t *key = json_key(mirror_key(m), ask_key_is_given(m));

    return json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS);
}

int
answer_end(const struct mirror *m, const char *noun, enum sink_format format, time_t now,
           const struct query_result *result)
{
    const struct basis basis = answer_basis(m);
    char at[TIME_TEXT_SIZE];
    struct err e = {0};
    int status;

    time_format(now, at);
    if (format == SINK_TABLE && result->rows > 0) {
        (void)fprintf(stdout, "\nVerified\n");
        print_basis(stdout, &basis);
        if (result->has_clock) {
            print_line(stdout, "as of", at);
        }
    } else if (format != SINK_JSONL && result->has_clock) {
        (void)fprintf(stderr, "nfpki-audit: as of %s\n", at);
    }
    status = ask_finish(0, &e);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    if (result->is_cut) {
        (void)fprintf(stderr, "nfpki-audit: truncated: there are more than %" PRIu64 " (--limit)\n",
                      result->rows);
    }
    if (result->rows == 0) {
        (void)fprintf(stderr, "nfpki-audit: no %s like that in this ledger\n", noun);
        return EXIT_NOTHING;
    }
    return EXIT_VERIFIED;
}
