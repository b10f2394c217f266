/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-ractl bundle: what the operator of a client needs to enrol one registered network function
 * (TS 33.310 10.2.2: the initial trust data), with command lines that work as they are printed.
 * Everything but these is a comment, so the text is a shell script, too.
 */
#include <getopt.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "ca/link/admin.h"
#include "ca/x509/name.h"
#include "ra/ractl.h"

enum { TEXT_MAX = 64 * 1024, CERTIFICATE_MAX = 64 * 1024 };

struct bundle {
    const char *profile; /* NULL: the first registered one */
    const char *output;  /* NULL: stdout only */
    json_t *answer;
    X509 *root;
    X509 *issuing;
    X509 *ra;
    char *recipient; /* "/C=SE/CN=x" */
    char *url;       /* with the profile */
    bool tls;
    struct buf text;
    struct err e;
    int result;
};

static const char *
member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    return value == NULL ? "" : value;
}

/* ---- text ---- */

__attribute__((format(printf, 2, 3))) static void
add(struct bundle *b, const char *fmt, ...)
{
    va_list ap;
    char *line = NULL;

    va_start(ap, fmt);
    if (vasprintf(&line, fmt, ap) < 0) {
        abort();
    }
    va_end(ap);
    if (b->result == 0 && buf_append_str(&b->text, line, &b->e) != 0) {
        b->result = -1;
    }
    mem_free(line);
}

/* One word for the shell. */
static char *
quoted(const char *word)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(TEXT_MAX);
    struct err e;

    (void)buf_append_str(&out, "'", &e);
    for (const char *p = word; *p != '\0'; p++) {
        (void)(*p == '\'' ? buf_append_str(&out, "'\\''", &e)
                          : buf_append(&out, span_of(p, 1), &e));
    }
    (void)buf_append_str(&out, "'", &e);
    return mem_printf("%.*s", (int)out.n, (const char *)out.p);
}

/* As openssl cmp takes a name: /C=SE/O=x/CN=y with / and + and \ escaped. */
static char *
slashed(const X509_NAME *name, struct err *e)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(TEXT_MAX);

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

    return base64_parse(member(answer, name), &der, e) == 0 ? certificate_parse(buf_span(&der), e)
                                                            : NULL;
}

static const char *
choose_profile(struct bundle *b)
{
    const json_t *profiles =
        json_object_get(json_object_get(b->answer, "registration"), "profiles");
    const json_t *profile;
    size_t i;

    json_array_foreach(profiles, i, profile)
    {
        const char *name = member(profile, "name");

        if (b->profile == NULL || strcmp(b->profile, name) == 0) {
            return name;
        }
    }
    (void)err_set(&b->e, ERR_INPUT, "profile %.60s is not registered; see `nfpki-ractl show %s`",
                  b->profile == NULL ? "?" : b->profile, member(b->answer, "id"));
    return NULL;
}

static int
take_answer(struct bundle *b)
{
    const char *url =
        json_string_value(json_array_get(json_object_get(b->answer, "publicUrls"), 0));
    const char *profile = choose_profile(b);

    b->root = certificate_of(b->answer, "root", &b->e);
    b->issuing = certificate_of(b->answer, "issuing", &b->e);
    b->ra = certificate_of(b->answer, "ra", &b->e);
    if (profile == NULL || url == NULL || b->root == NULL || b->issuing == NULL || b->ra == NULL) {
        return -1;
    }
    b->profile = profile;
    b->url = mem_printf("%s/p/%s", url, profile);
    b->tls = strncmp(url, "https:", 6) == 0;
    b->recipient = slashed(X509_get_subject_name(b->issuing), &b->e);
    return b->recipient == NULL ? -1 : 0;
}

/* ---- commands ---- */

static void
add_command(struct bundle *b, const char *what, const char *arguments)
{
    CLEANUP(mem_cleanup) char *url = quoted(b->url);
    CLEANUP(mem_cleanup) char *recipient = quoted(b->recipient);

    add(b, "openssl cmp -cmd %s -server %s -recipient %s -trusted root.pem%s %s\n", what, url,
        recipient, b->tls ? " -tls_used -tls_trusted tls-root.pem" : "", arguments);
}

