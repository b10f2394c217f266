/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker.h - who protects a message, and whether that is who may: whom the registration names, the
 * holder of the certificate in whose place the new one comes, who asked before.
 */
#pragma once

#include "db/audit/story/looking.h"

/* ERR_CRYPTO: it is not. */
int asker_check(const struct looking *, struct err *e);
