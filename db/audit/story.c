/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/story.h"

#include <stdio.h>
#include <string.h>

#include "base/typed.h"
#include "db/audit/walk.h"

static void
leaf_release(struct story_leaf *leaf)
{
    leaf_free(leaf->leaf);
    leaf->leaf = NULL;
}

void
story_free(struct story *story)
{
    for (size_t i = 0; i < story->n; i++) {
        leaf_release(&story->leaves[i]);
    }
    leaf_release(&story->registrar);
    mem_free(story->leaves);
    *story = (struct story){0};
}

int
story_target_parse(const char *text, struct story_target *target, struct err *e)
{
    size_t digits = strspn(text, "0123456789");

    *target = (struct story_target){0};
    if (digits > 0 && digits <= 15 && text[digits] == '\0') {
        target->is_index = true;
        for (; *text != '\0'; text++) {
            target->index = target->index * 10 + (uint64_t)(*text - '0');
        }
        return 0;
    }
    if (typed_hex(text, target->hex, sizeof(target->hex)) != 0) {
        return err_set(e, ERR_INPUT,
                       "not a leaf index, nor a serial, request or registration in hex, of either "
                       "case, with or without 0x and colons");
    }
    return 0;
}

/* ---- the first walk ---- */

static bool
is(const char *member, const char *wanted)
{
    return member != NULL && wanted[0] != '\0' && strcmp(member, wanted) == 0;
}

static void
take_name(char *to, size_t size, const char *member)
{
    if (member != NULL) {
        (void)snprintf(to, size, "%s", member);
    }
}

void
story_search(struct story_search *search, uint64_t index, const struct leaf *leaf)
{
    const char *serial = leaf_text(leaf, "serial");
    const char *rid = leaf_text(leaf, "rid");
    const char *registration = leaf_text(leaf, "registration");
    struct story_names *names = &search->names;
    bool named;

    if (search->target.is_index) {
        named = index == search->target.index;
    } else {
        named = is(serial, search->target.hex) || is(rid, search->target.hex) ||
                is(leaf_text(leaf, "again"), search->target.hex);
        if (is(registration, search->target.hex)) {
            search->by_registration = true;
            search->found = true;
            take_name(names->registration, sizeof(names->registration), registration);
        }
    }
    search->found = search->found || named;
    if (search->by_registration) {
        return;
    }
    /* A leaf about what is known already may know more: the INTENT joins rid and serial. */
    if (named || is(rid, names->rid) || is(serial, names->serial)) {
        take_name(names->serial, sizeof(names->serial), serial);
        take_name(names->rid, sizeof(names->rid), rid);
        take_name(names->registration, sizeof(names->registration), registration);
    }
}

/* ---- the other walks ---- */

struct collecting {
    const struct story_search *search;
    struct story *story;
    bool registrar; /* the last walk: its certificate only */
};

static bool
mentions(struct span body, const char *name)
{
    return name[0] != '\0' && memmem(body.p, body.n, name, strlen(name)) != NULL;
}

static bool
is_wanted(const struct story_search *search, const struct story_names *names, uint64_t index,
          const struct leaf *leaf)
{
    enum leaf_kind kind = leaf_kind(leaf);

    if (search->target.is_index && index == search->target.index) {
        return true;
    }
    if (is(leaf_text(leaf, "serial"), names->serial) || is(leaf_text(leaf, "rid"), names->rid)) {
        return true;
    }
    if (kind == LEAF_QUEUE_HEAD && is(leaf_text(leaf, "head"), names->head)) {
        return true;
    }
    return is(leaf_text(leaf, "registration"), names->registration) &&
           (search->by_registration || kind == LEAF_REGISTRATION || kind == LEAF_CANCEL);
}

static void
learn(char *to, size_t size, const char *member)
{
    if (to[0] == '\0') {
        take_name(to, size, member);
    }
}

