/* SPDX-License-Identifier: Apache-2.0 */
#include "db/pages/watch.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

const char watch_changed[] = " was changed while this program had it open, and not by it";
const char watch_edited[] = " is not what its seal says: it was edited, or put back";

int
watch_end(struct watch *w, enum err_code code, const char *text)
{
    if (w->why.code == ERR_NONE) {
        (void)err_set(&w->why, code, "%s", text);
    }
    return SQLITE_IOERR_DATA;
}

int
watch_found(struct watch *w, const char *what, const char *how)
{
    char text[3 * WATCH_TEXT];

    if (w->tell == NULL) {
        (void)snprintf(text, sizeof(text),
                       "%s%s: see who can write this file, and whether its disk is whole", what,
                       how);
        return watch_end(w, ERR_STALE, text);
    }
    if (strcmp(w->told, what) != 0) { /* it may be read again at once */
        (void)snprintf(w->told, sizeof(w->told), "%s", what);
        w->tell(w->arg, what);
    }
    return SQLITE_OK;
}

int
watch_page(struct watch *w, uint64_t page, enum watch_file file, const char *how)
{
    char what[WATCH_TEXT];

    (void)snprintf(what, sizeof(what), "page %llu%s", (unsigned long long)page + 1,
                   file == WATCH_WAL ? " of its WAL" : "");
    return watch_found(w, what, how);
}