/* Options that prove who asks, by kind of proof. The subject is the registered one, whose parts
 * have no character that would need quoting: nothing of the request is replaced then. */
static void
add_first(struct bundle *b)
{
    const json_t *registration = json_object_get(b->answer, "registration");
    const char *kind = member(b->answer, "proof");
    CLEANUP(mem_cleanup) char *reference = quoted(member(b->answer, "reference"));
    CLEANUP(mem_cleanup)
    char *subject = mem_printf("/C=%s/O=%s", member(registration, "country"),
                               member(registration, "homeDomain"));
    CLEANUP(mem_cleanup) char *proof = NULL;
    CLEANUP(mem_cleanup) char *enrol = NULL;
    CLEANUP(mem_cleanup) char *csr = NULL;

    if (strcmp(kind, "mac") == 0) {
        add(b, "# Put the one-time secret, which was shown when the registration was made, into\n"
               "# secret.txt, readable by its owner alone.\n");
        proof = mem_printf("-ref %s -secret file:secret.txt", reference);
    } else if (strcmp(kind, "publicKey") == 0) {
        add(b, "# nf.key is the registered key: it is not made here.\n");
        add(b,
            "openssl req -x509 -new -key nf.key -subj %s -days 1 -addext "
            "basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature -out "
            "self.pem\n",
            subject);
        proof = mem_strdup("-cert self.pem -key nf.key -extracerts self.pem");
    } else {
        add(b, "# initial.pem is the registered certificate, initial.key its key%s.\n",
            strcmp(kind, "vendor") == 0 ? ", vendor-chain.pem\n# the certificates up to the "
                                          "vendor's root (without it)"
                                        : "");
        proof = mem_strdup(strcmp(kind, "vendor") == 0
                               ? "-cert initial.pem -key initial.key -extracerts vendor-chain.pem"
                               : "-cert initial.pem -key initial.key -extracerts initial.pem");
    }
    if (strcmp(kind, "publicKey") != 0) {
        add(b, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out nf.key\n");
    }
    enrol = mem_printf("%s -subject %s -newkey nf.key -certout nf.pem -chainout chain.pem", proof,
                       subject);
    add_command(b, "ir", enrol);
    add(b, "\n# enrol with PKCS #10 instead (p10cr)\n");
    add(b, "openssl req -new -key nf.key -subj %s -out nf.csr\n", subject);
    csr = mem_printf("%s -csr nf.csr -certout nf.pem -chainout chain.pem", proof);
    add_command(b, "p10cr", csr);
}

static void
add_commands(struct bundle *b)
{
    add(b, "\n# enrol (ir)\n");
    add_first(b);
    add(b, "\n# ask what keys are wanted (genm)\n");
    add_command(b, "genm",
                "-cert nf.pem -key nf.key -extracerts issuing.pem -infotype signKeyPairTypes");
    add(b, "\n# renew with a new key (kur); new.pem and new.key then take the place of nf.*\n");
    add(b, "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out new.key\n");
    add_command(
        b, "kur",
        "-cert nf.pem -key nf.key -extracerts issuing.pem -newkey new.key -certout new.pem");
    add(b, "\n# revoke: the function is gone (rr, cessationOfOperation)\n");
    add_command(b, "rr",
                "-cert nf.pem -key nf.key -extracerts issuing.pem -oldcert nf.pem -revreason 5");
}

/* ---- the whole ---- */

static void
add_pem(struct bundle *b, const char *name, X509 *certificate)
{
    CLEANUP(bio_cleanup) BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    long n;

    if (bio == NULL || PEM_write_bio_X509(bio, certificate) != 1) {
        b->result = ossl_err(&b->e, ERR_CRYPTO, "PEM");
        return;
    }
    n = BIO_get_mem_data(bio, &text);
    add(b, "cat >%s <<'PEM'\n%.*sPEM\n", name, (int)n, text);
}

/* Where the CRL is: as our own RA's certificate says, which has the same issuer. */
static char *
crl_url(X509 *certificate)
{
    STACK_OF(DIST_POINT) *points =
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    const DIST_POINT *point = sk_DIST_POINT_num(points) > 0 ? sk_DIST_POINT_value(points, 0) : NULL;
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

static void
add_values(struct bundle *b)
{
    const json_t *registration = json_object_get(b->answer, "registration");
    CLEANUP(mem_cleanup) char *issuer = name_text(X509_get_subject_name(b->issuing));
    CLEANUP(mem_cleanup) char *sender = name_text(X509_get_subject_name(b->ra));
    CLEANUP(mem_cleanup) char *crl = crl_url(b->ra);
    const json_t *url;
    const json_t *profile;
    size_t i;

    add(b, "#!/bin/sh -e\n# Onboarding of network function %s\n",
        member(registration, "nfInstanceId"));
    add(b, "# registration     %s, %s, until %s\n", member(b->answer, "id"),
        member(b->answer, "state"), member(b->answer, "notAfter"));
    json_array_foreach(json_object_get(b->answer, "publicUrls"), i, url)
    {
        add(b, "# CMP URL          %s\n", json_string_value(url));
    }
    add(b, "# with the profile %s\n", b->url);
    json_array_foreach(json_object_get(registration, "profiles"), i, profile)
    {
        add(b, "# profile          %s, %lld days at most\n", member(profile, "name"),
            (long long)json_integer_value(json_object_get(profile, "maxValidityDays")));
    }
    add(b, "# recipient        %s\n# issuer           %s\n", b->recipient, issuer);
    add(b, "# answers are from %s (or the recipient, with a shared secret)\n", sender);
    add(b, "# proof            %s\n", member(b->answer, "proof"));
    if (member(b->answer, "reference")[0] != '\0') {
        add(b, "# reference        %s\n", member(b->answer, "reference"));
    }
    add(b, "# CRL              %s\n", crl);
    add(b, "# trust            root.pem (anchor), issuing.pem (in between)%s\n",
        b->tls ? ", tls-root.pem (of the server)" : "");
}

static int
render(struct bundle *b)
{
    add_values(b);
    add(b, "\n# trust anchor, and the chain below it\n");
    add_pem(b, "root.pem", b->root);
    add_pem(b, "issuing.pem", b->issuing);
    if (b->tls) {
        add(b, "cat >tls-root.pem <<'PEM'\n%sPEM\n", member(b->answer, "tlsRoot"));
    }
    add_commands(b);
    return b->result;
}

static int
save(struct bundle *b)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/bundle.sh", b->output);

    if (file_mkdirs(b->output, 0700, &b->e) != 0 ||
        file_create(path, buf_span(&b->text), 0600, &b->e) != 0) {
        return -1;
    }
    (void)fprintf(stderr, "%s: run its commands in %s\n", path, b->output);
    return 0;
}

static int
parse(int argc, char **argv, struct bundle *b)
{
    static const struct option options[] = {
        {"profile", required_argument, NULL, 'p'},
        {"output", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "p:o:", options, NULL)) != -1) {
        switch (option) {
        case 'p':
            b->profile = optarg;
            break;
        case 'o':
            b->output = optarg;
            break;
        default:
            return -1;
        }
    }
    return argc - optind == 1 ? 0 : -1;
}

