/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cmd.h"

#include <string.h>

void
cmd_usage(const struct program *program, FILE *out)
{
    (void)fprintf(out, "usage: %s %s%scommand [argument ...]\n\n%s\n\ncommands:\n", program->name,
                  program->options, program->options[0] == '\0' ? "" : " ", program->summary);
    for (size_t i = 0; i < program->n_commands; i++) {
        const struct cmd *c = &program->commands[i];

        (void)fprintf(out, "  %s %s\n      %s\n", c->name, c->synopsis, c->summary);
    }
    (void)fprintf(out, "  help\n      print this\n");
    (void)fprintf(out, "  completion bash\n      print a completion script for the shell\n");
}

int
cmd_misuse(const struct program *program, const char *command)
{
    for (size_t i = 0; i < program->n_commands; i++) {
        if (strcmp(program->commands[i].name, command) == 0) {
            (void)fprintf(stderr, "usage: %s %s %s\n", program->name, command,
                          program->commands[i].synopsis);
        }
    }
    return 2;
}

static void
completion(const struct program *program)
{
    (void)printf("complete -o default -W '");
    for (size_t i = 0; i < program->n_commands; i++) {
        (void)printf("%s ", program->commands[i].name);
    }
    (void)printf("help' %s\n", program->name);
}

int
cmd_run(const struct program *program, int argc, char **argv)
{
    if (argc < 1) {
        cmd_usage(program, stderr);
        return 2;
    }
    if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0) {
        cmd_usage(program, stdout);
        return 0;
    }
    if (strcmp(argv[0], "--version") == 0) {
        (void)printf("%s %s\n", program->name, NFPKI_VERSION);
        return 0;
    }
    if (strcmp(argv[0], "completion") == 0 && argc == 2 && strcmp(argv[1], "bash") == 0) {
        completion(program);
        return 0;
    }
    for (size_t i = 0; i < program->n_commands; i++) {
        if (strcmp(program->commands[i].name, argv[0]) == 0) {
            return program->commands[i].run(argc, argv);
        }
    }
    (void)fprintf(stderr, "%s: no such command: %s (see `%s help`)\n", program->name, argv[0],
                  program->name);
    return 2;
}
