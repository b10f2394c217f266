/* SPDX-License-Identifier: Apache-2.0 */
/*
 * renewal.h - one renewal of a certificate at a time, and what becomes of the next request
 * for it: an answer may get lost, a network function may not want what it got.
 *
 * A newer kur (by its messageTime, which its holder signed) for the same key gets the same
 * certificate again; any other newer request takes the place of what was not confirmed. What comes
 * to nothing (rejected, not confirmed in time, replaced) is revoked, so that is limited here; for
 * initial certificates their number is the limit, and retry.c.
 */
#pragma once

#include "db/issuance/issuance.h"

/* So many renewals under a registration may come to nothing within so long, until the next one must
 * wait. */
enum { ISSUANCE_UNWANTED_MAX = 3, ISSUANCE_UNWANTED_S = 3600 };

/* The renewal of a certificate that is there already. */
struct issuance_former {
    uint8_t rid[ISSUANCE_RID_SIZE];
    uint8_t serial[ISSUANCE_SERIAL_SIZE];
    enum issuance_state state;
    enum issuance_confirm confirm;
    bool is_update;
    bool revoked;
    char registration[ISSUANCE_ID_SIZE];
    time_t created;
    time_t message_time; /* of the newest request that it is the answer to; 0: not said */
};
/* Of the certificate with this serial number, unless it came to nothing. */
int issuance_former_find(struct store_db *, struct span serial, struct issuance_former *out,
                         bool *found, struct err *e);
/* 0, or until when no certificate of this registration is renewed, because too many renewals came
 * to nothing. */
int issuance_renewal_waits(struct store_db *, const char *registration, time_t now, time_t *until,
                           struct err *e);
