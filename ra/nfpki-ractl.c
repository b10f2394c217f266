/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-ractl - registers network functions at a running nfpki-ra, over its local socket.
 */
#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cmd.h"
#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "ca/registration/cancellation.h"
#include "ra/ractl/ractl.h"

enum { FILE_MAX = 64 * 1024, PAGE = 1000 };

/* Asks; on failure says why and sets *status. NULL then. */
static json_t *
ask(json_t *request, int *status)
{
    struct err e;
    json_t *answer = admin_ask(ractl_socket, request, RACTL_TIMEOUT_MS, &e);

    json_decref(request);
    *status = 0;
    if (answer == NULL) {
        *status = ractl_explain(&e);
        return NULL;
    }
    if (ractl_json) {
        ractl_print_json(answer);
    }
    return answer;
}

/* Hands in what a registrar signed. */
static json_t *
ask_cms(const char *command, const char *path, int *status)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *base64 = NULL;
    struct err e;

    if (file_read(path, &cms, &e) != 0) {
        *status = ractl_complain(&e);
        return NULL;
    }
    base64 = base64_dup(buf_span(&cms));
    return ask(json_pack("{s:s, s:s}", "command", command, "cms", base64), status);
}

static int
run_register(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    int status;

    if (argc != 2) {
        return ractl_misuse(argv[0]);
    }
    answer = ask_cms("register", argv[1], &status);
    if (answer == NULL || ractl_json) {
        return status;
    }
    (void)printf("registration  %s\nnfInstanceId  %s\nproof         %s\n", ractl_text(answer, "id"),
                 ractl_text(answer, "nfInstanceId"), ractl_text(answer, "proof"));
    if (json_object_get(answer, "secret") != NULL) {
        (void)printf("reference     %s\nsecret        %s\n", ractl_text(answer, "reference"),
                     ractl_text(answer, "secret"));
        (void)fputs("The secret is shown this once.\n", stderr);
    }
    return ractl_finish();
}

struct list_options {
    const char *state;
    const char *nf;
    long limit; /* 0: all */
};

static int
parse_list(int argc, char **argv, struct list_options *o)
{
    static const struct option options[] = {
        {"state", required_argument, NULL, 's'},
        {"nf", required_argument, NULL, 'n'},
        {"limit", required_argument, NULL, 'l'},
        {NULL, 0, NULL, 0},
    };
    char *end = NULL;
    int option;

    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "s:n:l:", options, NULL)) != -1) {
        switch (option) {
        case 's':
            o->state = optarg;
            break;
        case 'n':
            o->nf = optarg;
            break;
        case 'l':
            o->limit = strtol(optarg, &end, 10);
            if (*end != '\0' || o->limit < 1) {
                return -1;
            }
            break;
        default:
            return -1;
        }
    }
    return argc == optind ? 0 : -1;
}

static void
print_rows(const json_t *rows)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        (void)printf("%-32s  %-36s  %-11s  %-9s  %lld/%lld\n", ractl_text(row, "id"),
                     ractl_text(row, "nfInstanceId"), ractl_text(row, "proof"),
                     ractl_text(row, "state"),
                     (long long)json_integer_value(json_object_get(row, "used")),
                     (long long)json_integer_value(json_object_get(row, "certificates")));
    }
}

/* One page; its "next" is where the following one begins. */
static json_t *
ask_page(const struct list_options *o, size_t have, const char *after, int *status)
{
    json_t *request = json_pack("{s:s, s:s*, s:s*, s:s*}", "command", "list", "state", o->state,
                                "nfInstanceId", o->nf, "after", after);
    struct err e;
    json_t *answer;

    if (o->limit > 0 && (size_t)o->limit - have < PAGE) {
        (void)json_object_set_new(request, "limit", json_integer(o->limit - (json_int_t)have));
    } else {
        (void)json_object_set_new(request, "limit", json_integer(PAGE));
    }
    answer = admin_ask(ractl_socket, request, RACTL_TIMEOUT_MS, &e);
    json_decref(request);
    *status = answer == NULL ? ractl_explain(&e) : 0;
    return answer;
}

static int
run_list(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *all = json_array();
    CLEANUP(mem_cleanup) char *after = NULL;
    struct list_options o = {0};
    bool more = true;
    size_t n = 0;
    int status;

    if (parse_list(argc, argv, &o) != 0) {
        return ractl_misuse(argv[0]);
    }
    while (more) {
        CLEANUP(admin_json_cleanup) json_t *page = ask_page(&o, n, after, &status);
        const json_t *rows = json_object_get(page, "registrations");
        const char *next = json_string_value(json_object_get(page, "next"));

        if (page == NULL) {
            return status;
        }
        if (ractl_json) {
            (void)json_array_extend(all, json_object_get(page, "registrations"));
        } else if (n == 0) {
            (void)printf("%-32s  %-36s  %-11s  %-9s  %s\n", "REGISTRATION", "NFINSTANCEID", "PROOF",
                         "STATE", "USED");
        }
        if (!ractl_json) {
            print_rows(rows);
        }
        n += json_array_size(rows);
        more = next != NULL && (o.limit == 0 || n < (size_t)o.limit);
        mem_free(after);
        after = next == NULL ? NULL : mem_strdup(next);
    }
    if (ractl_json) {
        CLEANUP(admin_json_cleanup)
        json_t *object = json_pack("{s:b, s:O}", "ok", 1, "registrations", all);

        ractl_print_json(object);
    }
    return ractl_finish();
}

