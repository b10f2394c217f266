/* SPDX-License-Identifier: Apache-2.0 */
/* officer.h - a certificate for a process or a person of ours, that an officer asks for. Private to
 * nfpki-ca. */
#pragma once

#include "ca/request/kind/request.h"

/* Its kind is kind_officer, and this is asked for; copied. */
void request_be_officers(struct request *, const char *profile, const char *common_name, int days);
