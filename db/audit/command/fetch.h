/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - a source that is a URL, brought into a folder: for `fetch`, and for `mirror`. */
#pragma once

#include "db/audit/fetch/fetch.h"

/* Where the network begins: http:// or https:// */
bool fetch_is_url(const char *source);
/* With --cacert, and --key, else this key; progress on a terminal. `key` and `policy` may be NULL.
 */
int fetch_bring(const char *url, const char *dir, const struct log_key *key,
                const struct tlog_policy *policy, struct fetch_result *, struct err *e);
