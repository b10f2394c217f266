/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transcript.h - the record of a ceremony: one file of lines, each chained to the one before.
 *
 *   header LF                   {"format":"nfpki-ceremony-1","id":..,"definition":hex,...}
 *   A TAB B LF                  record 1, 2, 3 ...
 *   A = {"n":1,"t":"2026-11-23T20:00:00Z","up":12345,"lvl":20,"leaf":hex,"prev":hex}
 *   B = {"salt":hex,"fact":{"type":"host",...}}
 *   leaf = SHA-256(00 || B), head(n) = SHA-256(01 || A(n)), prev(n) = head(n-1),
 *   prev(1) = SHA-256(02 || header)
 *
 * The exact octets are hashed, so no canonical form of JSON is needed; a B can be blacked out in a
 * public copy and every hash stays. Never recorded: a PIN, a secret, or a digest of one.
 */
#pragma once

#include <jansson.h>

#include "base/ossl.h"

#define TRANSCRIPT_FORMAT "nfpki-ceremony-1"

enum {
    TRANSCRIPT_MAX = 64 * 1024 * 1024, /* octets of the file */
    TRANSCRIPT_LINE_MAX = 16 * 1024 * 1024,
    TRANSCRIPT_RECORDS_MAX = 100000,
    LEVEL_DETAIL = 10,
    LEVEL_NORMAL = 20,
    LEVEL_ATTENTION = 30, /* failures, deviations */
};

DEFINE_CLEANUP(json_cleanup, json_t, json_decref)

/* ---- writing */

struct recorder;
void recorder_close(struct recorder *);
/* Creates `path` (ERR_CONFLICT when it is there) with the header line, durable on return. */
struct recorder *recorder_open(const char *path, const json_t *header, struct err *e)
    OWNED(recorder_close);
DEFINE_CLEANUP(recorder_cleanup, struct recorder, recorder_close)

/* Appends one record, durable on return. `fact` is taken over, also on failure; it must be an
 * object with a string "type" (NULL, from a failed json_pack, is a bug). */
int recorder_add(struct recorder *, int level, json_t *fact, struct err *e);
/* head(n) of the last record. */
void recorder_head(const struct recorder *, uint8_t out[SHA256_SIZE]);

/* ---- reading */

struct record {
    size_t line; /* in the file, from 1; the header is line 1 */
    time_t time;
    int64_t up; /* seconds since the machine started */
    const json_t *fact;
    const char *type;
};

struct transcript;
void transcript_free(struct transcript *);
/* Reads and checks every hash, the numbering, that `up` never goes back, and that the file ends
 * with a whole line. ERR_INPUT "path:line: what". */
struct transcript *transcript_load(const char *path, struct err *e) OWNED(transcript_free);
DEFINE_CLEANUP(transcript_cleanup, struct transcript, transcript_free)

const char *transcript_path(const struct transcript *);
const json_t *transcript_header(const struct transcript *);
size_t transcript_count(const struct transcript *);
const struct record *transcript_at(const struct transcript *, size_t i);
void transcript_head(const struct transcript *, uint8_t out[SHA256_SIZE]);
/* Of the whole file, as it was read. */
void transcript_file_hash(const struct transcript *, uint8_t out[SHA256_SIZE]);