static int
keep(struct story *story, uint64_t index, struct leaf *leaf, bool by_registration, struct err *e)
{
    if (story->n == STORY_MAX) {
        leaf_free(leaf);
        return err_set(e, ERR_INPUT, "more than %d leaves are about this: ask for one of them",
                       STORY_MAX);
    }
    if (leaf_kind(leaf) == LEAF_REGISTRATION) {
        take_name(story->names.registrar, sizeof(story->names.registrar),
                  leaf_text(leaf, "registrar"));
    }
    if (!by_registration) {
        struct story_names *names = &story->names;

        learn(names->serial, sizeof(names->serial), leaf_text(leaf, "serial"));
        learn(names->rid, sizeof(names->rid), leaf_text(leaf, "rid"));
        learn(names->registration, sizeof(names->registration), leaf_text(leaf, "registration"));
        learn(names->head, sizeof(names->head), leaf_text(leaf, "head"));
    }
    if (is(leaf_text(leaf, "serial"), story->names.serial)) {
        story->status = audit_status_next(story->status, leaf_kind(leaf));
    }
    story->leaves =
        mem_grow(story->leaves, &story->capacity, story->n + 1, sizeof(story->leaves[0]));
    story->leaves[story->n] = (struct story_leaf){.index = index, .leaf = leaf};
    story->n++;
    return 0;
}

static int
collect(void *arg, uint64_t index, const char *file, struct span body, struct err *e)
{
    struct collecting *c = arg;
    const struct story_names *names = &c->story->names;
    bool by_index = c->search->target.is_index && index == c->search->target.index;
    CLEANUP(leaf_cleanup) struct leaf *leaf = NULL;

    /* Most leaves are about something else: looking is cheaper than parsing. */
    if (c->registrar ? !mentions(body, names->registrar)
                     : !by_index && !mentions(body, names->serial) && !mentions(body, names->rid) &&
                           !mentions(body, names->registration) && !mentions(body, names->head)) {
        return 0;
    }
    leaf = leaf_parse(body, e);
    if (leaf == NULL) {
        return err_wrap(e, "%s", file);
    }
    if (c->registrar) {
        if (leaf_kind(leaf) == LEAF_ISSUED && is(leaf_text(leaf, "serial"), names->registrar)) {
            leaf_release(&c->story->registrar);
            c->story->registrar = (struct story_leaf){.index = index, .leaf = TAKE(leaf)};
        }
        return 0;
    }
    if (!is_wanted(c->search, names, index, leaf)) {
        return 0;
    }
    return keep(c->story, index, TAKE(leaf), c->search->by_registration, e);
}

static int
prove(struct audit_log *log, struct story_leaf *leaf, struct err *e)
{
    struct merkle_hash hash = merkle_leaf(leaf_body(leaf->leaf));

    return audit_inclusion(log, leaf->index, &hash, &leaf->proof, e);
}

static bool
names_equal(const struct story_names *a, const struct story_names *b)
{
    return strcmp(a->serial, b->serial) == 0 && strcmp(a->rid, b->rid) == 0 &&
           strcmp(a->registration, b->registration) == 0 && strcmp(a->head, b->head) == 0;
}

int
story_collect(struct audit_log *log, const struct story_search *search, struct story *story,
              struct err *e)
{
    struct collecting c = {.search = search, .story = story};
    struct story_names names;
    bool again;

    names = search->names;
    /* A leaf that is found may name what earlier leaves are about: then they are looked for too.
     * There are four names to learn, so this ends. */
    do {
        story_free(story);
        story->names = names;
        if (audit_walk(log, collect, &c, e) != 0) {
            return -1;
        }
        again = !names_equal(&names, &story->names);
        names = story->names;
        names.registrar[0] = '\0';
    } while (again);
    if (story->names.registrar[0] != '\0') {
        c.registrar = true;
        if (audit_walk(log, collect, &c, e) != 0) {
            return -1;
        }
    }
    for (size_t i = 0; i < story->n; i++) {
        if (prove(log, &story->leaves[i], e) != 0) {
            return -1;
        }
    }
    return story->registrar.leaf == NULL ? 0 : prove(log, &story->registrar, e);
}

const struct story_leaf *
story_find(const struct story *story, enum leaf_kind kind)
{
    for (size_t i = story->n; i > 0; i--) {
        if (leaf_kind(story->leaves[i - 1].leaf) == kind) {
            return &story->leaves[i - 1];
        }
    }
    return NULL;
}
