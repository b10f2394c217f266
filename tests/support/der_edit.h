/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der_edit.h - one element of a DER structure is taken out, or others are put in its place; the
 * lengths around it follow. For requests that are right but for one thing.
 */
#pragma once

#include "base/buf.h"

/*
 * `path` says which: numbers of children from the outside in, "0.4.0" is the first child of the
 * fifth child of the first child of `in`. `with` is any number of elements, none takes it out; they
 * are not looked at. Replaces `out`. ERR_NOTFOUND when there is no such element.
 */
int der_edit(struct span in, const char *path, struct span with, struct buf *out, struct err *e);
/* The element there, borrowed from `in`; empty when there is none. */
struct span der_at(struct span in, const char *path);
