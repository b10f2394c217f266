/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/x509/lint/scene.h"

#include <string.h>

#include "tests/support/test.h"

struct pki *scene_pki;
EVP_PKEY *scene_key;

struct buf scene_spki;

int
scene_make(void **state)
{
    (void)state;
    scene_pki = pki_new("P-384", "P-256");
    scene_key = pki_key("P-256");
    scene_spki = pki_spki(scene_key);
    return 0;
}

int
scene_drop(void **state)
{
    (void)state;
    pki_free(scene_pki);
    EVP_PKEY_free(scene_key);
    buf_free(&scene_spki);
    return 0;
}

void
scene_expect(struct span tbs, const struct tbs_request *request, const char *field, const char *row)
{
    CLEANUP(mem_cleanup) char *prefix = mem_printf("lint: %s", field);
    struct err e = {0};

    if (lint_tbs(tbs, request, &e) == 0) {
        fail_msg("%s: passed", row);
    }
    if (e.code != ERR_DENIED || strncmp(e.text, prefix, strlen(prefix)) != 0) {
        fail_msg("%s: %s: \"%s\" where %s was changed", row, err_code_name(e.code), e.text, field);
    }
}
