/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typed.h - hexadecimal numbers as people type them or copy them from other programs: of either
 * case, with 0x in front, with colons or blanks between octets. Pure and thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* The lower-case digits alone, an even number of them, with a NUL. -1 when the text is something
 * else, is empty or does not fit. */
int typed_hex(const char *text, char *out, size_t size);

/* Exactly n octets; zeros in front, which some programs print, do not count. ERR_INPUT says what is
 * taken; `what` is "serial" or whatever it is. */
int typed_hex_parse(const char *text, const char *what, uint8_t *out, size_t n, struct err *e);
