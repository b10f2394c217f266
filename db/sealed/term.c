/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/term.h"

int
term_end(struct mac *mac, uint8_t sum[SUM_SIZE], struct err *e)
{
    uint8_t term[MAC_SIZE];

    if (mac_end(mac, term, e) != 0) {
        return -1;
    }
    sum_add(sum, term);
    return 0;
}

int
term_seal(const struct sealed *sealed, const struct seal *seal, unsigned table, struct span key,
          uint8_t sum[SUM_SIZE], struct err *e)
{
    struct mac mac;

    mac_begin(&mac, sealed->keys.sum);
    mac_add_int(&mac, TERM_SEAL, 1);
    mac_add_int(&mac, seal->bucket, 4);
    mac_add_int(&mac, table, 1);
    mac_add_int(&mac, seal->leaf, 8);
    mac_add(&mac, span_of(seal->mac, MAC_SIZE));
    mac_add(&mac, key);
    return term_end(&mac, sum, e);
}

int
term_head_nonce(const struct sealed *sealed, const uint8_t nonce[NONCE_SIZE], uint8_t sum[SUM_SIZE],
                struct err *e)
{
    struct mac mac;

    mac_begin(&mac, sealed->keys.sum);
    mac_add_int(&mac, TERM_HEAD_NONCE, 1);
    mac_add(&mac, span_of(nonce, NONCE_SIZE));
    return term_end(&mac, sum, e);
}
