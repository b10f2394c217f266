/* SPDX-License-Identifier: Apache-2.0 */
/* asking.h - an RA whose CA does as it is told, and what its administrators ask. */
#pragma once

#include "tests/unit/ra/running.h"

#define NO_ID "00000000000000000000000000000000"

/* What the CA does. */
struct asking_ca {
    enum link_type silent; /* to this */
    enum link_type busy;
    enum link_type refused;
    const char *role; /* NULL: the right one */
    unsigned fail_info;
};
extern struct asking_ca asking_ca;
/* Before each test: all of it is right again, and nothing is known of its roles. */
int asking_reset(void **state);

/* The command with what was signed. */
json_t *asking_with_cms(const char *command, struct span cms);
/* Takes the request; the answer is the caller's. */
json_t *asking_is_taken(struct running *, json_t *request);
void asking_is_refused(struct running *, json_t *request, enum err_code, const char *why);
/* Of a cancellation that a registrar signed. */
void asking_cancels_in_vain(struct running *, const char *id, enum err_code, const char *why);

/* What its database says of this registration. */
int64_t asking_column(struct running *, const char *sql, const char *id);
int64_t asking_is_closed(struct running *, const char *id);
