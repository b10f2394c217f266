/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmp_show FILE: what a CMP answer says, in one line for the flow tests:
 *   ip accepted            error badMessageCheck            pollRep
 */
#include <stdio.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/cmp_client.h"

static void
show_failures(uint32_t failures)
{
    for (int bit = 0; bit < CMP_FAILURE_COUNT; bit++) {
        if ((failures >> bit & 1U) != 0) {
            (void)printf(" %s", cmp_failure_name((enum cmp_failure)bit));
        }
    }
}

static int
show_status(const struct cmp_msg *msg, struct err *e)
{
    CLEANUP(cmp_client_answer_free)
    struct cmp_client_answer answer = {.body = cmp_msg_body(msg),
                                       .certificate = BUF_INIT(CMP_MESSAGE_MAX)};

    if (cmp_client_read_body(msg, &answer, e) != 0) {
        return -1;
    }
    show_failures(answer.status.failures);
    return 0;
}

int
main(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CMP_MESSAGE_MAX);
    CLEANUP(cmp_msg_cleanup) struct cmp_msg *msg = NULL;
    struct err e = {0};

    if (argc != 2) {
        (void)fprintf(stderr, "usage: cmp_show FILE\n");
        return 2;
    }
    if (ossl_init(&e) != 0 || file_read(argv[1], &der, &e) != 0 ||
        (msg = cmp_msg_parse(buf_span(&der), CMP_MESSAGE_MAX, &e)) == NULL) {
        (void)fprintf(stderr, "cmp_show: %s\n", e.text);
        return 1;
    }
    (void)printf("%s", cmp_body_name(cmp_msg_body(msg)));
    if (show_status(msg, &e) != 0) {
        (void)fprintf(stderr, "cmp_show: %s\n", e.text);
        return 1;
    }
    (void)printf("\n");
    return 0;
}
