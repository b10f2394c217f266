/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/softhsm.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

void
softhsm_use(const char *dir)
{
    CLEANUP(mem_cleanup) char *conf = mem_printf("%s/softhsm2.conf", dir);
    CLEANUP(mem_cleanup) char *tokens = mem_printf("%s/tokens", dir);
    CLEANUP(mem_cleanup)
    char *text = mem_printf("directories.tokendir = %s\nobjectstore.backend = file\n"
                            "log.level = ERROR\nslots.removable = false\n",
                            tokens);
    struct err e = {0};

    if (file_mkdirs(tokens, 0700, &e) != 0 || file_write(conf, span_str(text), 0600, &e) != 0 ||
        setenv("SOFTHSM2_CONF", conf, 1) != 0) {
        (void)fprintf(stderr, "softhsm_use: %s\n", e.text);
        abort();
    }
}
