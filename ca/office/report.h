/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - REPORT of the link: what an RA says of itself becomes a leaf, as it is, once. It is
 * signed by an RA that is one now; that it is true nobody verifies. At most REPORTS_MAX new ones an
 * hour of each RA, so that none fills the record, nor silences another: BUSY. So is who sends more
 * than REPORTS_SENT_MAX, whoever signed them: nothing of those is looked at. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

enum {
    REPORTS_MAX = 120,
    REPORTS_SENT_MAX = 10 * REPORTS_MAX, /* an hour, by one user of the link */
};

void report_submit(struct ca *, link_peer, const struct link_message *m);
