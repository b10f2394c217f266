/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - what was found wrong with the file. Private to db/pages/. */
#pragma once

#include <stdint.h>

#include "base/err.h"

enum { WATCH_TEXT = 160 };

struct watch {
    void (*tell)(void *arg, const char *what); /* NULL: what is wrong is the end */
    void *arg;
    char told[WATCH_TEXT]; /* last */
    struct err why;        /* the first that was the end */
};

/* `what` is wrong ("page 17"), and so (" was edited"). SQLITE_IOERR_DATA; or SQLITE_OK when that is
 * told, and the caller goes on with what there is. */
int watch_found(struct watch *, const char *what, const char *how);
/* The same of a page, from 0, or of the page in this frame of the WAL. */
enum watch_file { WATCH_MAIN, WATCH_WAL };
int watch_page(struct watch *, uint64_t page, enum watch_file, const char *how);
extern const char watch_changed[]; /* since we had it */
extern const char watch_edited[];  /* before */
/* What nobody goes on behind: SQLITE_IOERR_DATA. */
int watch_end(struct watch *, enum err_code, const char *text);
