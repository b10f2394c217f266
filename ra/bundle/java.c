/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients in Java: the one of CmpRaComponent (Siemens' LightweightCmpRa has a program for it),
 * which reads YAML, and Bouncy Castle, a library, with the client of its own that comes with nfpki.
 */
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"
#include "ra/bundle/bundle.h"

/* As new X500Name(String) takes it: in the order of the certificate. */
static char *
java_name(const X509_NAME *name)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long n;

    if (bio == NULL || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~XN_FLAG_DN_REV) < 0) {
        return mem_strdup("");
    }
    n = BIO_get_mem_data(bio, &text);
    return mem_printf("%.*s", (int)n, text);
}

static char *
java_subject(const struct bundle *b)
{
    const json_t *registration = json_object_get(b->answer, "registration");

    return mem_printf("C=%s,O=%s", bundle_member(registration, "country"),
                      bundle_member(registration, "homeDomain"));
}

/* A JSON string is one of YAML, too; and it stands where the shell looks for variables. */
static void
add_text(struct bundle *b, const char *before, const char *value)
{
    json_t *text = json_string(value);
    char *quoted = json_dumps(text, JSON_ENCODE_ANY);

    bundle_add(b, "%s", before);
    for (const char *p = quoted; p != NULL && *p != '\0'; p++) {
        bundle_add(b, "%s%c", strchr("\\$`", *p) != NULL ? "\\" : "", *p);
    }
    bundle_add(b, "\n");
    json_decref(text);
    free(quoted);
}

static void
refuse_proof(struct bundle *b)
{
    b->result = err_set(&b->e, ERR_INPUT,
                        "this client does not do proof %s: take another one, or register the "
                        "network function by another proof",
                        b->proof);
}

/* ---- CmpRaComponent ---- */

#define CLI                                                                                        \
    "  java -cp \"${CMPRACOMPONENT:-LightweightCmpRa.jar}\" "                                      \
    "com.siemens.pki.lightweightcmpclient.main.CliCmpClient "

/* The script puts secrets in place of $secret and $password, which no other process sees. */
static void
add_interface(struct bundle *b, bool mac)
{
    CLEANUP(mem_cleanup) char *recipient = java_name(X509_get_subject_name(b->issuing));

    bundle_add(b, "MessageInterface:\n  - %s:\n", b->tls ? "HttpsClient" : "HttpClient");
    add_text(b, "      UpstreamURI: ", b->url);
    if (b->tls) {
        bundle_add(b, "      ClientTrust:\n        TrustedCertificates: [\"tls-root.pem\"]\n");
    }
    bundle_add(b,
               "MessageConfiguration:\n  - VerificationContext:\n%s"
               "      TrustedCertificates: [\"root.pem\"]\n"
               "      AdditionalCerts: [\"issuing.pem\"]\n"
               "    OutputCredentials:\n",
               mac ? "      SharedSecret: \"$secret\"\n" : "");
    if (mac) {
        bundle_add(b,
                   "      SharedSecret:\n        SharedSecret: \"$secret\"\n"
                   "        SenderKID: \"%s\"\n"
                   "        PasswordBasedMacAlgorithm: \"PBMAC1\"\n"
                   "        IterationCount: 10000\n        KeyLength: 32\n",
                   bundle_member(b->answer, "reference"));
    } else {
        bundle_add(b, "      Signature:\n        KeyStore: \"nf.p12\"\n"
                      "        Password: \"$password\"\n");
    }
    add_text(b, "    Recipient: ", recipient);
}

static void
add_context(struct bundle *b, const char *type, bool old)
{
    CLEANUP(mem_cleanup) char *subject = java_subject(b);

    bundle_add(b,
               "ClientContext:\n  - EnrollmentContext:\n      EnrollmentType: \"%s\"\n"
               "      EnrollmentTrust:\n        TrustedCertificates: [\"root.pem\"]\n"
               "        AdditionalCerts: [\"issuing.pem\"]\n"
               "      KeyType: \"secp256r1\"\n",
               type);
    add_text(b, "      Subject: ", subject);
    bundle_add(b, "      RequestImplictConfirm: false\n%s",
               old ? "      OldCert: \"nf.pem\"\n" : "");
}

/* A key store of what signs, with a password that lives as long as the command. */
static void
add_store(struct bundle *b, const char *certificate, const char *key, const char *chain)
{
    bundle_add(b,
               "  openssl rand -hex 16 >password.txt\n"
               "  openssl pkcs12 -export -in %s -inkey %s -certfile %s -passout "
               "file:password.txt -out nf.p12\n"
               "  password=$(cat password.txt)\n",
               certificate, key, chain);
}

static void
add_run(struct bundle *b, const char *yaml, const char *out)
{
    bundle_add(b,
               CLI "-c %s -e both.pem -n chain.pem\n"
                   "  openssl pkey -in both.pem -out %s.key\n"
                   "  openssl x509 -in both.pem -out %s.pem\n  rm both.pem\n",
               yaml, out, out);
}

static void
add_enrolment(struct bundle *b, bool renews)
{
    const char *yaml = renews ? "renew.yaml" : "nf.yaml";

    bundle_add(b, "  cat >%s <<YAML\n", yaml);
    add_interface(b, !renews && bundle_is_mac(b));
    add_context(b, renews ? "KUR" : "IR", renews);
    bundle_add(b, "YAML\n");
    add_run(b, yaml, renews ? "new" : "nf");
}

