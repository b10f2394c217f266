/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/loopback.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/http/address.h"

enum { HTTP_PORT = 80 };

#define LOCALHOST "localhost"

/* The port of a loopback address; -1: it is none. */
static int
loopback_port(const struct sockaddr *address)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;

    if (address->sa_family == AF_INET) {
        return ntohl(in->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET ? ntohs(in->sin_port) : -1;
    }
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr)
               ? ntohs(in6->sin6_port)
               : -1;
}

static int
port_of(const char *text, struct err *e)
{
    struct addrinfo *address = http_address_parse(text, e);
    int port;

    if (address == NULL) {
        return -1;
    }
    port = loopback_port(address->ai_addr);
    freeaddrinfo(address);
    return port >= 0 ? port
                     : err_set(e, ERR_INPUT,
                               "\"%s\" is no loopback address: what is served has no log-in, so it "
                               "stays on this machine: 127.0.0.1:8830 or [::1]:8830",
                               text);
}

int
loopback_check(const char *listen, struct err *e)
{
    return port_of(listen, e) < 0 ? -1 : 0;
}

bool
loopback_is_host(const char *host, unsigned port)
{
    const size_t n = strlen(LOCALHOST);
    const bool is_name =
        strncasecmp(host, LOCALHOST, n) == 0 && (host[n] == '\0' || host[n] == ':');
    const char *colon = strrchr(host, ':');
    const bool has_port = colon != NULL && strchr(colon, ']') == NULL;
    CLEANUP(mem_cleanup)
    char *address = mem_printf("%s%s%s", is_name ? "127.0.0.1" : host, is_name ? host + n : "",
                               has_port ? "" : ":80");
    struct err ignored;

    return port_of(address, &ignored) == (int)port && (has_port || port == HTTP_PORT);
}
