/* SPDX-License-Identifier: Apache-2.0 */
/* Element of a batch, file of a batch, document: none of them has a signature that verified yet. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/registration/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span bytes = span_of(data, size);
    struct batch_element element;
    struct registration registration;
    struct batch_manifest manifest;
    struct err e = {0};
    CLEANUP(batch_cleanup) struct batch *batch = batch_new(bytes, &e);

    for (size_t i = 0; batch != NULL && i < batch_count(batch); i++) {
        (void)batch_check(batch, i, NULL, &e);
    }
    if (batch_element_parse(bytes, &element, &e) == 0) {
        assert(batch_is_element(bytes));
    }
    (void)registration_parse(bytes, NULL, &registration, &e);
    (void)batch_manifest_parse(bytes, &manifest, &e);
    return 0;
}
