/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/judge/message/people.h"

#define BOTH "{\"name\":\"nf-tls\"},{\"name\":\"nf-tls-client\"}"

struct people people;

static EVP_PKEY *
key_of(const struct fixture *f, enum who who)
{
    switch (who) {
    case KEY:
        return f->key;
    case KEY_OTHER:
        return people.key_other;
    case LISTED:
        return people.listed;
    case HOLDER:
    case DEVICE:
    case DEVICE_OTHER:
    case DEVICE_BY_MAC:
    case PINNED:
    case PINNED_OTHER:
    case PEOPLE:
        break;
    }
    return people.key;
}

static void
enlist(struct fixture *f, enum proof_kind proof, enum who who, const char *instance,
       const char *says)
{
    char id[REGISTRATION_ID_SIZE];

    fixture_register(f,
                     &(struct fixture_registration){.proof = proof,
                                                    .certificate = people.of[who],
                                                    .key = key_of(f, who),
                                                    .instance = instance,
                                                    .says = says},
                     id);
}

int
people_set_up(void **state)
{
    static const char *const names[] = {
        [DEVICE] = "d1",       [DEVICE_OTHER] = "d2", [DEVICE_BY_MAC] = "d3", [PINNED] = "p1",
        [PINNED_OTHER] = "p2", [KEY] = "k1",          [KEY_OTHER] = "k2",     [LISTED] = "l1"};
    struct fixture *f = fixture_new(PKI_NOW);

    *state = f;
    people.key = pki_key("P-256");
    people.key_other = pki_key("P-256");
    people.listed = pki_key("P-256");
    people.of[HOLDER] = fixture_certificate(f, NULL, people.key);
    for (enum who who = DEVICE; who < PEOPLE; who++) {
        people.of[who] = fixture_device(f, names[who], key_of(f, who));
    }
    fixture_register(f, &(struct fixture_registration){.reference = "amf-1", .profiles = BOTH},
                     people.id);
    fixture_deliver(f, people.of[HOLDER], people.id, "nf-tls-client");
    enlist(f, PROOF_VENDOR, DEVICE, NF("01"), NULL);
    enlist(f, PROOF_VENDOR, DEVICE_OTHER, NF("02"), SAYS_VENDOR);
    enlist(f, PROOF_VENDOR, DEVICE_BY_MAC, NF("03"), SAYS_MAC);
    enlist(f, PROOF_CERTIFICATE, PINNED, NF("04"), NULL);
    enlist(f, PROOF_CERTIFICATE, PINNED_OTHER, NF("05"), SAYS_CERTIFICATE);
    enlist(f, PROOF_PUBLIC_KEY, KEY, NF("06"), NULL);
    enlist(f, PROOF_PUBLIC_KEY, KEY_OTHER, NF("07"), SAYS_KEY);
    enlist(f, PROOF_VENDOR, LISTED, NF("08"), NULL);
    return 0;
}

int
people_tear_down(void **state)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        X509_free(people.of[i]);
    }
    EVP_PKEY_free(people.key);
    EVP_PKEY_free(people.key_other);
    EVP_PKEY_free(people.listed);
    return fixture_teardown(state);
}

struct cmp_client
people_client(struct fixture *f, enum who who)
{
    return fixture_signer(f, people.of[who], key_of(f, who));
}
