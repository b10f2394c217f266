/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap.h - what the code under test logs (base/log.h), so that a test can look at the reason of what
 * nobody is told. All of it, with cmocka's own lines, goes to the real standard error at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* From here on. Once per program. */
void tap_open(void);
/* What comes from now on is looked at. */
void tap_mark(void);
/* Was this said since the last mark? */
bool tap_has(const char *text);
/* How often? */
size_t tap_count(const char *text);
/* Fails the test unless it was, and shows what was. */
void tap_need(const char *text);
