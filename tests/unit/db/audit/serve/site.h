/* SPDX-License-Identifier: Apache-2.0 */
/* site.h - a server of pages about a record with everything in it, and who asks it. */
#pragma once

#include <pthread.h>

#include "db/audit/serve/serve.h"
#include "tests/support/history/history.h"

/* What all tests of a program are about. */
struct site_record {
    struct history h;
    struct history_told told;
    char *folder;
    char *file; /* the mirror */
    struct audit_issuers *issuers;
};
extern struct site_record site_record;

struct site {
    struct serve *serve;
    pthread_t thread;
};

/* A mirror of the first leaves of the record's ledger, or of what it has grown by. */
void site_import(const char *mirror);
/* Another one of its log, of no leaf. */
void site_mirror_new(const char *mirror);

/* Of the record's mirror, unless `options` has another one. */
void site_begin(struct site *, const struct serve_options *options);
void site_end(struct site *);

enum { SITE_LONG_S = 60 /* what comes at all has come by then */ };

/* A connection, on which `text` was said. */
int site_connect(const struct site *, const char *text);
/* One from another address of loopback that takes little at a time. */
int site_connect_slowly(const struct site *, const char *text);
/* "GET /path" */
int site_get(const struct site *, const char *path);
char *site_get_text(const struct site *, const char *path) OWNED(mem_free);
/* All that comes until it is closed; closes it, too. */
char *site_read(int fd) OWNED(mem_free);

char *site_say(const struct site *, const char *text) OWNED(mem_free);
char *site_ask(const struct site *, const char *path) OWNED(mem_free);
int site_status(const char *answer);
/* Fails the test when the answer is another one. */
void site_expect(const struct site *, const char *path, int status, const char *has);

/* For cmocka_run_group_tests(). */
int site_set_up(void **state);
int site_tear_down(void **state);
