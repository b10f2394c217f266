/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - a source that is a URL, brought into a folder: for `fetch`, and for `mirror`. */
#pragma once

#include "db/audit/fetch/fetch.h"

/* Where the network begins: http:// or https:// */
bool fetch_is_url(const char *source);
/* With --key and --cacert; progress on a terminal. `policy` may be NULL. */
int fetch_bring(const char *url, const char *dir, const struct tlog_policy *policy,
                struct fetch_result *, struct err *e);
