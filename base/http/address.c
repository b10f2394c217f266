/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct http_address
http_address_of(const struct sockaddr *address)
{
    struct http_address out = {0};

    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        out.family = 4;
        memcpy(out.octets, &in->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);

        out.family = mapped ? 4 : 6;
        memcpy(out.octets, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
    }
    return out;
}

bool
http_address_is_equal(const struct http_address *a, const struct http_address *b)
{
    return a->family == b->family && memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

uint32_t
http_address_hash(const struct http_address *address, uint64_t seed)
{
    uint64_t x;

    memcpy(&x, address->octets, sizeof(x));
    x ^= seed + address->family;
    for (int i = 0; i < 2; i++) { /* the finalizer of SplitMix64, keyed before and between */
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
        x ^= (x >> 31) ^ seed;
    }
    return (uint32_t)(x >> 32);
}

void
http_address_format(const struct sockaddr *address, char out[HTTP_PEER_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?";

    (void)snprintf(out, HTTP_PEER_SIZE, "?");
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;

        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        (void)snprintf(out, HTTP_PEER_SIZE, "%s:%u", host, (unsigned)ntohs(in->sin_port));
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
        char name[IF_NAMESIZE] = "";
        bool scoped = in6->sin6_scope_id != 0;

        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        if (scoped && if_indextoname(in6->sin6_scope_id, name) == NULL) {
            (void)snprintf(name, sizeof(name), "%u", (unsigned)in6->sin6_scope_id);
        }
        (void)snprintf(out, HTTP_PEER_SIZE, "[%s%s%s]:%u", host, scoped ? "%" : "", name,
                       (unsigned)ntohs(in6->sin6_port));
    }
}

/* A link-local address says nothing without its interface, and no other address has one. */
static int
check_scope(const char *text, const char *host, const struct addrinfo *info, struct err *e)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)info->ai_addr;

    if (info->ai_family != AF_INET6) {
        return 0;
    }
    if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && in6->sin6_scope_id == 0) {
        return err_set(e, ERR_INPUT,
                       "listen address \"%s\": a link-local address needs its interface: write "
                       "[%s%%eth0]",
                       text, host);
    }
    if (!IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) && strchr(host, '%') != NULL) {
        return err_set(e, ERR_INPUT,
                       "listen address \"%s\": only a link-local address (fe80::/10) has an "
                       "interface",
                       text);
    }
    return 0;
}

/* 0 .. 65535, decimal digits only: getaddrinfo() takes more. */
static bool
is_port(const char *text)
{
    unsigned value = 0;
    size_t n = strspn(text, "0123456789");

    if (n < 1 || n > 5 || text[n] != '\0') {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    return value <= 65535;
}

struct addrinfo *
http_address_parse(const char *text, struct err *e)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *result = NULL;
    const char *colon = strrchr(text, ':');
    char host[INET6_ADDRSTRLEN + IF_NAMESIZE + 1] = "";
    const char *port = colon != NULL ? colon + 1 : "";
    size_t n = colon != NULL ? (size_t)(colon - text) : 0;
    bool bracketed = colon != NULL && text[0] == '[' && colon[-1] == ']';
    struct span part = bracketed ? span_of(text + 1, n - 2) : span_of(text, n);

    if (part.n < sizeof(host)) {
        memcpy(host, part.p, part.n);
    }
    if (!is_port(port) || bracketed != (strchr(host, ':') != NULL) ||
        getaddrinfo(host, port, &hints, &result) != 0) {
        (void)err_set(e, ERR_INPUT,
                      "listen address \"%s\": write a number and a port as in 192.0.2.1:8829 or "
                      "[2001:db8::1]:8829",
                      text);
        return NULL;
    }
    if (check_scope(text, host, result, e) != 0) {
        freeaddrinfo(result);
        return NULL;
    }
    return result;
}
