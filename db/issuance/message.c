/* SPDX-License-Identifier: Apache-2.0 */
#include "db/issuance/message.h"

#include <assert.h>
#include <limits.h>
#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <string.h>

/* ---- out of the evidence ---- */

/* The content of the first element, which has this tag; `in` goes on behind it, or into it. */
static bool
take(struct span *in, int tag, bool into, struct span *content)
{
    const unsigned char *p = in->p;
    const unsigned char *end = in->p + in->n;
    long n;
    int found;
    int class;

    if (in->n == 0 || in->n > LONG_MAX ||
        (ASN1_get_object(&p, &n, &found, &class, (long)in->n) & 0x81) != 0 || found != tag ||
        class != V_ASN1_UNIVERSAL || n < 0 || n > end - p) {
        return false;
    }
    *content = span_of(p, (size_t)n);
    *in = into ? *content : span_of(p + n, (size_t)(end - (p + n)));
    return true;
}

static bool
is_its(struct span octets, const struct message *named)
{
    uint8_t hash[SHA256_SIZE];

    return octets.n > 0 && octets.n <= MESSAGE_MAX && sha256(octets, hash, &(struct err){0}) == 0 &&
           memcmp(hash, named->sha256, sizeof(hash)) == 0;
}

/* A Submission has the message behind its version; what an officer asked with is a PKCS #10. */
static struct span
within(struct span evidence, const struct message *named)
{
    struct span in = evidence;
    struct span part;

    if (take(&in, V_ASN1_SEQUENCE, true, &part) && take(&in, V_ASN1_INTEGER, false, &part) &&
        take(&in, V_ASN1_OCTET_STRING, false, &part) && is_its(part, named)) {
        return part;
    }
    return is_its(evidence, named) ? evidence : span_of(NULL, 0);
}

/* ---- what is not for everybody ---- */

/* A password, or a private key though it is encrypted, which no message of ours needs (RFC
 * 4211 6.1, 6.2, 6.4; PKCS #9). Their names are looked for as octets, so that no odd form hides
 * one: rather a message too many is kept back. */
static bool
has_secret(struct span message)
{
    static const int names[] = {NID_id_regCtrl_regToken, NID_id_regCtrl_authenticator,
                                NID_id_regCtrl_pkiArchiveOptions, NID_pkcs9_challengePassword};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const ASN1_OBJECT *name = OBJ_nid2obj(names[i]);

        if (message.n > 0 &&
            memmem(message.p, message.n, OBJ_get0_data(name), OBJ_length(name)) != NULL) {
            return true;
        }
    }
    return false;
}

/* ---- out of the rows ---- */

static const char *
query_of(enum leaf_kind kind)
{
    switch (kind) {
    case LEAF_REQUEST: /* what waits for officers has no row in `request` yet */
    case LEAF_REFUSAL:
    case LEAF_INTENT:
        return "SELECT unpacked(evidence) FROM request WHERE rid = ?1 "
               "UNION ALL SELECT unpacked(evidence) FROM pending WHERE rid = ?1 LIMIT 1";
    case LEAF_AGAIN:
        return "SELECT unpacked(evidence) FROM again WHERE rid = ?1";
    case LEAF_CONFIRMED:
    case LEAF_REJECTED:
        return "SELECT unpacked(evidence) FROM confirmation WHERE rid = ?1";
    case LEAF_REVOKED:
        return "SELECT unpacked(evidence) FROM revocation_request WHERE rid = ?1";
    case LEAF_START:
    case LEAF_STOP:
    case LEAF_CONFIG:
    case LEAF_REGISTRATION:
    case LEAF_CANCEL:
    case LEAF_ISSUED:
    case LEAF_CRL:
    case LEAF_RECOVERED:
    case LEAF_CEREMONY:
    case LEAF_APPROVAL:
    case LEAF_CRL_INTENT:
    case LEAF_QUEUE_HEAD:
    case LEAF_SEALED:
    case LEAF_RESTORED:
    case LEAF_ADOPTED:
    case LEAF_ACKNOWLEDGED:
    case LEAF_RA_REPORT:
    case LEAF_OPERATION:
    case LEAF_CLOCK:
    case LEAF_KINDS:
        break;
    }
    assert(false); /* message_named() */
    return "SELECT NULL WHERE ?1 IS NULL";
}

int
issuance_message(struct store_db *db, const struct message *named, struct buf *out, struct err *e)
{
    CLEANUP(store_end) struct store_rows rows = {0};
    struct span message;
    bool row;

    if (store_query(db, &rows, query_of(named->kind),
                    STORE_VALUES(store_blob(span_of(named->sha256, SHA256_SIZE))), e) != 0 ||
        store_next(&rows, &row, e) != 0) {
        return -1;
    }
    message = row ? within(row_blob(&rows, 0), named) : span_of(NULL, 0);
    return buf_set(out, has_secret(message) ? span_of(NULL, 0) : message, e);
}
