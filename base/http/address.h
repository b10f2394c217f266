/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.h - addresses as text, and who counts as one peer.
 *
 * One peer is one IPv4 address or one IPv6 /64: that is what one subscriber or one host gets, and
 * every address in it is the same for the taking. Pure.
 */
#pragma once

#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    /* "[ipv6%interface]:65535" */
    HTTP_PEER_SIZE = INET6_ADDRSTRLEN + IF_NAMESIZE + 10,
};

/* A peer as it is counted. All octets are always set, so that it can be hashed and compared whole.
 */
struct http_address {
    uint8_t family; /* 4 or 6; 0: neither */
    uint8_t octets[8];
};

/* An IPv6 address that holds an IPv4 one (::ffff:0:0/96) is that IPv4 address. */
struct http_address http_address_of(const struct sockaddr *);
bool http_address_is_equal(const struct http_address *, const struct http_address *);
/* Unforeseeable for whoever does not know the seed. */
uint32_t http_address_hash(const struct http_address *, uint64_t seed);

/* "192.0.2.1:4711", "[2001:db8::1]:4711", "[fe80::1%eth0]:4711", or "?". */
void http_address_format(const struct sockaddr *, char out[HTTP_PEER_SIZE]);

/* "192.0.2.1:8829", "[2001:db8::1]:8829", "[fe80::1%eth0]:8829", "[::]:8829": numeric, because a
 * daemon that asks a resolver hangs on it. Port 0 is any. ERR_INPUT says what to write. The caller
 * freeaddrinfo()s the result. */
struct addrinfo *http_address_parse(const char *text, struct err *e)
    __attribute__((warn_unused_result));
