/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/admin/held.h"

#include "base/ossl.h"

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
}

int
held_parse_page(const json_t *after, const json_t *limit, struct held_page *out, struct err *e)
{
    const json_int_t from = json_integer_value(after);
    const json_int_t n = limit == NULL ? HELD_PAGE_MAX : json_integer_value(limit);

    if (after != NULL && (!json_is_integer(after) || from < 0)) {
        return err_set(e, ERR_INPUT, "after: must be the \"next\" of the page before");
    }
    if (n < 1 || n > HELD_PAGE_MAX) {
        return err_set(e, ERR_INPUT, "limit: must be 1..%d", (int)HELD_PAGE_MAX);
    }
    *out = (struct held_page){.after = from, .limit = (int)n};
    return 0;
}

struct making {
    json_t *rows;
    int64_t last;
};

static void
visit(void *arg, const struct requests_held *h)
{
    struct making *m = arg;
    CLEANUP(mem_cleanup) char *der = base64_dup(h->der);

    (void)json_array_append_new(m->rows, json_pack("{s:s, s:s, s:s, s:b}", "certificate", der,
                                                   "registration", h->registration, "profile",
                                                   h->profile, "revoked", h->revoked ? 1 : 0));
    m->last = h->id;
}

json_t *
held_answer(struct store_db *db, const struct held_page *page, struct err *e)
{
    CLEANUP(json_cleanup) json_t *answer = json_pack("{s:[]}", "certificates");
    struct making m = {.rows = json_object_get(answer, "certificates")};

    if (requests_held_each(db, page->after, page->limit, visit, &m, e) != 0) {
        return NULL;
    }
    if (json_array_size(m.rows) == (size_t)page->limit) {
        (void)json_object_set_new(answer, "next", json_integer(m.last));
    }
    return TAKE(answer);
}
