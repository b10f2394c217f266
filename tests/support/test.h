/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - cmocka with the headers that it wants first, and checks that print the reason. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "base/err.h"

/* Fails the test with the reason in `e` when `call` is not 0 (an int) */
#define assert_ok(call, e)                                                                         \
    do {                                                                                           \
        if ((call) != 0) {                                                                         \
            fail_msg("%s: %s: %s", #call, err_code_name((e)->code), (e)->text);                    \
        }                                                                                          \
    } while (0)

/* Fails when `call` succeeds or fails with another code. */
#define assert_err(call, expected, e)                                                              \
    do {                                                                                           \
        (e)->code = ERR_NONE;                                                                      \
        if ((call) == 0) {                                                                         \
            fail_msg("%s: succeeded", #call);                                                      \
        }                                                                                          \
        if ((e)->code != (expected)) {                                                             \
            fail_msg("%s: %s: %s", #call, err_code_name((e)->code), (e)->text);                    \
        }                                                                                          \
    } while (0)
