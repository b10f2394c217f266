/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings_value.h - the kinds of values in nfpki-ra.conf(5). Errors are ERR_INPUT "file:line:
 * ...".
 */
#pragma once

#include "base/conf.h"

enum { SETTINGS_LIST_MAX = 16 };

struct settings_list {
    char *items[SETTINGS_LIST_MAX]; /* owned */
    size_t n;
};

void settings_list_clear(struct settings_list *);
/* Every value of a list; none may be empty. With `paths` relative ones are taken from the folder of
 * the file. */
int settings_list_read(cfg_t *section, const char *option, bool paths, struct settings_list *out,
                       struct err *e);
/* A list of addresses as http_address_parse() takes them. */
int settings_addresses_read(cfg_t *section, const char *option, struct settings_list *out,
                            struct err *e);
/* A path in that folder. Owned. */
char *settings_path(const cfg_t *section, const char *value) OWNED(mem_free);
