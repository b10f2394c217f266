/* SPDX-License-Identifier: Apache-2.0 */
/* list_form.h - the form that a list is asked with. Private to serve/. */
#pragma once

#include "db/audit/serve/list.h"

void list_form_write(const struct list *, FILE *);
/* "Network function", a filter's name for people. */
const char *list_form_label(enum filter);
