/* SPDX-License-Identifier: Apache-2.0 */
/* asked.h - what is asked with a genm, and by whom. */
#pragma once

#include "tests/unit/ra/fixture.h"

enum { CONTENT_MAX = 16 * 1024 };
/* The last arc of id-it. */
enum { SIGN_KEY_TYPES = 2, CURRENT_CRL = 6, CA_CERTS = 17, TEMPLATE = 19, ROOT = 20, CRLS = 22 };

/* References: what is registered under this one, until when. */
#define ENDS_AT_NOW "ends-now"
#define ENDED "ended"
#define OPEN "support"

/* For cmocka: *state is a struct fixture. */
int asked_setup(void **state);

/* id-it and its value: content of a genm. */
void asked_add(struct buf *infos, uint8_t arc, struct span value);
struct buf asked_genm(struct fixture *, const struct cmp_client *, struct span infos);
/* One question of the one who is registered under OPEN, judged; job_free() it. `raw` keeps its
 * octets. */
struct job *asked(struct fixture *, uint8_t arc, struct span value, struct buf *raw);

/* A CRLStatus: of a distribution point, or of an issuer; `known` 0: none is. */
struct wish {
    bool of_issuer;
    struct span name; /* GeneralName */
    time_t known;
};

struct buf asked_wishes(const struct wish *, size_t n);
/* GeneralName: directoryName, uniformResourceIdentifier. */
struct buf asked_directory(const X509_NAME *);
struct buf asked_uri(const char *text);

void asked_remove_crls(struct fixture *);
