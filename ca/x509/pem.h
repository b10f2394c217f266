/* SPDX-License-Identifier: Apache-2.0 */
/* pem.h - the DER of an object that may come as DER or PEM (RFC 7468), strictly one. */
#pragma once

#include "base/buf.h"

/*
 * Appends the DER: `bytes` as they are when they begin with a SEQUENCE, else the content of the one
 * PEM block in them, which must have one of the labels (NULL ends the list) and only blanks behind
 * it. ERR_INPUT begins with `what`.
 */
int pem_unwrap(struct span bytes, const char *const *labels, const char *what, struct buf *out,
               struct err *e);
