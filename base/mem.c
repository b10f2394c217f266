/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
must(void *p)
{
    if (p == NULL) {
        abort();
    }
    return p;
}

void
mem_free(void *p)
{
    free(p);
}

void *
mem_zalloc(size_t count, size_t size)
{
    return must(calloc(count == 0 ? 1 : count, size == 0 ? 1 : size));
}

void *
mem_new(size_t size)
{
    return mem_zalloc(1, size);
}

void *
mem_dup(const void *p, size_t size)
{
    void *copy = mem_new(size);

    if (size > 0) {
        memcpy(copy, p, size);
    }
    return copy;
}

char *
mem_strdup(const char *s)
{
    return must(strdup(s));
}

char *
mem_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return must(n < 0 ? NULL : text);
}

void *
mem_grow(void *array, size_t *capacity, size_t wanted, size_t size)
{
    size_t next = *capacity == 0 ? 8 : *capacity;
    void *larger;

    if (wanted <= *capacity) {
        return array;
    }
    while (next < wanted) {
        if (next > SIZE_MAX / 2) {
            abort();
        }
        next *= 2;
    }
    larger = mem_zalloc(next, size);
    if (*capacity > 0) {
        memcpy(larger, array, *capacity * size);
    }
    free(array);
    *capacity = next;
    return larger;
}

void
mem_cleanup(void *pointer_to_pointer)
{
    void *p;

    memcpy(&p, pointer_to_pointer, sizeof(p));
    free(p);
}

void
mem_remove(void *array, size_t *n, void *element, size_t size)
{
    uint8_t *at = element;
    const uint8_t *end = (const uint8_t *)array + *n * size;

    memmove(at, at + size, (size_t)(end - at) - size);
    (*n)--;
}
