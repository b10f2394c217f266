/* SPDX-License-Identifier: Apache-2.0 */
/* softhsm.h - a SoftHSM configuration with a token directory of the test's own. */
#pragma once

#define SOFTHSM_MODULE "/usr/lib/softhsm/libsofthsm2.so"
/* p11-kit's proxy: the modules that the host has registered, of which one is SoftHSM's. */
#define PROXY "/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so"

/* Writes DIR/softhsm2.conf with tokens in DIR/tokens and points SOFTHSM2_CONF at it. Aborts when
 * it cannot. Call before the module is loaded. */
void softhsm_use(const char *dir);
