/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical.h - is it DER throughout (X.690 8 to 11)? Each element, whatever is in it: definite
 * lengths as short as they can be, BOOLEAN 00 or ff, INTEGER without a needless octet, no unused
 * bit that is set, object identifiers as short as they can be, SET OF in order. Pure.
 */
#pragma once

#include "base/buf.h"

/* One element and nothing behind it. ERR_INPUT says what is not, and at which octet. */
int audit_der_canonical(struct span, struct err *e);
