/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal_key.h - where the key comes from that seals one-time secrets (seal.h), and from which
 * that of the file comes (file_seal.h): the RA's token derives it at each start
 * (nfpki-signer.conf(5), section seal), and it lives in locked memory only.
 *
 * Before there was such a section it was a file, the credential ra-seal-key. With both, everything
 * in ra.db is sealed anew under the token's key, the stamps of the queue's heads, too, once
 * (whether the file is taken for that, file_seal.h decides before); with the file alone the RA
 * goes on and warns.
 */
#pragma once

#include "ra/daemon/ra.h"

/* ra->seal_key, from the running signer; *derived is false when its policy has no such section: an
 * empty BUF_SECRET. Blocking, at start. */
int seal_key_ask(struct ra *, bool *derived, struct err *e);
/* Then, with the store: that of the credential when there is none, and ra.db under it. Blocking.
 * ERR_NOTFOUND: neither is there; ERR_CRYPTO: ra.db was sealed under another. */
int seal_key_settle(struct ra *, bool derived, struct err *e);
