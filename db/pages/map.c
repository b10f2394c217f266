/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/map.h"

#include <stdio.h>
#include <string.h>

enum {
    TOP = MAP_LEVELS - 1,
    BLOCK = NODE_SIZE,
    HEADERS = 2, /* and places of a node */
    PREFIX = 16,
};

/* ---- where a node is ---- */

/* Blocks of a subtree whose root is of this level. */
static int64_t
blocks_of(unsigned level)
{
    int64_t n = HEADERS;

    for (unsigned i = 0; i < level; i++) {
        n = HEADERS + NODE_FAN * n;
    }
    return n;
}

static sqlite3_int64
place_of(unsigned level, uint64_t index, unsigned side)
{
    int64_t block = HEADERS;

    for (unsigned above = TOP; above > level; above--) {
        const uint64_t child = index >> (8 * (above - level - 1)) & (NODE_FAN - 1);

        block += HEADERS + (int64_t)child * blocks_of(above - 1);
    }
    return (block + side) * BLOCK;
}

static unsigned
side_of(const struct tag *tag)
{
    return tag->octets[TAG_SIZE - 1] & 1U;
}

static void
set_side(struct tag *tag, unsigned side)
{
    tag->octets[TAG_SIZE - 1] = (uint8_t)((tag->octets[TAG_SIZE - 1] & 0xfeU) | side);
}

/* ---- nodes ---- */

static bool
tag_node(const struct map *map, const struct node *node, struct tag *tag)
{
    uint8_t prefix[PREFIX] = {'n', 'o', 'd', 'e', (uint8_t)node->level};
    const struct span parts[] = {span_of(prefix, sizeof(prefix)),
                                 span_of(node->tags, sizeof(node->tags))};

    octets_put(prefix + 8, node->index, 8);
    return tag_make(map->keys->map, parts, ARRAY_LEN(parts), tag);
}

static int
found_wrong(struct map *map, const struct node *node)
{
    const unsigned long long pages = (unsigned long long)NODE_FAN << (8 * node->level);
    char text[WATCH_TEXT];

    (void)snprintf(text, sizeof(text), "the seal of pages %llu to %llu", node->index * pages + 1,
                   (node->index + 1) * pages);
    return watch_found(map->watch, text, " was edited, or put back");
}

static int
read_node(struct map *map, struct node *node, struct tag expected)
{
    const unsigned side = side_of(&expected);
    int rc = map->file->pMethods->xRead(map->file, node->tags, sizeof(node->tags),
                                        place_of(node->level, node->index, side));
    struct tag tag;

    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) {
        return rc;
    }
    if (!tag_node(map, node, &tag)) {
        return SQLITE_IOERR_READ;
    }
    set_side(&tag, side);
    return tag_equal(&tag, &expected) ? SQLITE_OK : found_wrong(map, node);
}

static int node_at(struct map *map, unsigned level, uint64_t index, struct node **out);

/* Where the tag of a node is; borrowed as the node that has it. */
static int
parent_tag(struct map *map, unsigned level, uint64_t index, struct node **parent, struct tag **tag)
{
    int rc;

    *parent = NULL;
    *tag = &map->slot.root;
    if (level == TOP) {
        return SQLITE_OK;
    }
    rc = node_at(map, level + 1, index / NODE_FAN, parent);
    if (rc == SQLITE_OK) {
        *tag = &(*parent)->tags[index % NODE_FAN];
    }
    return rc;
}

/* One that was never written has no tag yet. */
static int
node_at(struct map *map, unsigned level, uint64_t index, struct node **out)
{
    struct node *parent;
    struct tag *tag;
    struct tag expected;
    int rc;

    *out = nodes_find(&map->nodes, level, index);
    if (*out != NULL) {
        return SQLITE_OK;
    }
    if (map->file == NULL) {
        *out = nodes_add(&map->nodes, level, index);
        nodes_changed(&map->nodes, *out); /* it is nowhere else */
        return SQLITE_OK;
    }
    rc = parent_tag(map, level, index, &parent, &tag);
    if (rc != SQLITE_OK) {
        return rc;
    }
    expected = *tag;
    *out = nodes_add(&map->nodes, level, index);
    rc = tag_is_none(&expected) ? SQLITE_OK : read_node(map, *out, expected);
    if (rc != SQLITE_OK) {
        nodes_forget(&map->nodes, *out);
    }
    return rc;
}

int
map_get(struct map *map, uint64_t page, struct tag *tag)
{
    struct node *leaf;
    int rc;

    *tag = (struct tag){0};
    if (page >= map->slot.count) {
        return SQLITE_OK;
    }
    rc = node_at(map, 0, page / NODE_FAN, &leaf);
    if (rc == SQLITE_OK) {
        *tag = leaf->tags[page % NODE_FAN];
    }
    return rc;
}

int
map_set(struct map *map, uint64_t page, const struct tag *tag)
{
    struct node *leaf;
    const int rc = node_at(map, 0, page / NODE_FAN, &leaf);

    if (rc == SQLITE_OK) {
        leaf->tags[page % NODE_FAN] = *tag;
        nodes_changed(&map->nodes, leaf);
        map->slot.count = page >= map->slot.count ? page + 1 : map->slot.count;
        map->changed = true;
    }
    return rc;
}

