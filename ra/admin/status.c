/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admin/status.h"

#include "ra/daemon/settings.h"
#include "ra/queue/queue.h"
#include "ra/secret/page_scrub.h"

json_t *
status_stored(struct store_db *db, struct err *e)
{
    int open = 0;
    int closing = 0;

    if (requests_count_open(db, &open, e) != 0 || requests_count_closing(db, &closing, e) != 0) {
        return NULL;
    }
    return json_pack("{s:{s:s, s:I}, s:{s:i, s:i}}", "seals", "state",
                     store_seal_name(store_seal_state(db)), "pages", (json_int_t)store_pages(db),
                     "queue", "open", open, "cancellations", closing);
}

static json_t *
time_or_null(time_t at)
{
    char text[TIME_TEXT_SIZE];

    if (at == 0) {
        return json_null();
    }
    time_format(at, text);
    return json_string(text);
}

static json_t *
scrub_json(const struct page_scrub_status *s, time_t now)
{
    return json_pack(
        "{s:I, s:o, s:I, s:o, s:o, s:o}", "seen", (json_int_t)s->seen, "begun",
        time_or_null(s->begun), "lastSeen", (json_int_t)s->last.seen, "lastBegun",
        time_or_null(s->last.begun), "lastEnded", time_or_null(s->last.ended), "lastAge",
        s->last.ended == 0 ? json_null() : json_integer((json_int_t)(now - s->last.ended)));
}

static json_t *
signers_json(const struct ra *ra)
{
    json_t *list = json_array();

    for (size_t i = 0; i < signer_pool_n(ra->signers); i++) {
        struct signer *s = signer_pool_at(ra->signers, i);

        (void)json_array_append_new(
            list,
            json_pack("{s:s, s:b, s:I, s:I, s:I, s:b, s:b}", "name", ra->settings->signers[i], "up",
                      signer_pid(s) != -1, "attempts", (json_int_t)signer_attempts(s), "signatures",
                      (json_int_t)signer_signatures(s), "waiting", (json_int_t)signer_waiting(s),
                      "software", signer_is_software(s), "apart", signer_is_apart(s)));
    }
    return list;
}

void
status_complete(const struct ra *ra, json_t *answer)
{
    const struct page_scrub_status scrub = page_scrub_status(ra->page_scrub);
    const struct queue_link link = queue_link(ra->queue);

    (void)json_object_set_new(answer, "version", json_string(NFPKI_VERSION));
    (void)json_object_set_new(answer, "scrub", scrub_json(&scrub, clock_now()));
    (void)json_object_set_new(
        answer, "link",
        json_pack("{s:s, s:o}", "state", link.state, "since", time_or_null(link.since)));
    (void)json_object_set_new(answer, "signers", signers_json(ra));
    /* This one is none. */
    (void)json_object_set_new(answer, "jobs", json_integer((json_int_t)ra->jobs - 1));
}
