/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/copies.h"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

static const char *const parts[] = {"state",           "ledger",      "crl",
                                    "issuing.journal", "log.journal", "tokens"};

static void
run(const char *program, const char *option, const char *from, const char *to)
{
    CLEANUP(mem_cleanup) char *name = mem_strdup(program);
    CLEANUP(mem_cleanup) char *flag = mem_strdup(option);
    CLEANUP(mem_cleanup) char *source = mem_strdup(from);
    CLEANUP(mem_cleanup) char *target = to == NULL ? NULL : mem_strdup(to);
    char *argv[] = {name, flag, source, target, NULL};
    int status = -1;
    pid_t child;

    assert_int_equal(posix_spawnp(&child, program, NULL, NULL, argv, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

void
copies_remove(const char *path)
{
    run("rm", "-rf", path, NULL);
}

void
copy_parts(const char *from, const char *to, unsigned which)
{
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        CLEANUP(mem_cleanup) char *source = mem_printf("%s/%s", from, parts[i]);
        CLEANUP(mem_cleanup) char *target = mem_printf("%s/%s", to, parts[i]);

        if ((which & 1U << i) != 0) {
            copies_remove(target);
            run("cp", "-a", source, target);
        }
    }
}

static char *
kept_in(const struct world *w)
{
    return mem_printf("%s/kept", w->dir);
}

void
world_keep(const struct world *w)
{
    CLEANUP(mem_cleanup) char *kept = kept_in(w);

    copies_remove(kept);
    assert_int_equal(mkdir(kept, S_IRWXU), 0);
    copy_parts(w->dir, kept, STATE);
}

void
world_put_back(const struct world *w)
{
    CLEANUP(mem_cleanup) char *kept = kept_in(w);

    copy_parts(kept, w->dir, STATE);
}
