/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/definition/steps.h"

#define FRESH (1U << ROOT_GENERATE | 1U << KEY_GENERATE)
#define GENERATE (FRESH | 1U << SECRET_GENERATE)
#define ALL (GENERATE | 1U << SUB_ISSUE | 1U << ROOT_CRL)

static const struct step STEPS[] = {
    {STEP_ENVIRONMENT, "environment", "Record the machine, this program and the token's module",
     "administrator", NULL, ALL},
    {STEP_PEOPLE, "people", "Each person confirms to be present", "everybody", NULL, ALL},
    {STEP_CLOCK, "clock", "Compare the machine's clock with the witness's", "witness", NULL, ALL},
    {STEP_DEFINITION, "definition", "Read the definition's hash back from the approved paper",
     "witness", NULL, ALL},
    {STEP_PREVIOUS, "previous", "Verify the bundle of the previous ceremony", "administrator", NULL,
     ALL},
    {STEP_TOKEN, "token", "Initialise the token with fresh PINs", "administrator",
     "a fresh token is taken into use", FRESH},
    {STEP_ACTIVATION, "activation", "Log in and take stock of the token", "administrator", NULL,
     ALL},
    {STEP_KEYS, "keys", "Generate the keys in the token", "administrator",
     "keys come to be that never leave the token", GENERATE},
    {STEP_KEY_CHECKS, "key-checks",
     "Ask the token again: attributes, forbidden operations, a fresh process", "administrator",
     NULL, GENERATE},
    {STEP_REQUESTS, "requests", "Make the certificate requests, each proving possession of its key",
     "administrator", NULL, 1U << KEY_GENERATE},
    {STEP_INCOMING, "incoming", "Check the certificate request", "administrator", NULL,
     1U << SUB_ISSUE},
    {STEP_CERTIFICATE, "certificate", "Sign the certificate", "administrator and witness",
     "a signature of the root cannot be taken back", 1U << ROOT_GENERATE | 1U << SUB_ISSUE},
    {STEP_CRL, "crl", "Sign the root's CRL", "administrator and witness",
     "a signature of the root cannot be taken back; the CRL number is used up", 1U << ROOT_CRL},
    {STEP_DEACTIVATION, "deactivation", "Log out, open the token again and take stock",
     "administrator", NULL, ALL},
    {STEP_SEAL, "seal", "Seal the transcript and write the bundle", "everybody", NULL, ALL},
};

const struct step *
step_at(enum ceremony_type type, size_t i)
{
    for (size_t k = 0; k < ARRAY_LEN(STEPS); k++) {
        if ((STEPS[k].types & 1U << type) != 0 && i-- == 0) {
            return &STEPS[k];
        }
    }
    return NULL;
}

size_t
step_count(enum ceremony_type type)
{
    size_t n = 0;

    while (step_at(type, n) != NULL) {
        n++;
    }
    return n;
}
