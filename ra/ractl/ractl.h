/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ractl.h - what the subcommands of nfpki-ractl share. Private to nfpki-ractl.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/cmd.h"
#include "base/err.h"

enum { RACTL_TIMEOUT_MS = 30000 };

/* Before all others: whose usage ractl_misuse() prints. */
void ractl_begin(const struct program *);
/* "usage: ..." of that command; 2. */
int ractl_misuse(const char *command);

extern const char *ractl_socket;
extern bool ractl_json; /* --json */

/* The reason on stderr; returns the exit status. */
int ractl_complain(const struct err *);
/* The same for what admin_ask() says. */
int ractl_explain(struct err *);
/* A text member; "-" when it is not there. */
const char *ractl_text(const json_t *object, const char *member);
/* One JSON object on stdout. */
void ractl_print_json(const json_t *);
/* 0 when everything went to stdout. */
int ractl_finish(void);

/* import.c */
int ractl_manifest(int argc, char **argv);
int ractl_import(int argc, char **argv);

/* certificates.c */
int ractl_export_certificates(int argc, char **argv);

/* status.c */
int ractl_status(int argc, char **argv);

/* bundle.c */
int ractl_bundle(int argc, char **argv);
