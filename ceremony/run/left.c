/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/run.h"

/* What a stop leaves, by what was reached: what must be done, for a ceremony that makes a token,
 * for one that uses the root's, and for one that adds to a token. There is no going on with a
 * stopped ceremony. */
#define SAFE                                                                                       \
    {                                                                                              \
        "Nothing was changed on any token.", RUN_STOPPED                                           \
    }

static const struct {
    struct advice fresh, root, keys;
} LEFT[] = {
    [LEFT_NOTHING] = {SAFE, SAFE, SAFE},
    [LEFT_TOKEN_OPEN] = {{"The token may be initialised or half initialised. Initialise it again; "
                          "destroy the PINs that were made for it.",
                          RUN_DESTROY},
                         {"", RUN_DESTROY},
                         {"", RUN_DESTROY}},
    [LEFT_TOKEN] = {{"There is a fresh token without keys. Initialise it again; destroy the PINs "
                     "that were made for it.",
                     RUN_DESTROY},
                    {"", RUN_DESTROY},
                    {"", RUN_DESTROY}},
    [LEFT_KEYGEN_OPEN] = {{"The token may hold half a key pair, or a whole one that nobody vouches "
                           "for. Destroy every object on it, also those that cannot be read "
                           "(initialise it again). A pair that is found is never adopted.",
                           RUN_DESTROY},
                          {"", RUN_DESTROY},
                          {"The token may hold a secret key that nobody vouches for. Destroy each "
                           "secret key with the label of the last intent; leave everything else. "
                           "A key that is found is never adopted.",
                           RUN_DESTROY}},
    [LEFT_KEY_UNPROVEN] = {{"The token holds a key pair that did not pass its checks. Destroy it "
                            "(initialise the token again); find out what the token is.",
                            RUN_DESTROY},
                           {"", RUN_DESTROY},
                           {"The token holds a secret key that did not pass its checks. Destroy "
                            "it, and leave everything else; find out what the token is.",
                            RUN_DESTROY}},
    [LEFT_KEYS] = {{"The token holds good keys that nothing was made of. Destroy them (initialise "
                    "the token again).",
                    RUN_DESTROY},
                   {"", RUN_DESTROY},
                   {"The token holds a good secret key, but the transcript is not sealed. Destroy "
                    "that key, and leave everything else.",
                    RUN_DESTROY}},
    [LEFT_SIGN_OPEN] = {{"A signature may exist that this transcript does not hold. Destroy the "
                         "keys (initialise the token again): nothing of them was published.",
                         RUN_DESTROY},
                        {"A signature of the root over the object in the last `tbs` record may "
                         "exist. Nothing must be destroyed. A CRL number in it is used up: say "
                         "crl.skip = 1 in the next definition (one more for each such stop). Keep "
                         "the transcript with the next ceremony's papers.",
                         RUN_STOPPED},
                        {"", RUN_DESTROY}},
    [LEFT_UNCHECKED] = {{"A signed object did not pass its checks. Destroy the keys (initialise "
                         "the token again): nothing of them was published.",
                         RUN_DESTROY},
                        {"The root signed an object that did not pass its checks. Do not publish "
                         "it; keep it as evidence; list it in the next CRL; treat it as an "
                         "incident.",
                         RUN_DESTROY},
                        {"", RUN_DESTROY}},
    [LEFT_WORK_DONE] = {{"All work is done and the transcript holds every object, but it is not "
                         "sealed. Destroy the keys (initialise the token again).",
                         RUN_DESTROY},
                        {"All work is done and the transcript holds every object, but it is not "
                         "sealed: do not publish from this bundle. A CRL number in it is used up: "
                         "say crl.skip = 1 in the next definition. A certificate in it never "
                         "leaves the room: destroy its copies.",
                         RUN_STOPPED},
                        {"", RUN_DESTROY}},
};

const struct advice *
run_advice(const struct run *r)
{
    if (definition_makes_token(r->d)) {
        return &LEFT[r->left].fresh;
    }
    return definition_uses_root(r->d) ? &LEFT[r->left].root : &LEFT[r->left].keys;
}