/* No tag is left behind the end, to be found there when the file grows again. */
int
map_resize(struct map *map, uint64_t count)
{
    for (uint64_t page = count; page < map->slot.count; page = (page / NODE_FAN + 1) * NODE_FAN) {
        const size_t first = page % NODE_FAN;
        struct node *leaf;
        const int rc = node_at(map, 0, page / NODE_FAN, &leaf);

        if (rc != SQLITE_OK) {
            return rc;
        }
        memset(leaf->tags + first, 0, (NODE_FAN - first) * sizeof(leaf->tags[0]));
        nodes_changed(&map->nodes, leaf);
    }
    map->changed = map->changed || count != map->slot.count;
    map->slot.count = count;
    return SQLITE_OK;
}

void
map_clear(struct map *map)
{
    nodes_clear(&map->nodes);
    map->slot = (struct slot){0};
    map->file = NULL;
    map->settled = false;
    map->changed = false;
    map->broken = false;
}

/* ---- the file ---- */

/* What is not there is zero. */
static int
read_slot(sqlite3_file *file, size_t i, uint8_t block[SLOT_SIZE])
{
    const int rc =
        file->pMethods->xRead(file, block, SLOT_SIZE, (sqlite3_int64)i * (sqlite3_int64)SLOT_SIZE);

    return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : rc;
}

int
map_is_any(sqlite3_file *file, bool *any)
{
    uint8_t block[SLOT_SIZE];
    int rc = SQLITE_OK;

    *any = false;
    for (size_t i = 0; rc == SQLITE_OK && i < HEADERS; i++) {
        rc = read_slot(file, i, block);
        *any = *any || (rc == SQLITE_OK && slot_is_any(block));
    }
    return rc;
}

int
map_open(struct map *map, sqlite3_file *file, enum map_found *found)
{
    struct slot best = {0};
    bool blank = false;
    bool other = false;
    bool whole = false;

    for (size_t i = 0; i < HEADERS; i++) {
        uint8_t block[SLOT_SIZE];
        struct slot slot = {0};
        enum slot_kind kind;
        const int rc = read_slot(file, i, block);

        if (rc != SQLITE_OK) {
            return rc;
        }
        if (!slot_decode(map->keys, block, &slot, &kind)) {
            return SQLITE_IOERR_READ;
        }
        blank = blank || kind == SLOT_BLANK;
        other = other || kind == SLOT_OTHER;
        if (kind == SLOT_WHOLE && (!whole || slot.generation > best.generation)) {
            whole = true;
            best = slot;
        }
    }
    /* Nothing rests on a file whose first header was not finished. */
    *found = whole ? MAP_OURS : blank ? MAP_NONE : other ? MAP_OTHER : MAP_EDITED;
    if (whole) {
        map->slot = best;
        map->found = best;
        map->file = file;
    }
    return SQLITE_OK;
}

void
map_attach(struct map *map, sqlite3_file *file)
{
    map->file = file;
    map->settled = true;
    map->changed = true;
}

static int
write_node(struct map *map, struct node *node)
{
    struct node *parent;
    struct tag *old;
    struct tag tag;
    unsigned side;
    int rc = parent_tag(map, node->level, node->index, &parent, &old);

    if (rc != SQLITE_OK) {
        return rc;
    }
    side = tag_is_none(old) ? 0 : 1 - side_of(old);
    if (!tag_node(map, node, &tag)) {
        return SQLITE_IOERR_WRITE;
    }
    set_side(&tag, side);
    rc = map->file->pMethods->xWrite(map->file, node->tags, sizeof(node->tags),
                                     place_of(node->level, node->index, side));
    if (rc == SQLITE_OK) {
        *old = tag;
        if (parent != NULL) {
            nodes_changed(&map->nodes, parent);
        }
        nodes_unchanged(&map->nodes, node);
    }
    return rc;
}

static int
write_level(struct map *map, unsigned level)
{
    size_t n;
    CLEANUP(mem_cleanup) struct node **changed = nodes_list_changed(&map->nodes, level, &n);
    int rc = SQLITE_OK;

    for (size_t i = 0; rc == SQLITE_OK && i < n; i++) {
        rc = write_node(map, changed[i]);
    }
    return rc;
}

/* In its own place. */
static int
put_slot(struct map *map, struct slot *slot)
{
    uint8_t block[SLOT_SIZE];
    const sqlite3_int64 at = (sqlite3_int64)(slot->generation % HEADERS) * (sqlite3_int64)SLOT_SIZE;
    int rc;

    if (!slot_encode(map->keys, slot, block)) {
        return SQLITE_IOERR_WRITE;
    }
    rc = map->file->pMethods->xWrite(map->file, block, sizeof(block), at);
    return rc != SQLITE_OK ? rc : map->file->pMethods->xSync(map->file, SQLITE_SYNC_FULL);
}

int
map_settle(struct map *map)
{
    int rc = SQLITE_OK;

    if (map->file != NULL && !map->settled) {
        rc = put_slot(map, &map->found);
        map->settled = rc == SQLITE_OK;
    }
    return rc;
}

int
map_write(struct map *map, const struct slot_wal *wal)
{
    int rc = map->broken ? SQLITE_IOERR_WRITE : map_settle(map);

    for (unsigned level = 0; rc == SQLITE_OK && level < MAP_LEVELS; level++) {
        rc = write_level(map, level);
    }
    rc = rc != SQLITE_OK ? rc : map->file->pMethods->xSync(map->file, SQLITE_SYNC_FULL);
    if (rc == SQLITE_OK) {
        map->slot.generation++;
        map->slot.wal = *wal;
        rc = put_slot(map, &map->slot);
    }
    map->changed = map->changed && rc != SQLITE_OK;
    if (rc != SQLITE_OK) { /* the checkpoint that it is of tells nobody */
        map->broken = true;
        (void)watch_end(map->watch, ERR_STORE,
                        "its seals (FILE-seal) cannot be written: see its disk, and start again");
    }
    return rc;
}
