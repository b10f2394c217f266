/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/bundle/bundle.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/ossl.h"
#include "ca/x509/name.h"

enum { CERTIFICATE_MAX = 64 * 1024 };

static const struct bundle_client *const clients[] = {
    &bundle_openssl,        &bundle_openssl_32,   &bundle_gencmpclient,
    &bundle_cmpracomponent, &bundle_bouncycastle, &bundle_certmanager,
};

const struct bundle_client *
bundle_client_find(const char *name, struct err *e)
{
    CLEANUP(buf_free) struct buf names = BUF_INIT(512);

    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        if (strcmp(name, clients[i]->name) == 0) {
            return clients[i];
        }
        (void)(i == 0 || buf_append_str(&names, ", ", e) == 0);
        (void)buf_append_str(&names, clients[i]->name, e);
    }
    (void)err_set(e, ERR_INPUT, "no client \"%.40s\"; there are %.*s", name, (int)names.n,
                  (const char *)names.p);
    return NULL;
}

/* ---- names ---- */

/* As openssl cmp takes a name: /C=SE/O=x/CN=y with / and + and \ escaped. */
static char *
slashed(const X509_NAME *name, struct err *e)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(BUNDLE_TEXT_MAX);

    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
        const char *type = OBJ_nid2sn(OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)));
        const char *p = (const char *)ASN1_STRING_get0_data(value);

        if (buf_append_str(&out, "/", e) != 0 || buf_append_str(&out, type, e) != 0 ||
            buf_append_str(&out, "=", e) != 0) {
            return NULL;
        }
        for (int k = 0; k < ASN1_STRING_length(value); k++) {
            if ((strchr("/+\\", p[k]) != NULL && buf_append_str(&out, "\\", e) != 0) ||
                buf_append(&out, span_of(p + k, 1), e) != 0) {
                return NULL;
            }
        }
    }
    return mem_printf("%.*s", (int)out.n, (const char *)out.p);
}

/* ---- what the RA says ---- */

static X509 *
certificate_of(const json_t *answer, const char *name, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(CERTIFICATE_MAX);

    return base64_parse(bundle_member(answer, name), &der, e) == 0
               ? certificate_parse(buf_span(&der), e)
               : NULL;
}

static const char *
choose_profile(const struct bundle *b, const char *wanted, struct err *e)
{
    const json_t *profiles =
        json_object_get(json_object_get(b->answer, "registration"), "profiles");
    const json_t *profile;
    size_t i;

    json_array_foreach(profiles, i, profile)
    {
        const char *name = bundle_member(profile, "name");

        if (wanted == NULL || strcmp(wanted, name) == 0) {
            return name;
        }
    }
    (void)err_set(e, ERR_INPUT, "profile %.60s is not registered; see `nfpki-ractl show %s`",
                  wanted == NULL ? "?" : wanted, bundle_member(b->answer, "id"));
    return NULL;
}

static void
split_url(struct bundle *b)
{
    const char *host = strstr(b->url, "//") + 2;
    size_t n = strcspn(host, "/");

    b->tls = strncmp(b->url, "https:", 6) == 0;
    b->server = mem_printf("%.*s", (int)n, host);
    b->path = host + n;
}

int
bundle_take(struct bundle *b, const json_t *answer, const char *profile)
{
    const json_t *registration = json_object_get(answer, "registration");
    const char *url = json_string_value(json_array_get(json_object_get(answer, "publicUrls"), 0));

    *b = (struct bundle){.answer = answer,
                         .proof = bundle_member(answer, "proof"),
                         .text = BUF_INIT(BUNDLE_TEXT_MAX)};
    if (strcmp(bundle_member(answer, "state"), "cancelled") == 0) {
        return err_set(&b->e, ERR_DENIED,
                       "registration %s is cancelled: register the network function anew",
                       bundle_member(answer, "id"));
    }
    b->profile = choose_profile(b, profile, &b->e);
    b->root = certificate_of(answer, "root", &b->e);
    b->issuing = certificate_of(answer, "issuing", &b->e);
    b->ra = certificate_of(answer, "ra", &b->e);
    if (b->profile == NULL || url == NULL || strstr(url, "//") == NULL || b->root == NULL ||
        b->issuing == NULL || b->ra == NULL) {
        return -1;
    }
    b->url = mem_printf("%s/p/%s", url, b->profile);
    split_url(b);
    b->subject = mem_printf("/C=%s/O=%s", bundle_member(registration, "country"),
                            bundle_member(registration, "homeDomain"));
    b->recipient = slashed(X509_get_subject_name(b->issuing), &b->e);
    return b->recipient == NULL ? -1 : 0;
}

void
bundle_release(struct bundle *b)
{
    X509_free(b->root);
    X509_free(b->issuing);
    X509_free(b->ra);
    mem_free(b->url);
    mem_free(b->server);
    mem_free(b->recipient);
    mem_free(b->subject);
    buf_free(&b->text);
}

/* ---- the whole ---- */

