/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem.h - ownership, written in the type and checked by the compiler.
 *
 *   struct csr *csr_parse(...) OWNED(csr_free);         the caller owns what comes back
 *   CLEANUP(csr_cleanup) struct csr *csr = ...;         released on every way out
 *   return TAKE(csr);                                   or handed over
 *
 * Running out of memory aborts: sizes that come from outside are checked against a named limit
 * before anything is allocated, and the programs are made to be restarted.
 */
#pragma once

#include <stddef.h>

#if defined(__GNUC__) && !defined(__clang__)
#define OWNED(destructor) __attribute__((malloc(destructor, 1), warn_unused_result))
#else
#define OWNED(destructor) __attribute__((warn_unused_result))
#endif

#define CLEANUP(function) __attribute__((cleanup(function)))

/* The value of `variable`, which becomes NULL: its CLEANUP then has nothing to release. */
#define TAKE(variable)                                                                             \
    __extension__({                                                                                \
        __typeof__(variable) taken_ = (variable);                                                  \
        (variable) = NULL;                                                                         \
        taken_;                                                                                    \
    })

/* Defines `static void name(type **p)` for CLEANUP, which calls `destructor` when *p is not NULL.
 */
/* NOLINTBEGIN(bugprone-macro-parentheses): a type name cannot stand in parentheses */
#define DEFINE_CLEANUP(name, type, destructor)                                                     \
    __attribute__((unused)) static inline void name(type **p)                                      \
    {                                                                                              \
        if (*p != NULL) {                                                                          \
            destructor(*p);                                                                        \
            *p = NULL;                                                                             \
        }                                                                                          \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Plain free(); NULL is fine. Takes what the functions below gave. */
void mem_free(void *p);

/* Zeroed memory of `count` times `size` octets. Never NULL: aborts when there is none. Not tied to
 * mem_free, so that a constructor may give a half-built object to its own x_free. */
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* The same for one object. */
void *mem_new(size_t size) __attribute__((malloc, warn_unused_result));
void *mem_dup(const void *p, size_t size) OWNED(mem_free);
char *mem_strdup(const char *s) OWNED(mem_free);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2))) OWNED(mem_free);

/* Grows an array of `*capacity` elements of `size` octets so that `wanted` fit. Not for secrets. */
void *mem_grow(void *array, size_t *capacity, size_t wanted, size_t size)
    __attribute__((warn_unused_result));

/* For CLEANUP on a pointer from the functions above: CLEANUP(mem_cleanup) char *s = ... */
void mem_cleanup(void *pointer_to_pointer);
/* Takes `element` out of an array of `*n`; those behind it move up. What it owns is the caller's to
 * release before. */
void mem_remove(void *array, size_t *n, void *element, size_t size);
