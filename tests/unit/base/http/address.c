/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/address.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/support/test.h"

static void
what_is_not_a_numeric_address_with_a_port_is_refused(void **state)
{
#define HOW "write a number and a port as in 192.0.2.1:8829 or [2001:db8::1]:8829"
    static const struct {
        const char *text;
        const char *why;
    } bad[] = {
        {"", HOW},
        {"localhost:80", HOW},
        {"127.0.0.1", HOW},
        {":80", HOW},
        {"[]:80", HOW},
        {"::1", HOW},
        {"::1:80", HOW},
        {"[::1", HOW},
        {"[::1]", HOW},
        {"[127.0.0.1]:80", HOW},
        {"127.0.0.1:x", HOW},
        {"127.0.0.1:", HOW},
        {"127.0.0.1:8x", HOW},
        {"127.0.0.1:65536", HOW},
        {"127.0.0.1:000080", HOW},
        {"127.0.0.1:-1", HOW},
        {"127.0.0.1:99999", HOW},
        {"127.0.0.1:655360", HOW},
        {"127.0.0.1:80:", HOW},
        {"[::1]x:80", HOW},
        {"x[::1]:80", HOW},
        {"[::1:80", HOW},
        {"::1]:80", HOW},
        {"[]:80", HOW},
        {"[:80", HOW},
        {"127.0.0.1 :80", HOW},
        /* one octet more than there is room for */
        {"111111111111111111111111111111111111111111111111111111111111111:80", HOW},
        {"[]:", HOW},
        {"[:", HOW},
        {":", HOW},
        {"127.0.0.1:http", HOW},
        {"1:2:3", HOW},
        {"[fe80::1]:80", "a link-local address needs its interface: write [fe80::1%eth0]"},
        {"[fe80::1%no-such-interface]:80", HOW},
        {"[2001:db8::1%lo]:80", HOW},
        {"[2001:db8::1%1]:80", "only a link-local address (fe80::/10) has an interface"},
        {"[2001:db8::1%0]:80", "only a link-local address (fe80::/10) has an interface"},
        {"[2001:db8:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:1]:80", HOW},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (http_address_parse(bad[i].text, &e) != NULL) {
            fail_msg("%s was taken", bad[i].text);
        }
        if (e.code != ERR_INPUT || strstr(e.text, bad[i].why) == NULL) {
            fail_msg("%s: %s", bad[i].text, e.text);
        }
    }
}

static void
what_is_written_is_what_comes_back(void **state)
{
    static const char *const good[] = {
        "127.0.0.1:80", "0.0.0.0:8829",    "[::]:8829", "[2001:db8::1]:8829",
        "[::1]:0",      "127.0.0.1:65535", "[::1]:1",   "[fe80::1%lo]:65535"};
    char text[HTTP_PEER_SIZE];
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct addrinfo *info = http_address_parse(good[i], &e);

        if (info == NULL) {
            fail_msg("%s: %s", good[i], e.text);
            return;
        }
        http_address_format(info->ai_addr, text);
        assert_string_equal(text, good[i]);
        freeaddrinfo(info);
    }
}

static struct http_address
count_as(const char *text)
{
    struct err e;
    struct addrinfo *info = http_address_parse(text, &e);
    struct http_address address;

    assert_non_null(info);
    address = http_address_of(info->ai_addr);
    freeaddrinfo(info);
    return address;
}

static void
one_peer_is_an_address_or_a_slash_64(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } rows[] = {
        {"192.0.2.1:1", "192.0.2.1:2", true},
        {"192.0.2.1:1", "192.0.2.2:1", false},
        {"[2001:db8:0:1::1]:1", "[2001:db8:0:1:ffff:ffff:ffff:ffff]:2", true},
        {"[2001:db8:0:1::1]:1", "[2001:db8:0:2::1]:1", false},
        {"[::ffff:192.0.2.1]:1", "192.0.2.1:9", true},
        {"[c000:201::]:1", "192.0.2.1:1", false},
        {"[::c000:201]:1", "192.0.2.1:1", false},
        {"[::ffff:192.0.2.1]:1", "192.0.2.2:9", false},
        {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.3]:1", false},
        {"192.0.2.1:1", "193.0.2.1:1", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct http_address a = count_as(rows[i].a);
        struct http_address b = count_as(rows[i].b);

        if (http_address_is_equal(&a, &b) != rows[i].equal) {
            fail_msg("%s and %s", rows[i].a, rows[i].b);
        }
        if (rows[i].equal) {
            assert_int_equal(http_address_hash(&a, 5), http_address_hash(&b, 5));
        }
    }
}

static void
what_is_no_address_of_the_internet_has_no_name(void **state)
{
    const struct sockaddr other = {.sa_family = AF_UNIX};
    struct sockaddr_in6 gone = {.sin6_family = AF_INET6,
                                .sin6_addr = {.s6_addr = {0xfe, 0x80, [15] = 1}},
                                .sin6_port = htons(80),
                                .sin6_scope_id = 0x7ffffff0}; /* no interface any more */
    const struct sockaddr_in dirty = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(0xc0000201),
                                      .sin_zero = {1, 2, 3, 4, 5, 6, 7, 8}};
    struct http_address address = http_address_of(&other);
    struct http_address plain = http_address_of((const struct sockaddr *)&dirty);
    struct http_address a = count_as("192.0.2.1:1");
    char text[HTTP_PEER_SIZE];

    (void)state;
    assert_memory_equal(plain.octets, "\xc0\0\x02\x01\0\0\0", 8); /* and nothing behind it */
    http_address_format(&other, text);
    assert_string_equal(text, "?");
    assert_int_equal(address.family, 0);
    assert_false(http_address_is_equal(&address, &a));
    http_address_format((const struct sockaddr *)&gone, text);
    assert_string_equal(text, "[fe80::1%2147483632]:80");
}

/* Computed elsewhere: SplitMix64's finalizer, twice. */
static void
a_hash_is_what_it_always_was(void **state)
{
    struct http_address a = count_as("192.0.2.1:1");
    struct http_address b = count_as("[2001:db8:0:1::1]:1");

    (void)state;
    assert_int_equal(http_address_hash(&a, 77), 0xa144cc18);
    assert_int_equal(http_address_hash(&b, 0x123456789abcdef0), 0x47dd94ab);
}

/* Addresses beside each other are far from each other. */
static void
neighbors_do_not_share_a_place(void **state)
{
    bool taken[1024] = {false};
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < 1024; i++) {
        struct http_address a = {.family = 4, .octets = {192, 0, (uint8_t)(i >> 8), (uint8_t)i}};
        uint32_t at = http_address_hash(&a, 77) % 1024;

        n += !taken[at];
        taken[at] = true;
    }
    assert_in_range(n, 560, 740); /* 1 - 1/e of them are expected */
}

static void
the_seed_decides_where_a_peer_hashes_to(void **state)
{
    struct http_address a = count_as("192.0.2.1:1");
    unsigned same = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        same += http_address_hash(&a, seed) % 1024 == http_address_hash(&a, seed + 1) % 1024;
    }
    assert_true(same < 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_a_numeric_address_with_a_port_is_refused),
        cmocka_unit_test(what_is_written_is_what_comes_back),
        cmocka_unit_test(one_peer_is_an_address_or_a_slash_64),
        cmocka_unit_test(the_seed_decides_where_a_peer_hashes_to),
        cmocka_unit_test(a_hash_is_what_it_always_was),
        cmocka_unit_test(neighbors_do_not_share_a_place),
        cmocka_unit_test(what_is_no_address_of_the_internet_has_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
