/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alt_names.h - do two subjectAltNames say the same? Pure.
 */
#pragma once

#include "base/ossl.h"

/* The same names, whatever their order and however often (RFC 5280 4.2.1.6 gives neither a
 * meaning), each by the rules of RFC 5280 7.2 to 7.5: the case of a host, of a scheme and of
 * urn:uuid (RFC 9562 4) does not matter, nor that of a directoryName. NULL has no name. More than
 * ALT_NAMES_MAX are equal to nothing. */
enum { ALT_NAMES_MAX = 256 };
bool alt_names_equal(const GENERAL_NAMES *a, const GENERAL_NAMES *b);
