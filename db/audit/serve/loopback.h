/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loopback.h - what is served stays on the machine: it listens on a loopback address alone, and
 * answers who asked for one by that name. A page of somebody else's in the same browser reaches the
 * port, too, under a name of his that he lets mean 127.0.0.1 (DNS rebinding): it is in Host. Pure.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* An address with port, as http_address_parse() takes it. ERR_INPUT says what is taken. */
int loopback_check(const char *listen, struct err *e);
/* "localhost:8830", "127.0.0.1:8830", "[::1]:8830" and this port; without one it is 80. */
bool loopback_is_host(const char *host, unsigned port);