static void
cmpracomponent_enrol(struct bundle *b)
{
    bundle_add(b, "  # $CMPRACOMPONENT is the class path of LightweightCmpRa and what it needs.\n");
    bundle_add(b, "  trap 'rm -f nf.yaml nf.p12 password.txt both.pem' EXIT\n");
    if (bundle_is_mac(b)) {
        bundle_add_secret(b);
        bundle_add(b, "  secret=$(cat secret.txt)\n");
    } else if (strcmp(b->proof, "publicKey") == 0) {
        refuse_proof(b); /* it makes its key itself */
        return;
    } else {
        bundle_add(b,
                   "  # initial.pem is the registered certificate, initial.key its key, "
                   "vendor-chain.pem\n  # the certificates up to the vendor's root (or a copy of "
                   "initial.pem).\n");
        add_store(b, "initial.pem", "initial.key", "vendor-chain.pem");
    }
    add_enrolment(b, false);
}

static void
cmpracomponent_renew(struct bundle *b)
{
    bundle_add(b, "  trap 'rm -f renew.yaml nf.p12 password.txt both.pem' EXIT\n");
    add_store(b, "nf.pem", "nf.key", "issuing.pem");
    add_enrolment(b, true);
}

static void
cmpracomponent_revoke(struct bundle *b)
{
    bundle_add(b, "umask 077\ntrap 'rm -f revoke.yaml nf.p12 password.txt' EXIT\n");
    add_store(b, "nf.pem", "nf.key", "issuing.pem");
    bundle_add(b, "  cat >revoke.yaml <<YAML\n");
    add_interface(b, false);
    bundle_add(b, "ClientContext:\n  - RevocationContext:\n      Cert: \"nf.pem\"\nYAML\n" CLI
                  "-c revoke.yaml -r nf.pem\n");
}

const struct bundle_client bundle_cmpracomponent = {
    .name = "cmpracomponent",
    .what = "the client of Siemens' CmpRaComponent, with LightweightCmpRa",
    .file = "bundle.sh",
    .enrol = cmpracomponent_enrol,
    .renew = cmpracomponent_renew,
    .revoke = cmpracomponent_revoke,
};

/* ---- Bouncy Castle ---- */

static void
add_client(struct bundle *b, const char *arguments, const char *subject)
{
    CLEANUP(mem_cleanup) char *url = bundle_quoted(b->url);

    bundle_add(b,
               "  jars=${BOUNCYCASTLE:-/usr/share/java/bcpkix.jar:/usr/share/java/bcprov.jar:"
               "/usr/share/java/bcutil.jar}\n"
               "  [ -e classes/NfClient.class ] || javac -Xlint:-path -cp \"$jars\" -d classes "
               "\"${NFPKI_CLIENT:-%s}\"/*.java\n"
               "  java %s-cp \"classes:$jars\" NfClient %s root.pem %s %s\n",
               BUNDLE_CLIENT_DIR,
               b->tls ? "-Djavax.net.ssl.trustStoreType=PKCS12 "
                        "-Djavax.net.ssl.trustStore=tls-root.p12 "
                        "-Djavax.net.ssl.trustStorePassword=changeit "
                      : "",
               url, arguments, subject);
}

static void
add_tls_store(struct bundle *b)
{
    if (b->tls) { /* what it holds is public; the password is there because the format wants one */
        bundle_add(b,
                   "  [ -e tls-root.p12 ] || keytool -importcert -noprompt -alias tls-root -file "
                   "tls-root.pem -storetype PKCS12 -storepass changeit -keystore tls-root.p12\n");
    }
}

static void
bouncycastle_enrol(struct bundle *b)
{
    CLEANUP(mem_cleanup) char *subject = java_subject(b);
    CLEANUP(mem_cleanup) char *reference = bundle_quoted(bundle_member(b->answer, "reference"));
    CLEANUP(mem_cleanup) char *arguments = NULL;

    add_tls_store(b);
    if (bundle_is_mac(b)) {
        bundle_add_secret(b);
        arguments = mem_printf("enrol-pbmac1 %s secret.txt nf", reference);
    } else if (strcmp(b->proof, "certificate") == 0) {
        bundle_add(b, "  # initial.pem is the registered certificate, initial.key its key.\n");
        arguments = mem_strdup("enrol initial.pem initial.key nf");
    } else {
        refuse_proof(b);
        return;
    }
    add_client(b, arguments, subject);
}

static void
bouncycastle_renew(struct bundle *b)
{
    add_tls_store(b);
    add_client(b, "renew nf.pem nf.key new", "");
}

static void
bouncycastle_revoke(struct bundle *b)
{
    add_client(b, "revoke nf.pem nf.key 5", "");
}

const struct bundle_client bundle_bouncycastle = {
    .name = "bouncycastle",
    .what = "Bouncy Castle, with the client in " BUNDLE_CLIENT_DIR,
    .file = "bundle.sh",
    .enrol = bouncycastle_enrol,
    .renew = bouncycastle_renew,
    .revoke = bouncycastle_revoke,
};
