/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serial.h - serial numbers: 16 octets, the first 01xxxxxx, 126 random bits. Never zero, negative
 * or short in DER (RFC 5280 4.1.2.2), and of one length, so that octet order is numeric order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <openssl/types.h>

#include "base/buf.h"

enum { SERIAL_SIZE = 16 };

/* Fails with ERR_CRYPTO when the generator does, and then nothing may be issued. */
int serial_new(uint8_t out[SERIAL_SIZE], struct err *e);
/* Gives 16 octets from elsewhere (the public seed of a rehearsal) the form. */
void serial_shape(uint8_t serial[SERIAL_SIZE]);
bool serial_is_shaped(const uint8_t serial[SERIAL_SIZE]);
/* The octets in a certificate; borrowed from it. */
struct span serial_of(const X509 *);