static int
run_show(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    int status;

    if (argc != 2) {
        return ractl_misuse(argv[0]);
    }
    answer = ask(json_pack("{s:s, s:s}", "command", "show", "id", argv[1]), &status);
    if (answer != NULL && !ractl_json) {
        ractl_print_json(answer);
        return ractl_finish();
    }
    return status;
}

/* Asks nobody: it is for whoever has the registrar's key. */
static int
run_cancellation(int argc, char **argv)
{
    struct cancellation c = {.time = clock_now()};
    uint8_t id[(REGISTRATION_ID_SIZE - 1) / 2];
    CLEANUP(mem_cleanup) char *text = NULL;
    struct err e;

    if (argc != 2) {
        return ractl_misuse(argv[0]);
    }
    if (hex_parse(argv[1], id, sizeof(id), &e) != 0) {
        (void)err_set(&e, ERR_INPUT, "%.64s: not the 32 hexadecimal digits of a registration",
                      argv[1]);
        return ractl_complain(&e);
    }
    hex_format(span_of(id, sizeof(id)), c.registration);
    text = cancellation_format(&c);
    (void)fputs(text, stdout);
    return ractl_finish();
}

static int
run_cancel(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    int status;

    if (argc != 2) {
        return ractl_misuse(argv[0]);
    }
    answer = ask_cms("cancel", argv[1], &status);
    if (answer != NULL && !ractl_json) {
        (void)printf("cancelled %s\n", ractl_text(answer, "id"));
        return ractl_finish();
    }
    return status;
}

static const struct cmd commands[] = {
    {"register", "FILE", "register a network function from a signed registration (CMS)",
     run_register},
    {"manifest", "[--profiles FILE] FILE",
     "what a registrar signs of a file with one registration on each line", ractl_manifest},
    {"import", "[--secrets FILE] MANIFEST FILE",
     "register all of FILE, whose MANIFEST was signed (CMS)", ractl_import},
    {"bundle",
     "[--client CLIENT] [--profile PROFILE] "
     "([--revocation] [--output DIR] REGISTRATION | --all --output DIR [--secrets FILE])",
     "what the client of a network function needs to enrol and renew; --all: of all that are open",
     ractl_bundle},
    {"list", "[--state STATE] [--nf UUID] [--limit N]",
     "registrations, newest first; STATE: open, used, expired or cancelled", run_list},
    {"show", "REGISTRATION", "one registration with its content", run_show},
    {"cancellation", "REGISTRATION", "what a registrar signs to close a registration",
     run_cancellation},
    {"cancel", "FILE",
     "close a registration by a signed cancellation (CMS), revoke what is live under it",
     run_cancel},
    {"export-certificates", "[--since TIME] --output FILE",
     "the certificates that this RA has, for a CA that lost its record of them",
     ractl_export_certificates},
    {"status", "", "whether ra.db is sealed, what was looked at of it, what waits for the CA",
     ractl_status},
};

static const struct program program = {
    .name = "nfpki-ractl",
    .summary = "registers network functions at nfpki-ra",
    .options = "[--socket PATH] [--json]",
    .commands = commands,
    .n_commands = ARRAY_LEN(commands),
};

/* --json may stand behind the command too; returns how many arguments are left. */
static int
take_json(int argc, char **argv)
{
    int n = 0;

    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            ractl_json = true;
        } else {
            argv[n++] = argv[i];
        }
    }
    argv[n] = NULL; /* argv[argc] was */
    return n;
}

/* One-time secrets pass through: what import shows, what a batch of bundles is made with. */
static void
wiping_free(void *p)
{
    if (p != NULL) {
        OPENSSL_cleanse(p, malloc_usable_size(p));
        free(p);
    }
}

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

    json_set_alloc_funcs(malloc, wiping_free);
    ractl_begin(&program);
    while ((c = getopt_long(argc, argv, "+s:jhV", options, NULL)) != -1) {
        switch (c) {
        case 's':
            ractl_socket = optarg;
            break;
        case 'j':
            ractl_json = true;
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
    return cmd_run(&program, take_json(argc - optind, argv + optind), argv + optind);
}
