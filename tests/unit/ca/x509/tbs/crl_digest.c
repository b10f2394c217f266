/* SPDX-License-Identifier: Apache-2.0 */
/* What the record says of a CRL's entries, octet for octet as leaf.h has it. */
#include "tests/support/test.h"

#include "ca/x509/tbs/crl.h"

#include <string.h>

static void
entries_are_lines_of_serial_date_and_reason(void **state)
{
    static const struct crl_entry entries[] = {
        {.serial = {0x41, 0x02}, .serial_size = 2, .revoked_at = 1795000000, .reason = 4},
        {.serial = {0x7f, 0, 0xff}, .serial_size = 3, .revoked_at = 1795000001, .reason = 0},
    };
    static const char *const texts[] = {
        "",
        "4102 2026-11-18T11:06:40Z 4\n",
        "4102 2026-11-18T11:06:40Z 4\n7f00ff 2026-11-18T11:06:41Z 0\n",
    };

    (void)state;
    for (size_t n = 0; n <= ARRAY_LEN(entries); n++) {
        const struct crl_request request = {.entries = entries, .n_entries = n};
        uint8_t wanted[SHA256_SIZE];
        uint8_t digest[SHA256_SIZE];
        struct err e = {0};

        assert_ok(sha256(span_str(texts[n]), wanted, &e), &e);
        assert_ok(crl_digest(&request, digest, &e), &e);
        assert_memory_equal(digest, wanted, sizeof(wanted));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_lines_of_serial_date_and_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
