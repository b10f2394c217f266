/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/fetch/plan.h"

#include <stdio.h>

enum { HEIGHT = 8 };

static uint64_t
level_size(uint64_t size, int level)
{
    return level == AUDIT_ENTRIES ? size : size >> (HEIGHT * level);
}

static void
name_file(int level, uint64_t index, unsigned width, struct plan_file *file)
{
    char name[AUDIT_NAME_MAX];

    audit_name(level, index, name);
    *file = (struct plan_file){.level = level,
                               .index = index,
                               .width = width,
                               .max = level == AUDIT_ENTRIES ? (size_t)PLAN_BUNDLE_MAX
                                                             : (size_t)AUDIT_TILE_SIZE};
    if (width == AUDIT_WIDTH) {
        (void)snprintf(file->name, sizeof(file->name), "%s", name);
    } else {
        (void)snprintf(file->name, sizeof(file->name), "%s.p/%u", name, width);
        (void)snprintf(file->whole, sizeof(file->whole), "%s", name);
    }
}

void
plan_begin(struct plan *plan, uint64_t size)
{
    *plan = (struct plan){.size = size, .level = AUDIT_LEVELS - 1};
}

bool
plan_next(struct plan *plan, struct plan_file *file)
{
    for (; plan->level >= AUDIT_ENTRIES; plan->level--, plan->index = 0) {
        const uint64_t hashes = level_size(plan->size, plan->level);
        const uint64_t full = hashes / AUDIT_WIDTH;
        const unsigned rest = (unsigned)(hashes % AUDIT_WIDTH);

        if (plan->index < full || (plan->index == full && rest > 0)) {
            name_file(plan->level, plan->index, plan->index < full ? AUDIT_WIDTH : rest, file);
            plan->index++;
            return true;
        }
    }
    return false;
}

uint64_t
plan_count(uint64_t size)
{
    uint64_t n = 0;

    for (int level = AUDIT_ENTRIES; level < AUDIT_LEVELS; level++) {
        n += (level_size(size, level) + AUDIT_WIDTH - 1) / AUDIT_WIDTH;
    }
    return n;
}

bool
plan_edge(uint64_t size, int level, struct plan_file *file)
{
    const uint64_t hashes = level_size(size, level);
    const unsigned rest = (unsigned)(hashes % AUDIT_WIDTH);

    if (rest > 0) {
        name_file(level, hashes / AUDIT_WIDTH, rest, file);
    }
    return rest > 0;
}

int
plan_check(const struct plan_file *file, unsigned width, struct span octets, struct err *e)
{
    unsigned n = 0;

    if (file->level != AUDIT_ENTRIES) {
        return octets.n == (size_t)width * MERKLE_HASH
                   ? 0
                   : err_set(e, ERR_INPUT, "%zu octets are not %u hashes", octets.n, width);
    }
    while (octets.n > 0) {
        const size_t length =
            octets.n < 2 ? SIZE_MAX : 2 + ((size_t)octets.p[0] << 8 | octets.p[1]);

        if (length > octets.n || n == width) {
            return err_set(e, ERR_INPUT, "its entry %u is cut, or too many", n);
        }
        octets = span_of(octets.p + length, octets.n - length);
        n++;
    }
    return n == width ? 0 : err_set(e, ERR_INPUT, "%u entries, not %u", n, width);
}
