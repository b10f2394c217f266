/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "db/audit/command/ask.h"
#include "db/audit/command/commands.h"
#include "db/audit/report/report.h"

/* A page that is not whole is none: it gets its name at the end. */
static int
page_write(const struct report *r, const char *path, struct err *e)
{
    CLEANUP(mem_cleanup) char *temporary = mem_printf("%s.new", path);
    FILE *out = fopen(temporary, "we");
    int result;

    if (out == NULL) {
        return err_errno(e, ERR_IO, errno, "%s", temporary);
    }
    result = report_page(r, out, e);
    if (fclose(out) != 0 || result != 0 || rename(temporary, path) != 0) {
        result = result != 0 ? result : err_errno(e, ERR_IO, errno, "%s", path);
        (void)unlink(temporary);
    }
    return result;
}

static int
data_write(const struct report *r, const char *folder, struct err *e)
{
    if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
        return err_errno(e, ERR_IO, errno, "%s", folder);
    }
    return report_data(r, folder, e);
}

int
report_run(int argc, char **argv)
{
    CLEANUP(mirror_cleanup) struct mirror *mirror = NULL;
    struct report r = {0};
    struct err e = {0};
    int status;

    if (ask_parse(argc, argv) != 0 || optind != argc ||
        !ask_only(ASK_HTML | ASK_DATA | ASK_AS_OF) || (asked.html == NULL && asked.data == NULL)) {
        return ask_usage("report");
    }
    if (ask_as_of(&r.now, &e) != 0) {
        return ask_misuse(e.text);
    }
    status = ask_mirror(&mirror);
    if (status != EXIT_VERIFIED) {
        return status;
    }
    r.mirror = mirror;
    r.key_is_given = ask_key_is_given(mirror);
    if ((asked.html != NULL && page_write(&r, asked.html, &e) != 0) ||
        (asked.data != NULL && data_write(&r, asked.data, &e) != 0)) {
        return ask_failed(&e);
    }
    return EXIT_VERIFIED;
}
