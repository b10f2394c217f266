/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial.h - serial numbers: 16 octets, the first 01xxxxxx. Never zero, negative or short in DER
 * (RFC 5280 4.1.2.2), and of one length, so that octet order is numeric order.
 *
 * New ones have the low 30 bits of the time first, which the certificate tells anyhow, and then 96
 * random bits: who keeps them in order writes at the end, not at a place of each one's own. Nothing
 * rests on the time in them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <openssl/types.h>

#include "base/buf.h"

enum { SERIAL_SIZE = 16 };

/* Fails with ERR_CRYPTO when the generator does, and then nothing may be issued. */
int serial_new(uint8_t out[SERIAL_SIZE], time_t at, struct err *e);
/* Gives 16 octets from elsewhere (the public seed of a rehearsal) the form. */
void serial_shape(uint8_t serial[SERIAL_SIZE]);
bool serial_is_shaped(const uint8_t serial[SERIAL_SIZE]);
/* The octets in a certificate; borrowed from it. */
struct span serial_of(const X509 *);
