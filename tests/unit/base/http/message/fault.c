/* SPDX-License-Identifier: Apache-2.0 */
/* The list of nfpki-ra.conf(5) and what the parser says are the same. */
#include "base/http/message/fault.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/support/test.h"

static const char page[] = TEST_SOURCE_DIR "/../ra/nfpki-ra.conf.5";

static void
the_manual_lists_each_fault_with_status_and_clause(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(256 * 1024);
    int listed = 0;
    struct err e;

    (void)state;
    assert_ok(file_read(page, &text, &e), &e);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    for (int f = HTTP_FAULT_NONE + 1; f < HTTP_FAULTS; f++) {
        CLEANUP(mem_cleanup)
        char *line = mem_printf("\n.It\n%d, %s (%s)\n", http_fault_status((enum http_fault)f),
                                http_fault_reason((enum http_fault)f),
                                http_fault_clause((enum http_fault)f));

        if (strstr((char *)text.p, line) == NULL) {
            fail_msg("not in nfpki-ra.conf(5):%s", line);
        }
    }
    for (const char *p = (char *)text.p; (p = strstr(p, "\n.It\n")) != NULL; p += 5) {
        listed += strtol(p + 5, NULL, 10) >= 400;
    }
    assert_int_equal(listed, HTTP_FAULTS - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_lists_each_fault_with_status_and_clause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
