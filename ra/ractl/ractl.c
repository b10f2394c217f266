/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/ractl/ractl.h"

#include <stdio.h>

const char *ractl_socket = "/run/nfpki-ra/admin.sock";
bool ractl_json;

static const struct program *program;

void
ractl_begin(const struct program *commands)
{
    program = commands;
}

int
ractl_misuse(const char *command)
{
    return cmd_misuse(program, command);
}

int
ractl_complain(const struct err *e)
{
    (void)fprintf(stderr, "nfpki-ractl: %s\n", e->text);
    return err_exit_status(e->code);
}

const char *
ractl_text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value != NULL ? value : "-";
}

/* Why the daemon gave no answer, or what it has against it. */
int
ractl_explain(struct err *e)
{
    if (e->code == ERR_IO) {
        (void)err_wrap(e, "is nfpki-ra running, and is this its admin_socket?");
    }
    return ractl_complain(e);
}

void
ractl_print_json(const json_t *object)
{
    (void)json_dumpf(object, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    (void)putchar('\n');
}

int
ractl_finish(void)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