/* Where the CRL is: as our own RA's certificate says, which has the same issuer. */
static char *
crl_url(X509 *certificate)
{
    STACK_OF(DIST_POINT) *points =
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    const DIST_POINT *point = sk_DIST_POINT_value(points, 0); /* NULL of none */
    char *url = NULL;

    if (point != NULL && point->distpoint != NULL && point->distpoint->type == 0) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(point->distpoint->name.fullname, 0);

        if (name != NULL && name->type == GEN_URI) {
            url = mem_printf("%.*s", ASN1_STRING_length(name->d.ia5),
                             (const char *)ASN1_STRING_get0_data(name->d.ia5));
        }
    }
    CRL_DIST_POINTS_free(points);
    return url == NULL ? mem_strdup("-") : url;
}

/* All of it comments, in every client's language. */
static void
add_values(struct bundle *b, const struct bundle_client *client)
{
    const json_t *registration = json_object_get(b->answer, "registration");
    CLEANUP(mem_cleanup) char *issuer = name_text(X509_get_subject_name(b->issuing));
    CLEANUP(mem_cleanup) char *sender = name_text(X509_get_subject_name(b->ra));
    CLEANUP(mem_cleanup) char *crl = crl_url(b->ra);
    const json_t *url;
    const json_t *profile;
    size_t i;

    bundle_add(b, "# Onboarding of network function %s\n",
               bundle_member(registration, "nfInstanceId"));
    bundle_add(b, "# client           %s\n", client->what);
    bundle_add(b, "# registration     %s, %s, until %s\n", bundle_member(b->answer, "id"),
               bundle_member(b->answer, "state"), bundle_member(b->answer, "notAfter"));
    json_array_foreach(json_object_get(b->answer, "publicUrls"), i, url)
    {
        bundle_add(b, "# CMP URL          %s\n", json_string_value(url));
    }
    bundle_add(b, "# with the profile %s\n", b->url);
    json_array_foreach(json_object_get(registration, "profiles"), i, profile)
    {
        bundle_add(b, "# profile          %s, %lld days at most\n", bundle_member(profile, "name"),
                   (long long)json_integer_value(json_object_get(profile, "maxValidityDays")));
    }
    bundle_add(b, "# recipient        %s\n# issuer           %s\n", b->recipient, issuer);
    bundle_add(b, "# answers are from %s\n", sender);
    bundle_add(b, "# proof            %s\n", b->proof);
    if (bundle_member(b->answer, "reference")[0] != '\0') {
        bundle_add(b, "# reference        %s\n", bundle_member(b->answer, "reference"));
    }
    bundle_add(b, "# CRL              %s\n", crl);
}

static void
add_trust(struct bundle *b)
{
    bundle_add(b, "\n# trust anchor, and the chain below it\ncat >root.pem <<'PEM'\n");
    bundle_add_pem(b, b->root, 0);
    bundle_add(b, "PEM\ncat >issuing.pem <<'PEM'\n");
    bundle_add_pem(b, b->issuing, 0);
    bundle_add(b, "PEM\n");
    if (b->tls) {
        bundle_add(b, "cat >tls-root.pem <<'PEM'\n%sPEM\n", bundle_member(b->answer, "tlsRoot"));
    }
}

/* sh bundle.sh, once; sh bundle.sh renew, as often as is wanted. A renewal that was interrupted
 * between the two files is finished. */
static void
add_script(struct bundle *b, const struct bundle_client *client)
{
    bundle_add(b,
               "\ncase ${1:-enrol} in\nenrol)\n"
               "  if [ -e nf.pem ]; then\n"
               "    echo 'nf.pem is there already; to renew it: sh %s renew' >&2\n"
               "    exit 0\n  fi\n",
               client->file);
    client->enrol(b);
    bundle_add(b, "  ;;\nrenew)\n"
                  "  if [ -e new.pem ]; then\n"
                  "    [ ! -e new.key ] || mv new.key nf.key\n    mv new.pem nf.pem\n"
                  "    exit 0\n  fi\n");
    client->renew(b);
    bundle_add(b,
               "  mv new.key nf.key\n  mv new.pem nf.pem\n  ;;\n*)\n"
               "  echo 'usage: sh %s [enrol | renew]' >&2\n  exit 2\n  ;;\nesac\n",
               client->file);
}

int
bundle_render(struct bundle *b, const struct bundle_client *client, bool revocation)
{
    if (revocation) {
        bundle_add(b, "#!/bin/sh -e\n# Revokes nf.pem for good: the network function is gone.\n");
        client->revoke(b);
        return b->result;
    }
    if (client->renew == NULL) {
        add_values(b, client);
        client->enrol(b);
        return b->result;
    }
    bundle_add(b, "#!/bin/sh -e\n");
    add_values(b, client);
    bundle_add(b, "# trust            root.pem (anchor), issuing.pem (in between)%s\n",
               b->tls ? ", tls-root.pem (of the server)" : "");
    if (bundle_is_mac(b)) {
        bundle_add(b, "#\n# Put the one-time secret, which was shown when the registration was "
                      "made, into\n# secret.txt, readable by its owner alone.\n");
    }
    bundle_add(b,
               "#\n# Enrols once into nf.pem, with nf.key:  sh %s\n"
               "# Renews both, when it is time:         sh %s renew\numask 077\n",
               client->file, client->file);
    add_trust(b);
    add_script(b, client);
    return b->result;
}
