/* SPDX-License-Identifier: Apache-2.0 */
/* print.h - a story for people and (json.c) for programs. */
#pragma once

#include "db/audit/print_leaf.h"
#include "db/audit/story/story.h"

/* The mirror has the messages that its leaves name. */
int story_print(FILE *, const struct basis *, struct mirror *, const struct story *, struct err *e);
int story_json(FILE *, const struct basis *, struct mirror *, const struct story *, struct err *e);
