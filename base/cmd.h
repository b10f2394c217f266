/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd.h - one table per program: it parses subcommands and prints the usage and the completion.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

struct cmd {
    const char *name;     /* "register" */
    const char *synopsis; /* "[--pem] FILE" */
    const char *summary;  /* one line */
    /* argv[0] is the subcommand's name; returns the exit status; 2 means misuse. */
    int (*run)(int argc, char **argv);
};

struct program {
    const char *name;
    const char *summary;
    const char *options; /* global options before the subcommand, for the usage; may be "" */
    const struct cmd *commands;
    size_t n_commands;
};

/* Finds argv[0] in the table and runs it. No or an unknown command prints the usage on stderr and
 * returns 2; "help" and "--help" print it on stdout and return 0; "--version" prints the version;
 * "completion bash" prints a completion script made from the table. */
int cmd_run(const struct program *program, int argc, char **argv);
void cmd_usage(const struct program *program, FILE *out);
/* "usage: name command synopsis" on stderr; returns 2. */
int cmd_misuse(const struct program *program, const char *command);
