/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-ractl - registers network functions at a running nfpki-ra, over its local socket.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cmd.h"
#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"

enum { FILE_MAX = 64 * 1024, TIMEOUT_MS = 30000 };

static const struct program program;
static const char *socket_path = "/run/nfpki-ra/admin.sock";
static bool as_json;

static int
complain(const struct err *e)
{
    (void)fprintf(stderr, "nfpki-ractl: %s\n", e->text);
    return err_exit_status(e->code);
}

static const char *
text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value != NULL ? value : "-";
}

/* Asks; on failure says why and sets *status. NULL then. */
static json_t *
ask(json_t *request, int *status)
{
    struct err e;
    json_t *answer = admin_ask(socket_path, request, TIMEOUT_MS, &e);

    json_decref(request);
    *status = 0;
    if (answer == NULL) {
        if (e.code == ERR_IO) {
            (void)err_wrap(&e, "is nfpki-ra running, and is this its admin_socket?");
        }
        *status = complain(&e);
        return NULL;
    }
    if (as_json) {
        (void)json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        (void)putchar('\n');
    }
    return answer;
}

static int
finish(void)
{
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}

static int
run_register(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *base64 = NULL;
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    struct err e;
    int status;

    if (argc != 2) {
        return cmd_misuse(&program, argv[0]);
    }
    if (file_read(argv[1], &cms, &e) != 0) {
        return complain(&e);
    }
    base64 = base64_dup(buf_span(&cms));
    answer = ask(json_pack("{s:s, s:s}", "command", "register", "cms", base64), &status);
    if (answer == NULL || as_json) {
        return status;
    }
    (void)printf("registration  %s\nnfInstanceId  %s\nproof         %s\n", text(answer, "id"),
                 text(answer, "nfInstanceId"), text(answer, "proof"));
    if (json_object_get(answer, "secret") != NULL) {
        (void)printf("reference     %s\nsecret        %s\n", text(answer, "reference"),
                     text(answer, "secret"));
        (void)fputs("The secret is shown this once.\n", stderr);
    }
    return finish();
}

static int
run_list(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    const json_t *row;
    size_t i;
    int status;

    if (argc != 1) {
        return cmd_misuse(&program, argv[0]);
    }
    answer = ask(json_pack("{s:s}", "command", "list"), &status);
    if (answer == NULL || as_json) {
        return status;
    }
    (void)printf("%-32s  %-36s  %-11s  %-9s  %s\n", "REGISTRATION", "NFINSTANCEID", "PROOF",
                 "STATE", "USED");
    json_array_foreach(json_object_get(answer, "registrations"), i, row)
    {
        (void)printf("%-32s  %-36s  %-11s  %-9s  %lld/%lld\n", text(row, "id"),
                     text(row, "nfInstanceId"), text(row, "proof"), text(row, "state"),
                     (long long)json_integer_value(json_object_get(row, "used")),
                     (long long)json_integer_value(json_object_get(row, "certificates")));
    }
    return finish();
}

static int
run_show(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    int status;

    if (argc != 2) {
        return cmd_misuse(&program, argv[0]);
    }
    answer = ask(json_pack("{s:s, s:s}", "command", "show", "id", argv[1]), &status);
    if (answer != NULL && !as_json) {
        (void)json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        (void)putchar('\n');
        return finish();
    }
    return status;
}

static int
run_cancel(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    int status;

    if (argc != 2) {
        return cmd_misuse(&program, argv[0]);
    }
    answer = ask(json_pack("{s:s, s:s}", "command", "cancel", "id", argv[1]), &status);
    if (answer != NULL && !as_json) {
        (void)printf("cancelled %s\n", text(answer, "id"));
        return finish();
    }
    return status;
}

static const struct cmd commands[] = {
    {"register", "FILE", "register a network function from a signed registration (CMS)",
     run_register},
    {"list", "", "all registrations, newest first", run_list},
    {"show", "REGISTRATION", "one registration with its content", run_show},
    {"cancel", "REGISTRATION", "no further certificate under this registration", run_cancel},
};

static const struct program program = {
    .name = "nfpki-ractl",
    .summary = "registers network functions at nfpki-ra",
    .options = "[--socket PATH] [--json]",
    .commands = commands,
    .n_commands = ARRAY_LEN(commands),
};

int
main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    static char help_text[] = "--help";
    static char version_text[] = "--version";
    char *help[] = {help_text, NULL};
    char *version[] = {version_text, NULL};
    int c;

    while ((c = getopt_long(argc, argv, "s:jhV", options, NULL)) != -1) {
        switch (c) {
        case 's':
            socket_path = optarg;
            break;
        case 'j':
            as_json = true;
            break;
        case 'h':
            return cmd_run(&program, 1, help);
        case 'V':
            return cmd_run(&program, 1, version);
        default:
            cmd_usage(&program, stderr);
            return 2;
        }
    }
    return cmd_run(&program, argc - optind, argv + optind);
}
