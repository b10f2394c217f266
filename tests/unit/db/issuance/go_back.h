/* SPDX-License-Identifier: Apache-2.0 */
/* go_back.h - SQL that makes a ca.db of today one of an earlier migration. */
#pragma once

/* What migration 33 takes away and adds. */
#define GO_BACK_TO_32                                                                              \
    "CREATE INDEX certificate_nf ON certificate (nf_instance) WHERE nf_instance IS NOT NULL;"      \
    "CREATE INDEX request_initial ON request (registration, profile, leaf)"                        \
    " WHERE renews IS NULL AND state IN (1, 3, 4);"                                                \
    "CREATE INDEX confirmation_request ON confirmation (request);"                                 \
    "DROP INDEX confirmation_leaf; PRAGMA user_version = 32;"
