/* SPDX-License-Identifier: Apache-2.0 */
/* What modules keep beside the connection, so that they need not read it again. */
#include <assert.h>
#include <string.h>

#include "db/store/connection.h"
#include "db/store/packing.h"

void *
store_memory(struct store_db *db, const void *whose, size_t n)
{
    struct connection_memory *memory = db->memories;

    while (memory->whose != whose && memory->whose != NULL) {
        memory++;
        assert(memory < db->memories + CONNECTION_MEMORIES);
    }
    if (memory->whose == NULL) {
        *memory = (struct connection_memory){.whose = whose, .octets = mem_new(n), .n = n};
    }
    assert(memory->n == n);
    return memory->octets;
}

void
connection_undone(struct store_db *db)
{
    for (size_t i = 0; i < CONNECTION_MEMORIES && db->memories[i].whose != NULL; i++) {
        memset(db->memories[i].octets, 0, db->memories[i].n);
    }
    packing_undone(db->packing);
}

void
connection_forget(struct store_db *db)
{
    for (size_t i = 0; i < CONNECTION_MEMORIES; i++) {
        mem_free(db->memories[i].octets);
        db->memories[i] = (struct connection_memory){0};
    }
}
