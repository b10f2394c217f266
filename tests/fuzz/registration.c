/* SPDX-License-Identifier: Apache-2.0 */
/* Element of a batch, file of a batch, documents: none of them has a signature that verified yet.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "ca/registration/batch.h"
#include "ca/registration/cancellation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct span bytes = span_of(data, size);
    struct batch_element element;
    struct registration registration;
    struct batch_manifest manifest;
    struct cancellation cancellation;
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
    if (cancellation_parse(bytes, &cancellation, &e) == 0) {
        CLEANUP(mem_cleanup) char *text = cancellation_format(&cancellation);
        struct cancellation again;

        assert(cancellation_parse(span_str(text), &again, &e) == 0);
        assert(again.time == cancellation.time);
    }
    return 0;
}
