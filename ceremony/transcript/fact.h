/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fact.h - members of facts in and out of JSON, and the files of a bundle that facts describe.
 */
#pragma once

#include <jansson.h>

#include "base/ossl.h"
#include "ceremony/transcript/transcript.h"

enum { ARTIFACT_MAX = 16 * 1024 * 1024 };

/* For json_pack("{s:o}"): new references. */
json_t *fact_of_hex(struct span bytes);
json_t *fact_of_base64(struct span bytes);
json_t *fact_of_time(time_t);

/* "" when it is not there. Borrowed. */
const char *fact_text(const json_t *fact, const char *member);
bool fact_is(const json_t *fact, const char *member, const char *expected);
bool fact_is_true(const json_t *fact, const char *member);
/* Is the text one of the array's members? */
bool fact_has_row(const json_t *rows, const char *wanted);
/* ERR_INPUT names the member. */
int fact_number(const json_t *fact, const char *member, json_int_t *out, struct err *e);
int fact_hex(const json_t *fact, const char *member, uint8_t *out, size_t n, struct err *e);
int fact_base64(const json_t *fact, const char *member, struct buf *out, struct err *e);
int fact_time(const json_t *fact, const char *member, time_t *out, struct err *e);

/* What stands in the file of an artifact: `form` is "DER", "TEXT" (the content as it is) or the
 * label of a PEM block ("CERTIFICATE"). Appends. */
int artifact_file(const char *form, struct span content, struct buf *out, struct err *e);
