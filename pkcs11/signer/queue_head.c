/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an RA has committed together (base/tlog/queue_head.h). The whole text is decoded; that it is
 * about entries that are there is the RA's word, which is what it signs. No DER begins so, so no
 * ProtectedPart is a head, nor the other way round.
 */
#include "base/tlog/queue_head.h"

#include <string.h>

#include "base/ossl.h"
#include "pkcs11/signer/object.h"

int
object_check_queue_head(const struct policy *p, struct span text, struct err *e)
{
    struct queue_head head;
    uint8_t own[SHA256_SIZE];

    if (queue_head_parse(text, &head, e) != 0 || sha256(buf_span(&p->spki), own, e) != 0) {
        return -1;
    }
    return memcmp(head.ra, own, sizeof(own)) == 0
               ? 0
               : err_set(e, ERR_DENIED, "queue head: ra is not the key of this signer");
}
