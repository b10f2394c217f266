/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - one JSON object per line on stderr. Only programs log; libraries return a reason.
 *
 * Nothing secret is ever logged. Text from a peer is escaped. Thread-safe: a line is one write(2).
 */
#pragma once

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Names the program in every line that follows; `program` must outlive all logging. */
void log_open(const char *program, enum log_level least);

/* {"time":"2026-11-23T20:00:00.123Z","level":"info","program":"nfpki-ca","pid":1,"event":"issued",
 *  "text":"..."}; a line holds at most 2 KiB of text. `event` is a fixed kebab-case word. */
void log_event(enum log_level level, const char *event, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As log_event, with the reason: its code in "code" and its text behind the formatted text. */
void log_err(enum log_level level, const char *event, const struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
