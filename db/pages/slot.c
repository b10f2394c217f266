/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/slot.h"

#include <string.h>

enum {
    VERSION = 1,
    AT_VERSION = 8,
    AT_PAGE_SIZE = 12,
    AT_GENERATION = 16,
    AT_COUNT = 24,
    AT_ROOT = 32,
    AT_EPOCH = 48,
    AT_FRAMES = 64,
    AT_LAST = 72,
    AT_KEY = 88,
    AT_SEAL = 104,
};

static const uint8_t magic[] = {'n', 'f', 'p', 'k', 'i', 'm', 'a', 'p'};

/* Says whose key it is, and nothing about it. */
static bool
key_name(const struct tag_keys *keys, struct tag *out)
{
    const struct span text = span_str("key");

    return tag_make(keys->map, &text, 1, out);
}

static bool
seal(const struct tag_keys *keys, const uint8_t *block, struct tag *out)
{
    const struct span parts[] = {span_str("slot"), span_of(block, AT_SEAL)};

    return tag_make(keys->map, parts, ARRAY_LEN(parts), out);
}

bool
slot_encode(const struct tag_keys *keys, struct slot *slot, uint8_t out[SLOT_SIZE])
{
    struct tag name;

    memset(out, 0, SLOT_SIZE);
    memcpy(out, magic, sizeof(magic));
    octets_put(out + AT_VERSION, VERSION, 4);
    octets_put(out + AT_PAGE_SIZE, slot->page_size, 4);
    octets_put(out + AT_GENERATION, slot->generation, 8);
    octets_put(out + AT_COUNT, slot->count, 8);
    memcpy(out + AT_ROOT, &slot->root, TAG_SIZE);
    memcpy(out + AT_EPOCH, &slot->wal.epoch, TAG_SIZE);
    octets_put(out + AT_FRAMES, slot->wal.frames, 8);
    memcpy(out + AT_LAST, &slot->wal.last, TAG_SIZE);
    if (!key_name(keys, &name)) {
        return false;
    }
    memcpy(out + AT_KEY, &name, TAG_SIZE);
    if (!seal(keys, out, &slot->seal)) {
        return false;
    }
    memcpy(out + AT_SEAL, &slot->seal, TAG_SIZE);
    return true;
}

static void
decode(const uint8_t *block, struct slot *slot)
{
    *slot = (struct slot){.page_size = (uint32_t)octets_get(block + AT_PAGE_SIZE, 4),
                          .generation = octets_get(block + AT_GENERATION, 8),
                          .count = octets_get(block + AT_COUNT, 8),
                          .wal.frames = octets_get(block + AT_FRAMES, 8)};
    memcpy(&slot->root, block + AT_ROOT, TAG_SIZE);
    memcpy(&slot->wal.epoch, block + AT_EPOCH, TAG_SIZE);
    memcpy(&slot->wal.last, block + AT_LAST, TAG_SIZE);
    memcpy(&slot->seal, block + AT_SEAL, TAG_SIZE);
}

static bool
is_blank(const uint8_t *block)
{
    return block[0] == 0 && memcmp(block, block + 1, SLOT_SIZE - 1) == 0;
}

bool
slot_is_any(const uint8_t block[SLOT_SIZE])
{
    return memcmp(block, magic, sizeof(magic)) == 0;
}

bool
slot_decode(const struct tag_keys *keys, const uint8_t block[SLOT_SIZE], struct slot *slot,
            enum slot_kind *kind)
{
    struct tag name;
    struct tag right;

    if (is_blank(block)) {
        *kind = SLOT_BLANK;
        return true;
    }
    if (!key_name(keys, &name) || !seal(keys, block, &right)) {
        return false;
    }
    decode(block, slot);
    if (slot_is_any(block) && octets_get(block + AT_VERSION, 4) == VERSION &&
        tag_equal(&right, &slot->seal)) {
        *kind = SLOT_WHOLE;
    } else {
        *kind = slot_is_any(block) && memcmp(block + AT_KEY, &name, TAG_SIZE) != 0 ? SLOT_OTHER
                                                                                   : SLOT_TORN;
    }
    return true;
}
