/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - REPORT of the link: what an RA says of itself becomes a leaf, as it is, once. It is
 * signed by an RA that is one now; that it is true nobody verifies. At most REPORTS_MAX new ones an
 * hour of each RA, so that none fills the record, nor silences another: BUSY. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

enum { REPORTS_MAX = 120 };

void report_submit(struct ca *, link_peer, const struct link_message *m);
