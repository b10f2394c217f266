/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cactl/cactl.h"

#include <stdio.h>

#include "base/cmd.h"
#include "ca/link/admin.h"

enum { TIMEOUT_MS = 120 * 1000 };

static const char *socket_path = "/run/nfpki/ca-admin.sock";
static const struct program *program;

void
cactl_begin(const struct program *commands)
{
    program = commands;
}

void
cactl_use_socket(const char *path)
{
    socket_path = path;
}

int
cactl_fail(const struct err *e)
{
    (void)fprintf(stderr, "nfpki-cactl: %s\n", e->text);
    return err_exit_status(e->code);
}

int
cactl_misuse(const char *command)
{
    return cmd_misuse(program, command);
}

json_t *
cactl_ask(json_t *request, int *status)
{
    struct err e = {0};
    json_t *answer = admin_ask(socket_path, request, TIMEOUT_MS, &e);

    json_decref(request);
    *status = answer == NULL ? cactl_fail(&e) : 0;
    return answer;
}

int
cactl_print_answer(json_t *request)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    int status;

    answer = cactl_ask(request, &status);
    if (answer != NULL) {
        (void)json_object_del(answer, "ok");
        (void)json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        (void)printf("\n");
    }
    return status;
}
