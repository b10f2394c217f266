/* SPDX-License-Identifier: Apache-2.0 */
/* root.h - a register with a root in it, made with a software key. Aborts the test on failure. */
#pragma once

#include "ceremony/transcript/state.h"

/* Self-signed, profile root, valid 2026-11-23T12:00:00Z to 2046; fills the token's members too. */
void test_root(struct state *out);
