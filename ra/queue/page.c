/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/page.h"

#include "ca/cmp/queue.h"

static void
visit(void *arg, const struct requests_entry *entry)
{
    struct page *page = arg;
    struct page_entry *copy = &page->all[page->n++];
    struct err e;

    *copy = (struct page_entry){.entry = *entry};
    copy->entry.message = BUF_INIT(CMP_NESTED_MAX);
    copy->entry.entry = BUF_INIT(CMP_QUEUE_ENTRY_MAX);
    if (buf_set(&copy->entry.message, buf_span(&entry->message), &e) != 0 ||
        buf_set(&copy->entry.entry, buf_span(&entry->entry), &e) != 0) {
        requests_entry_clear(&copy->entry); /* longer than anything that was admitted: damaged */
        page->n--;
    }
}

static int
read_heads(struct page *page, struct store_db *db, struct err *e)
{
    for (size_t i = 0; i < page->n; i++) {
        struct page_entry *x = &page->all[i];
        const struct requests_head *last = page->n_rows > 0 ? &page->rows[page->n_rows - 1] : NULL;

        if (x->entry.entry.n == 0) {
            continue;
        }
        if (last == NULL || x->entry.sequence - last->first >= last->leaves.n / MERKLE_HASH) {
            if (requests_head_of(db, x->entry.sequence, &page->rows[page->n_rows++], e) != 0) {
                return -1;
            }
        }
        x->row = page->n_rows - 1;
    }
    return 0;
}

int
page_read(struct page *page, struct store_db *db, uint64_t after, bool everything, struct err *e)
{
    const int64_t now = clock_now();

    if (requests_open_each(db, after, everything ? INT64_MAX : now, PAGE_MAX, visit, page, e) !=
            0 ||
        read_heads(page, db, e) != 0) {
        return -1;
    }
    return page->n < PAGE_MAX ? requests_rest_until(db, now, &page->rests_until, e) : 0;
}

bool
page_look(struct page *page, struct ra *ra, struct flights *flights)
{
    struct head *heads[PAGE_MAX] = {0};
    bool all = true;
    struct err e;

    for (size_t i = 0; i < page->n_rows; i++) {
        struct head *head = head_new(&page->rows[i], &e);

        if (head == NULL) {
            heads_say_not_ours(ra, &e);
            all = false;
        } else {
            heads[i] = heads_know(ra->heads, head);
        }
    }
    for (size_t i = 0; i < page->n; i++) {
        struct page_entry *x = &page->all[i];
        const struct flight *f = flights_find(flights, x->entry.rid);

        x->left = f != NULL && (f->on_wire || f->withdrawn);
        if (x->entry.entry.n == 0) {
            continue;
        }
        if (heads[x->row] != NULL) {
            x->head = head_use(heads[x->row]);
        } else {
            x->left = true;
        }
    }
    for (size_t i = 0; i < page->n_rows; i++) {
        head_release(ra->heads, heads[i]);
    }
    return all;
}

void
page_clear(struct page *page, struct ra *ra)
{
    for (size_t i = 0; i < page->n; i++) {
        requests_entry_clear(&page->all[i].entry);
        head_release(ra->heads, page->all[i].head);
    }
    for (size_t i = 0; i < page->n_rows; i++) {
        requests_head_clear(&page->rows[i]);
    }
    page->n = 0;
    page->n_rows = 0;
    page->rests_until = 0;
}
