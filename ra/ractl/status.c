/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ractl status: how the RA is, for people; --json for programs. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ca/link/admin.h"
#include "ra/ractl/ractl.h"

static int64_t
number(const json_t *object, const char *member)
{
    return json_integer_value(json_object_get(object, member));
}

static void
print_pages(const json_t *seals, const json_t *scrub)
{
    (void)printf("ra.db      %s, %" PRId64 " pages\n", ractl_text(seals, "state"),
                 number(seals, "pages"));
    if (json_is_string(json_object_get(scrub, "begun"))) {
        (void)printf("scrub      %" PRId64 " pages seen since %s\n", number(scrub, "seen"),
                     ractl_text(scrub, "begun"));
    } else {
        (void)printf("scrub      at rest\n");
    }
    if (json_is_string(json_object_get(scrub, "lastEnded"))) {
        (void)printf("last pass  %" PRId64 " pages, ended %s, %" PRId64 " s ago\n",
                     number(scrub, "lastSeen"), ractl_text(scrub, "lastEnded"),
                     number(scrub, "lastAge"));
    } else {
        (void)printf("last pass  none since the start\n");
    }
}

static void
print_signers(const json_t *signers)
{
    const json_t *s;
    size_t i;

    json_array_foreach(signers, i, s)
    {
        (void)printf("signer     %s: %s, %" PRId64 " attempts, %" PRId64 " signatures, %" PRId64
                     " wait\n",
                     ractl_text(s, "name"), json_is_true(json_object_get(s, "up")) ? "up" : "away",
                     number(s, "attempts"), number(s, "signatures"), number(s, "waiting"));
    }
}

int
ractl_status(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *request = json_pack("{s:s}", "command", "status");
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    const json_t *queue;
    const json_t *link;
    struct err e;

    if (argc != 1) {
        return ractl_misuse(argv[0]);
    }
    answer = admin_ask(ractl_socket, request, RACTL_TIMEOUT_MS, &e);
    if (answer == NULL) {
        return ractl_explain(&e);
    }
    if (ractl_json) {
        ractl_print_json(answer);
        return ractl_finish();
    }
    queue = json_object_get(answer, "queue");
    link = json_object_get(answer, "link");
    (void)printf("version    %s\n", ractl_text(answer, "version"));
    print_pages(json_object_get(answer, "seals"), json_object_get(answer, "scrub"));
    (void)printf("queue      %" PRId64 " requests and %" PRId64 " cancellations wait for the CA\n",
                 number(queue, "open"), number(queue, "cancellations"));
    (void)printf("CA         %s since %s\n", ractl_text(link, "state"), ractl_text(link, "since"));
    print_signers(json_object_get(answer, "signers"));
    (void)printf("requests   %" PRId64 " under way\n", number(answer, "jobs"));
    return ractl_finish();
}
