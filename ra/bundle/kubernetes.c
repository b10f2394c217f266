/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert-manager with its CMP issuer (cmp-issuer), as YAML. It enrols by p10cr and renews by kur,
 * both by itself, when cert-manager finds that it is time.
 *
 * Its recipient is what the sender of each answer must be: with a shared secret that is whom the
 * request was sent to, with a signature the RA; so it is the RA.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/x509/name.h"
#include "ra/bundle/bundle.h"

enum { HOURS_IN_DAY = 24 };

static void
add_quoted(struct bundle *b, const char *before, const char *value)
{
    json_t *text = json_string(value);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY);

    bundle_add(b, "%s%s\n", before, quoted == NULL ? "\"\"" : quoted);
    json_decref(text);
    free(quoted);
}

static void
add_protection(struct bundle *b)
{
    if (bundle_is_mac(b)) {
        bundle_add(b, "  protection:\n    type: PasswordBasedMac\n    passwordBasedMac:\n"
                      "      secretRef:\n        name: nf-credential\n"
                      "      referenceKey: reference\n      secretKey: secret\n"
                      "      algorithm:\n        owf: SHA256\n        mac: HMACSHA256\n"
                      "        iterationCount: 1024\n");
    } else {
        bundle_add(b,
                   "  protection:\n    type: Signature\n    signature:\n"
                   "      secretRef:\n        name: nf-credential\n"
                   "      certificateKey: tls.crt\n      privateKeyKey: tls.key\n%s",
                   strcmp(b->proof, "vendor") == 0 ? "      chainKey: ca.crt\n" : "");
    }
}

static void
add_credential(struct bundle *b)
{
    if (bundle_is_mac(b)) {
        bundle_add(b,
                   "# The credential, with the one-time secret that was shown when the "
                   "registration was made, in\n# secret.txt without a newline:\n"
                   "#   kubectl create secret generic nf-credential "
                   "--from-literal=reference=%s --from-file=secret=secret.txt\n",
                   bundle_member(b->answer, "reference"));
    } else {
        bundle_add(
            b,
            "# The credential, of the registered certificate and its key:\n"
            "#   kubectl create secret generic nf-credential --from-file=tls.crt=initial.pem "
            "--from-file=tls.key=initial.key%s\n",
            strcmp(b->proof, "vendor") == 0 ? " --from-file=ca.crt=vendor-chain.pem" : "");
    }
    bundle_add(b, "# Once: let cmp-issuer read Secrets of this namespace (its documentation, "
                  "\"Credential Secret access\").\n");
}

static void
add_issuer(struct bundle *b)
{
    CLEANUP(mem_cleanup) char *recipient = name_text(X509_get_subject_name(b->ra));

    bundle_add(b, "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: nf-trust\ntype: Opaque\n"
                  "stringData:\n  ca.crt: |\n");
    bundle_add_pem(b, b->root, 4);
    if (b->tls) {
        bundle_add(b, "  tls-root.crt: |\n");
        bundle_add_lines(b, bundle_member(b->answer, "tlsRoot"), 4);
    }
    bundle_add(b, "---\napiVersion: certmanager.misiektoja.github.io/v1alpha1\nkind: CMPIssuer\n"
                  "metadata:\n  name: nf-issuer\nspec:\n  endpoint:\n");
    add_quoted(b, "    url: ", b->url);
    bundle_add(b, "    timeout: 120s\n    maxResponseSize: 1048576\n  protocol:\n    version: 2\n"
                  "    initialEnrollment: P10CR\n    renewal: KUR\n    confirmation: Explicit\n");
    add_quoted(b, "    recipient: ", recipient);
    add_protection(b);
    bundle_add(b, "  cmpTrust:\n    caSecretRef:\n      name: nf-trust\n      key: ca.crt\n");
    if (b->tls) {
        bundle_add(b, "  transport:\n    tls:\n      caSecretRef:\n        name: nf-trust\n"
                      "        key: tls-root.crt\n");
    }
}

static long long
days_of(const struct bundle *b)
{
    const json_t *profiles =
        json_object_get(json_object_get(b->answer, "registration"), "profiles");
    const json_t *profile;
    size_t i;

    json_array_foreach(profiles, i, profile)
    {
        if (strcmp(bundle_member(profile, "name"), b->profile) == 0) {
            return (long long)json_integer_value(json_object_get(profile, "maxValidityDays"));
        }
    }
    return 1;
}

/* Asks for what is registered, and nothing else. */
static void
add_certificate(struct bundle *b)
{
    const json_t *registration = json_object_get(b->answer, "registration");
    const json_t *fqdn;
    const long long hours = days_of(b) * HOURS_IN_DAY;
    size_t i;

    bundle_add(b,
               "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata:\n  name: nf\n"
               "spec:\n  secretName: nf-tls\n  issuerRef:\n"
               "    group: certmanager.misiektoja.github.io\n    kind: CMPIssuer\n"
               "    name: nf-issuer\n  duration: %lldh\n  renewBefore: %lldh\n"
               "  encodeUsagesInRequest: false\n"
               "  privateKey:\n    algorithm: ECDSA\n    size: 256\n    rotationPolicy: Always\n",
               hours, hours / 4);
    add_quoted(b, "  subject:\n    countries:\n      - ", bundle_member(registration, "country"));
    add_quoted(b, "    organizations:\n      - ", bundle_member(registration, "homeDomain"));
    if (json_array_size(json_object_get(registration, "fqdns")) > 0) {
        bundle_add(b, "  dnsNames:\n");
    }
    json_array_foreach(json_object_get(registration, "fqdns"), i, fqdn)
    {
        add_quoted(b, "    - ", json_string_value(fqdn));
    }
    bundle_add(b, "  uris:\n    - \"urn:uuid:%s\"\n", bundle_member(registration, "nfInstanceId"));
}

static void
certmanager_enrol(struct bundle *b)
{
    if (strcmp(b->proof, "publicKey") == 0) {
        b->result = err_set(&b->e, ERR_INPUT,
                            "cert-manager makes its keys itself: register the network function by "
                            "another proof than publicKey");
        return;
    }
    add_credential(b);
    add_issuer(b);
    add_certificate(b);
}

static void
certmanager_revoke(struct bundle *b)
{
    bundle_add(b,
               "# cmp-issuer does not revoke; with the Secret nf-tls in files:\n"
               "kubectl get secret nf-tls -o 'jsonpath={.data.tls\\.crt}' | base64 -d >nf.pem\n"
               "(umask 077 && kubectl get secret nf-tls -o 'jsonpath={.data.tls\\.key}' | base64 "
               "-d >nf.key)\n"
               "kubectl get secret nf-trust -o 'jsonpath={.data.ca\\.crt}' | base64 -d >root.pem\n"
               "cat >issuing.pem <<'PEM'\n");
    bundle_add_pem(b, b->issuing, 0);
    bundle_add(b, "PEM\n");
    bundle_openssl.revoke(b);
}

const struct bundle_client bundle_certmanager = {
    .name = "cert-manager",
    .what = "cert-manager with cmp-issuer",
    .file = "bundle.yaml",
    .enrol = certmanager_enrol,
    .revoke = certmanager_revoke,
};
