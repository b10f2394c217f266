/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - the sections of a definition file, each into its part of the definition. */
#pragma once

#include "ceremony/definition/value.h"

int definition_people(struct reader *, struct err *e);
int definition_token(struct reader *, struct err *e);
int definition_keys(struct reader *, struct err *e);
int definition_secrets(struct reader *, struct err *e);
int definition_certificate(struct reader *, struct err *e);
int definition_csr(struct reader *, struct err *e);
int definition_crl(struct reader *, struct err *e);
