/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/x509/path/chain.h"

#include <string.h>

#include "ca/x509/path/purpose.h"
#include "tests/support/test.h"

EVP_PKEY *chain_root_key;
EVP_PKEY *chain_ca_key;
EVP_PKEY *chain_leaf_key;
X509 *chain_root;
X509 *chain_ca;

struct forge
chain_recipe(const char *subject, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    return (struct forge){.subject = subject,
                          .key = key,
                          .issuer = issuer,
                          .issuer_key = issuer_key,
                          .not_before = AT - DAY,
                          .not_after = AT + 10L * DAY};
}

int
chain_make(void **state)
{
    struct forge r;

    (void)state;
    chain_root_key = EVP_EC_gen("P-256");
    chain_ca_key = EVP_EC_gen("P-256");
    chain_leaf_key = EVP_EC_gen("P-256");
    r = chain_recipe("O=Vendor/CN=Root", chain_root_key, NULL, NULL);
    r.extensions[0] = "basicConstraints=critical,CA:TRUE";
    r.extensions[1] = "keyUsage=critical,keyCertSign,cRLSign";
    chain_root = forge_certificate(&r);
    r.subject = "O=Vendor/CN=CA";
    r.key = chain_ca_key;
    r.issuer = chain_root;
    r.issuer_key = chain_root_key;
    chain_ca = forge_certificate(&r);
    return 0;
}

int
chain_drop(void **state)
{
    (void)state;
    EVP_PKEY_free(chain_root_key);
    EVP_PKEY_free(chain_ca_key);
    EVP_PKEY_free(chain_leaf_key);
    X509_free(chain_root);
    X509_free(chain_ca);
    return 0;
}

enum path_verdict
chain_judge(X509 *leaf, X509 *middle, struct err *e)
{
    const struct path_request request = {.purpose = PATH_REQUESTER,
                                         .at = AT,
                                         .anchors = &chain_root,
                                         .n_anchors = 1,
                                         .untrusted = &middle,
                                         .n_untrusted = 1};

    *e = (struct err){0};
    return path_judge(leaf, &request, e);
}

void
chain_wanted(const char *what, X509 *leaf, X509 *middle, const char *why)
{
    struct err e;
    enum path_verdict verdict = chain_judge(leaf, middle, &e);

    if ((why == NULL) != (verdict == PATH_GOOD) || strstr(e.text, why == NULL ? "" : why) == NULL) {
        fail_msg("%s: %d: '%s', '%s' is expected\n", what, (int)verdict, e.text,
                 why == NULL ? "good" : why);
    }
}