static int
make(struct bundle *b, const char *id)
{
    CLEANUP(admin_json_cleanup)
    json_t *request = json_pack("{s:s, s:s}", "command", "bundle", "id", id);

    b->answer = admin_ask(ractl_socket, request, RACTL_TIMEOUT_MS, &b->e);
    if (b->answer == NULL) {
        return ractl_explain(&b->e);
    }
    if (ractl_json) {
        ractl_print_json(b->answer);
        return ractl_finish();
    }
    if (take_answer(b) != 0 || render(b) != 0) {
        return ractl_complain(&b->e);
    }
    if (b->output != NULL) {
        return save(b) == 0 ? 0 : ractl_complain(&b->e);
    }
    (void)fwrite(b->text.p, 1, b->text.n, stdout);
    return ractl_finish();
}

int
ractl_bundle(int argc, char **argv)
{
    struct bundle b = {.text = BUF_INIT(TEXT_MAX)};
    int status;

    if (parse(argc, argv, &b) != 0) {
        return cmd_misuse(&ractl_program, argv[0]);
    }
    status = make(&b, argv[optind]);
    json_decref(b.answer);
    X509_free(b.root);
    X509_free(b.issuing);
    X509_free(b.ra);
    mem_free(b.recipient);
    mem_free(b.url);
    buf_free(&b.text);
    return status;
}
