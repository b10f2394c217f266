/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.h - what rules must remember of the leaves so far, as JSON, so that another run goes on
 * behind them. Each module has one function for both ways, so what is saved is what is loaded:
 *
 *   void
 *   audit_x_state(struct audit_x *x, struct state *s)
 *   {
 *       state_int(s, "version", &x->version);
 *       x->all = state_list(s, "all", x->all, &x->n, &x->capacity, sizeof(*x->all), one_state);
 *   }
 *
 * What does not load as it was saved makes the state unusable, and *bad says so at the end; the
 * leaves are still there to be read again.
 */
#pragma once

#include <jansson.h>
#include <time.h>

#include "base/buf.h"

struct state {
    json_t *at;
    bool saves; /* else it loads */
    bool *bad;
};

/* An object within; the other functions are for what it has. */
struct state state_object(struct state *, const char *name);
void state_bool(struct state *, const char *name, bool *);
void state_int(struct state *, const char *name, int64_t *);
void state_size(struct state *, const char *name, size_t *);
void state_number(struct state *, const char *name, uint64_t *);
void state_time(struct state *, const char *name, time_t *);
/* Owned; NULL stays NULL. */
void state_text(struct state *, const char *name, char **);
/* Text in an array of `size`. */
void state_chars(struct state *, const char *name, char *out, size_t size);
void state_octets(struct state *, const char *name, uint8_t *, size_t n);
/* Owned octets; none when empty. */
void state_buf(struct state *, const char *name, struct buf *, size_t max);
/* An array that mem_grow() made, of *n elements of `size`: what it is then. */
typedef void state_one(void *element, struct state *);
void *state_list(struct state *, const char *name, void *array, size_t *n, size_t *capacity,
                 size_t size, state_one *one);
/* For what is no array: so many elements, each by itself. */
size_t state_length(struct state *, const char *name, size_t n);
struct state state_element(struct state *, const char *name, size_t i);
void state_spoil(struct state *);
