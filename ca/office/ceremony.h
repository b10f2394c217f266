/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ceremony.h - what a ceremony left behind becomes a leaf CEREMONY, once: its bundle is verified by
 * the code of nfpki-ceremony-verify, from the octets that the leaf is about. Private to nfpki-ca.
 */
#pragma once

#include "ca/daemon/daemon.h"

/* {"bundle": absolute path of a folder}. Answers {"name", "type", "head", "production", "already"}
 * when the record has it. One is verified at a time, the others wait. */
void ceremony_officer(struct ca *, struct admin_call *call, const json_t *request);
