/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/tap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/support/test.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

static struct {
    int fd; /* a memfd; as standard error it is only appended to */
    int real;
    off_t mark;
} tap = {.fd = -1, .real = -1};

static void
show(off_t from)
{
    char octets[4096];
    ssize_t n;

    while ((n = pread(tap.fd, octets, sizeof(octets), from)) > 0) {
        if (write(tap.real, octets, (size_t)n) != n) {
            return;
        }
        from += n;
    }
}

static void
show_all(void)
{
    show(0);
}

void
tap_open(void)
{
    tap.fd = memfd_create("tap", MFD_CLOEXEC);
    tap.real = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    if (tap.fd < 0 || tap.real < 0 || fcntl(tap.fd, F_SETFL, O_APPEND) != 0 ||
        dup2(tap.fd, STDERR_FILENO) < 0 || atexit(show_all) != 0) {
        abort();
    }
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_set_report_fd((void *)(intptr_t)tap.real);
#endif
}

void
tap_mark(void)
{
    struct stat st;

    if (fstat(tap.fd, &st) != 0) {
        abort();
    }
    tap.mark = st.st_size;
}

size_t
tap_count(const char *text)
{
    struct stat st;
    CLEANUP(mem_cleanup) char *all = NULL;
    size_t found = 0;
    size_t n;

    if (fstat(tap.fd, &st) != 0) {
        abort();
    }
    n = (size_t)(st.st_size - tap.mark);
    all = mem_zalloc(n + 1, 1);
    if (pread(tap.fd, all, n, tap.mark) != (ssize_t)n) {
        abort();
    }
    for (const char *p = strstr(all, text); p != NULL; p = strstr(p + 1, text)) {
        found++;
    }
    return found;
}

bool
tap_has(const char *text)
{
    return tap_count(text) > 0;
}

void
tap_need(const char *text)
{
    if (!tap_has(text)) {
        fail_msg("nothing says \"%s\"", text);
    }
}
