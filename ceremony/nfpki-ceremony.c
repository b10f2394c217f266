/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ceremony - the root key's hour: checks, rehearses and runs ceremonies. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cmd.h"
#include "base/proc.h"
#include "ceremony/run/check.h"
#include "ceremony/run/run.h"
#include "ceremony/run/self_check.h"

static const struct program program;

/* Statuses of commands are moved out of the way of cmd_run(), whose 2 means misuse. */
enum { STATUS_BASE = 64 };

static struct definition *
load(int argc, char **argv)
{
    struct definition *d;
    struct err e = {0};

    if (argc != 2) {
        (void)cmd_misuse(&program, argv[0]);
        return NULL;
    }
    d = definition_load(argv[1], &e);
    if (d == NULL) {
        (void)fprintf(stderr, "nfpki-ceremony: %s\n", e.text);
    }
    return d;
}

static int
command_check(int argc, char **argv)
{
    CLEANUP(definition_cleanup) struct definition *d = load(argc, argv);
    struct err e = {0};

    if (d == NULL) {
        return argc != 2 ? 2 : STATUS_BASE + RUN_REFUSED;
    }
    if (check_definition(d, &e) != 0) {
        (void)fprintf(stderr, "nfpki-ceremony: %s\n", e.text);
        return STATUS_BASE + RUN_REFUSED;
    }
    return STATUS_BASE + RUN_DONE;
}

static int
perform(int argc, char **argv, bool rehearsal)
{
    CLEANUP(definition_cleanup) struct definition *d = load(argc, argv);

    if (d == NULL) {
        return argc != 2 ? 2 : STATUS_BASE + RUN_REFUSED;
    }
    return STATUS_BASE + (int)run_ceremony(d, rehearsal);
}

static int
command_rehearse(int argc, char **argv)
{
    return perform(argc, argv, true);
}

static int
command_run(int argc, char **argv)
{
    return perform(argc, argv, false);
}

static const struct cmd commands[] = {
    {"check", "DEFINITION", "read the definition, lint what it would sign, print the steps",
     command_check},
    {"rehearse", "DEFINITION", "go through it on SoftHSM, marked as no production",
     command_rehearse},
    {"run", "DEFINITION", "the ceremony, at a terminal", command_run},
};

static const struct program program = {
    .name = "nfpki-ceremony",
    .summary = "Makes the root, the issuing CA's certificate and the root's CRL in recorded "
               "ceremonies.",
    .options = "",
    .commands = commands,
    .n_commands = ARRAY_LEN(commands),
};

/* _exit: some modules crash in their destructors, and a sealed ceremony must not end as a failure.
 */
static _Noreturn void
leave(int status)
{
    (void)fflush(NULL);
    _exit(status);
}

int
main(int argc, char **argv)
{
    struct err e = {0};
    int status;

    if (proc_harden(&e) != 0 || ossl_init(&e) != 0) {
        (void)fprintf(stderr, "nfpki-ceremony: %s\n", e.text);
        return RUN_REFUSED;
    }
    if (argc == 2 && strcmp(argv[1], "--self-check") == 0) {
        leave(self_check_main());
    }
    status = cmd_run(&program, argc - 1, argv + 1);
    if (status >= STATUS_BASE) {
        leave(status - STATUS_BASE);
    }
    leave(status == 2 ? RUN_MISUSE : status);
}
