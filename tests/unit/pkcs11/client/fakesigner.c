/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signer that says what a test wants: it is started as nfpki-signer is, and takes what it does
 * from the file that its policy would be in, line by line:
 *   send HEX  a frame with these octets
 *   raw HEX   these octets as they are
 *   read      waits for one frame
 *   stay      until the parent closes, then ends
 *   until X   waits until the file X beside its own is there
 *   tell X    makes the file X beside its own
 *   expect X  ends at once when its arguments do not contain X
 * Behind the last line it ends.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

enum { PARENT_FD = 3, OCTETS_MAX = 8192, FRAME_MAX = 20 * 1024 * 1024, TIMEOUT_MS = 60000 };

static bool
has_argument(int argc, char **argv, const char *wanted)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], wanted) == 0) {
            return true;
        }
    }
    return false;
}

static int
send_octets(const char *hex, bool frame, struct err *e)
{
    static uint8_t octets[OCTETS_MAX];
    size_t n = strlen(hex) / 2;

    if (n > sizeof(octets) || hex_parse(hex, octets, n, e) != 0) {
        return -1;
    }
    if (frame) {
        return frame_write(PARENT_FD, span_of(octets, n), TIMEOUT_MS, e);
    }
    return write(PARENT_FD, octets, n) == (ssize_t)n ? 0 : -1;
}

static char *
beside(const char *script, const char *name)
{
    const char *slash = strrchr(script, '/');

    return mem_printf("%.*s/%s", slash == NULL ? 0 : (int)(slash - script), script, name);
}

static int
wait_for(const char *script, const char *name)
{
    CLEANUP(mem_cleanup) char *path = beside(script, name);

    while (access(path, F_OK) != 0) {
        (void)poll(NULL, 0, 1);
    }
    return 0;
}

static int
tell(const char *script, const char *name, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = beside(script, name);

    return file_write(path, SPAN_LITERAL(""), 0600, e);
}

static int
step(const char *line, int argc, char **argv)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(FRAME_MAX);
    struct err e = {0};

    if (strncmp(line, "send ", 5) == 0) {
        return send_octets(line + 5, true, &e);
    }
    if (strncmp(line, "raw ", 4) == 0) {
        return send_octets(line + 4, false, &e);
    }
    if (strncmp(line, "expect ", 7) == 0) {
        return has_argument(argc, argv, line + 7) ? 0 : -1;
    }
    if (strncmp(line, "until ", 6) == 0) {
        return wait_for(argv[2], line + 6);
    }
    if (strncmp(line, "tell ", 5) == 0) {
        return tell(argv[2], line + 5, &e);
    }
    if (strcmp(line, "read") == 0) {
        return frame_read(PARENT_FD, FRAME_MAX, &in, TIMEOUT_MS, &e);
    }
    while (strcmp(line, "stay") == 0) {
        buf_truncate(&in, 0);
        if (frame_read(PARENT_FD, FRAME_MAX, &in, -1, &e) != 0) {
            return -1;
        }
    }
    return -1;
}

int
main(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf script = BUF_INIT(4 * OCTETS_MAX);
    struct err e = {0};
    char *rest;
    char *line;

    if (argc < 3 || file_read(argv[2], &script, &e) != 0 ||
        buf_append(&script, span_of("", 1), &e) != 0) {
        return 1;
    }
    rest = (char *)script.p;
    while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0') {
        if (step(line, argc, argv) != 0) {
            return 1;
        }
    }
    return 0;
}
