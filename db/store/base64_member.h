/* SPDX-License-Identifier: Apache-2.0 */
/* base64_member.h - an SQL function: octets that stand within compact JSON. Private to db/store/.
 */
#pragma once

#include <sqlite3.h>

/* base64_member(X, NAME): the octets of this member of X, which are base64 there; NULL when X has
 * none, or it is no base64. Quotes within a text of JSON are escaped, so what is found is the
 * member. Not for triggers, views and indexes. Returns an SQLite result code. */
int base64_member_register(sqlite3 *);
