/* SPDX-License-Identifier: Apache-2.0 */
/* vfs.h - a VFS of SQLite whose main file and WAL are body.h and wal.h. For pages.c. */
#pragma once

#include "db/pages/body.h"

/* p->vfs over p->system, under p->name. */
void vfs_fill(struct pages *);
