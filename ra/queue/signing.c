/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/signing.h"

bool
signing_is_away(const struct err *why)
{
    return why->code == ERR_TOKEN || why->code == ERR_PIN;
}

static void
on_signed(struct head_waiter *waiter, const struct err *why)
{
    struct signing *s = CONTAINER_OF(waiter, struct signing_wait, waiter)->signing;

    s->away = s->away || (why != NULL && signing_is_away(why));
    if (--s->waiting == 0) {
        s->done(s->arg);
    }
}

static bool
was_asked(const struct signing *s, const struct head *head)
{
    for (size_t i = 0; i < s->n_asked; i++) {
        if (s->asked[i].head == head) {
            return true;
        }
    }
    return false;
}

bool
signing_ask(struct signing *s, const struct page *page)
{
    for (size_t i = 0; i < page->n && !s->away; i++) {
        struct head *head = page->all[i].head;
        struct signing_wait *w = &s->asked[s->n_asked];
        struct err e;

        if (page->all[i].left || head_is_signed(head) || was_asked(s, head) ||
            s->n_asked == PAGE_MAX) {
            continue;
        }
        *w = (struct signing_wait){.waiter.done = on_signed, .signing = s, .head = head_use(head)};
        s->n_asked++;
        if (heads_ask(s->ra->heads, head, &w->waiter, &e) == 0) {
            s->waiting++;
        } else {
            heads_say_not_ours(s->ra, &e);
        }
    }
    return s->waiting > 0;
}

void
signing_forget(struct signing *s)
{
    for (size_t i = 0; i < s->n_asked; i++) {
        heads_forget(s->asked[i].head, &s->asked[i].waiter);
        head_release(s->ra->heads, s->asked[i].head);
    }
    s->n_asked = 0;
    s->waiting = 0;
}
