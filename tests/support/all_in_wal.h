/* SPDX-License-Identifier: Apache-2.0 */
/* all_in_wal.h - a database of which the file has the beginning alone, and a WAL of SQLite's own
 * all pages: SQLite takes it for whole. */
#pragma once

/* `path` is one that was closed, and not sealed. */
void all_in_wal(const char *path);
