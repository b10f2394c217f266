/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print_leaf.h - what all that is printed for people is made of. Text from the ledger is
 * escaped (out/escape.h).
 */
#pragma once

#include <stdio.h>

#include "db/audit/files.h"
#include "db/ledger/messages.h"

/* A new line below what a leaf says. */
#define PRINT_BELOW "\n               "

void print_text(FILE *, const char *);
/* What an answer rests on. Borrowed. */
struct basis {
    const struct checkpoint *checkpoint;
    const struct log_key *key;
    bool given;       /* by somebody; else it is what the ledger itself said */
    int64_t cosigned; /* leaves that witnesses have cosigned (mirror.h); -1: nobody asked */
};

/* "  label        text" */
void print_line(FILE *, const char *label, const char *text);
/* By its id; and whether somebody gave it. */
void print_key(FILE *, const uint8_t id[LOG_KEY_ID], bool given);
/* How many messages leaves name, and where they are; nothing when there are none. */
void print_messages(FILE *, const struct message_count *);
/* The log, its size, its root and the key that all rests on. */
void print_basis(FILE *, const struct basis *);
void print_checkpoint(FILE *, const struct audit_log *);

/* "issued" */
const char *print_fact_name(enum leaf_kind);
/* What a leaf says; the serial only where the story is not about one certificate. */
void print_facts(FILE *, const struct leaf *, bool serial);
/* What an ISSUED leaf has, its status (NULL: nobody knows) first. */
int print_certificate(FILE *, const struct leaf *issued, const char *status, struct err *e);
