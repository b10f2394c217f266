/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/weakness.h"

static enum phrase
phrase_of(enum weakness weakness)
{
    switch (weakness) {
    case WEAKNESS_KIND:
        return PHRASE_KEY_KIND;
    case WEAKNESS_SIZE:
        return PHRASE_KEY_SIZE;
    case WEAKNESS_EXPONENT:
        return PHRASE_KEY_EXPONENT;
    case WEAKNESS_SMALL_FACTOR:
        return PHRASE_KEY_FACTOR;
    case WEAKNESS_ROCA:
        return PHRASE_KEY_ROCA;
    case WEAKNESS_CLOSE_PRIMES:
        return PHRASE_KEY_CLOSE;
    case WEAKNESS_PRIME:
        return PHRASE_KEY_PRIME;
    case WEAKNESS_LISTED:
        return PHRASE_KEY_LISTED;
    case WEAKNESS_NONE:
        break;
    }
    return phrase_of_failure(CMP_SYSTEM_FAILURE);
}

int
weakness_check(struct span spki, const struct blocked_keys *blocked, enum cmp_failure *failure,
               struct err *e)
{
    enum weakness weakness;

    return weak_key_check(spki, blocked, &weakness, e) == 0
               ? 0
               : phrase_say(failure, phrase_of(weakness), e);
}

int
weakness_check_signer(const X509 *signer, const struct blocked_keys *blocked,
                      enum cmp_failure *failure, struct err *e)
{
    if (weak_key_check_signer(signer, blocked, e) == 0) {
        return 0;
    }
    return phrase_say(
        failure,
        e->code == ERR_DENIED ? PHRASE_SIGNER_LISTED : phrase_of_failure(CMP_SYSTEM_FAILURE), e);
}
