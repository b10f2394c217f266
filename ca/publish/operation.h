/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operation.h - who worked the admin socket, where no other leaf says so: a leaf OPERATION, under a
 * signed, stored checkpoint before the answer leaves. What changes something has a leaf that names
 * who asked for it; what was refused, and what needed no leaf, has this one.
 *
 * At most OPERATIONS_MAX an hour are told, so that nobody fills the record; the others are counted,
 * and the next one that is told says how many. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

enum { OPERATIONS_MAX = 60 };

/* It is done. Takes the reference, as admin_answer(). */
void operation_answer(struct ca *, struct admin_call *, json_t *object);
void operation_refuse(struct ca *, struct admin_call *, const struct err *why);
