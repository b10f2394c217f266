/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der_text.h - DER as a test writes it: hex digits, blanks where they please, and
 *   {...}    the length of what is within, and that
 *   'text'   its octets
 *   *N       the octet before it, N of it in all
 * "30{ 02{05} 0c{'amf'} 04{00*20} }". A length that is wrong is written in hex, without braces.
 */
#pragma once

#include "base/buf.h"

/* Replaces `out`. Aborts the test when the text is no such notation, or longer than out->max. */
void der_text(const char *text, struct buf *out);
