/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An officer's private key is used here, in the officer's own process, and goes nowhere else: the
 * daemon gets what was signed. A key in a token signs with the officer's own tools, the document
 * of `pending --document`, and comes back with --signed.
 */
#include <getopt.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "ca/cactl/cactl.h"
#include "ca/cactl/officer.h"
#include "ca/link/admin.h"
#include "ca/registration/approval.h"
#include "ca/x509/pem.h"

struct options {
    const char *certificate;
    const char *key;
    const char *signed_file;
    const char *reason;
    const char *rid;
    const char *decision; /* pending --document */
    int passphrase_fd;    /* -1: ask at the terminal */
    bool document;
    bool json;
    bool yes;
};

static int
parse_options(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"certificate", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"passphrase-fd", required_argument, NULL, 'p'},
        {"signed", required_argument, NULL, 's'},
        {"reason", required_argument, NULL, 'r'},
        {"decision", required_argument, NULL, 'd'},
        {"document", required_argument, NULL, 'D'},
        {"json", no_argument, NULL, 'j'},
        {"yes", no_argument, NULL, 'y'},
        {NULL, 0, NULL, 0},
    };
    char *end = NULL;
    int option;

    *o = (struct options){.passphrase_fd = -1};
    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "c:k:p:s:r:d:D:jy", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            o->certificate = optarg;
            break;
        case 'k':
            o->key = optarg;
            break;
        case 'p':
            o->passphrase_fd = (int)strtol(optarg, &end, 10);
            if (*optarg == '\0' || *end != '\0' || o->passphrase_fd < 0) {
                return -1;
            }
            break;
        case 's':
            o->signed_file = optarg;
            break;
        case 'r':
            o->reason = optarg;
            break;
        case 'd':
            o->decision = optarg;
            break;
        case 'D':
            o->document = true;
            o->rid = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'y':
            o->yes = true;
            break;
        default:
            return -1;
        }
    }
    if (argc - optind == 1 && o->rid == NULL) {
        o->rid = argv[optind++];
    }
    return argc == optind ? 0 : -1;
}

/* ---- what waits ---- */

static const char *
text_of(const json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));

    return text == NULL ? "-" : text;
}

static void
print_texts(FILE *out, const char *label, const json_t *array)
{
    (void)fprintf(out, "  %-12s", label);
    for (size_t i = 0; i < json_array_size(array); i++) {
        (void)fprintf(out, " %s", json_string_value(json_array_get(array, i)));
    }
    (void)fprintf(out, "\n");
}

static void
print_entry(FILE *out, const json_t *entry)
{
    const json_t *decisions = json_object_get(entry, "decisions");
    const char *requester = text_of(entry, "requester");

    (void)fprintf(out, "%s\n", text_of(entry, "rid"));
    (void)fprintf(out, "  %-12s %s\n", "NF", text_of(entry, "nfInstanceId"));
    print_texts(out, "types", json_object_get(entry, "nfTypes"));
    print_texts(out, "FQDNs", json_object_get(entry, "fqdns"));
    (void)fprintf(out, "  %-12s %s\n", "domain", text_of(entry, "homeDomain"));
    (void)fprintf(out, "  %-12s %s\n", "profile", text_of(entry, "profile"));
    (void)fprintf(out, "  %-12s SHA-256 %s\n", "public key", text_of(entry, "publicKey"));
    (void)fprintf(out, "  %-12s %s\n", "registration", text_of(entry, "registration"));
    (void)fprintf(out, "  %-12s %s %s\n", "asked by", text_of(entry, "assurance"), requester);
    (void)fprintf(out, "  %-12s %s to %s\n", "waits", text_of(entry, "since"),
                  text_of(entry, "expires"));
    (void)fprintf(out, "  %-12s %lld of %lld, %lld missing\n", "approved",
                  (long long)json_integer_value(json_object_get(entry, "approved")),
                  (long long)json_integer_value(json_object_get(entry, "approvals")),
                  (long long)json_integer_value(json_object_get(entry, "missing")));
    for (size_t i = 0; i < json_array_size(decisions); i++) {
        const json_t *d = json_array_get(decisions, i);

        (void)fprintf(out, "  %-12s %s %s%s\n", "", text_of(d, "decision"), text_of(d, "subject"),
                      json_is_true(json_object_get(d, "counts")) ? "" : " (revoked: not counted)");
    }
}

/* The request with this rid, or everything; NULL after a failure that was printed. */
static json_t *
get_pending(const char *rid, int *status)
{
    json_t *request = json_pack("{s:s}", "command", "pending");

    if (rid != NULL) {
        (void)json_object_set_new(request, "rid", json_string(rid));
    }
    return cactl_ask(request, status);
}

/* ---- the document ---- */

static int
copy(const json_t *entry, const char *name, char *out, size_t size, struct err *e)
{
    const char *text = json_string_value(json_object_get(entry, name));

    return text != NULL && (size_t)snprintf(out, size, "%s", text) < size
               ? 0
               : err_set(e, ERR_INPUT, "the daemon's answer: %s", name);
}

static int
make_approval(const json_t *entry, bool approves, const char *reason, struct approval *out,
              struct err *e)
{
    const char *rid = text_of(entry, "rid");
    const char *key = text_of(entry, "publicKey");
    struct approval again;
    CLEANUP(mem_cleanup) char *document = NULL;

    memset(out, 0, sizeof(*out));
    out->approves = approves;
    out->time = clock_now();
    if (hex_parse(rid, out->rid, sizeof(out->rid), e) != 0 ||
        hex_parse(key, out->public_key, sizeof(out->public_key), e) != 0 ||
        copy(entry, "registration", out->registration, sizeof(out->registration), e) != 0 ||
        copy(entry, "nfInstanceId", out->nf_instance, sizeof(out->nf_instance), e) != 0 ||
        copy(entry, "profile", out->profile, sizeof(out->profile), e) != 0 ||
        time_parse(text_of(entry, "expires"), &out->expires, e) != 0) {
        return -1;
    }
    if (reason != NULL &&
        (size_t)snprintf(out->reason, sizeof(out->reason), "%s", reason) >= sizeof(out->reason)) {
        return err_set(e, ERR_INPUT, "--reason: at most %zu characters", sizeof(out->reason) - 1);
    }
    /* The daemon would say the same, later. */
    document = approval_format(out);
    return approval_parse(span_str(document), &again, e);
}

static int
print_document(const struct options *o, const json_t *entry)
{
    CLEANUP(mem_cleanup) char *document = NULL;
    bool approves = o->decision == NULL || strcmp(o->decision, "approve") == 0;
    struct approval approval;
    struct err e = {0};

    if (!approves && strcmp(o->decision, "reject") != 0) {
        return cactl_misuse("pending");
    }
    if (make_approval(entry, approves, o->reason, &approval, &e) != 0) {
        return cactl_fail(&e);
    }
    document = approval_format(&approval);
    (void)fputs(document, stdout);
    return 0;
}

int
cactl_pending(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    const json_t *list;
    struct options o;
    int status = 0;

    if (parse_options(argc, argv, &o) != 0 || o.certificate != NULL || o.key != NULL ||
        o.signed_file != NULL || (!o.document && (o.reason != NULL || o.decision != NULL))) {
        return cactl_misuse(argv[0]);
    }
    answer = get_pending(o.rid, &status);
    list = json_object_get(answer, "pending");
    if (answer == NULL) {
        return status;
    }
    if (o.document) {
        return print_document(&o, json_array_get(list, 0));
    }
    if (o.json) {
        (void)json_dumpf(list, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
        (void)printf("\n");
        return 0;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        print_entry(stdout, json_array_get(list, i));
    }
    return 0;
}

/* ---- the officer's signature ---- */

/* Shows what is to be signed and asks. */
static int
confirm(const json_t *entry, bool approves, bool yes, struct err *e)
{
    print_entry(stderr, entry);
    return officer_confirm(approves ? "Approve" : "Reject", yes, e);
}

static int
sign(const struct options *o, const json_t *entry, bool approves, struct buf *cms, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(mem_cleanup) char *document = NULL;
    struct approval approval;

    if (make_approval(entry, approves, o->reason, &approval, e) != 0 ||
        confirm(entry, approves, o->yes, e) != 0) {
        return -1;
    }
    certificate = certificate_load(o->certificate, e);
    if (certificate == NULL) {
        return -1;
    }
    key = officer_key_load(o->key, o->passphrase_fd, "--signed", e);
    if (key == NULL) {
        return -1;
    }
    document = approval_format(&approval);
    return approval_sign(span_str(document), certificate, key, cms, e);
}

/* The decision that was signed is that of the command: the daemon believes the document. */
static int
check_signed(struct span cms, bool approves, struct err *e)
{
    static const char *const labels[] = {"CMS", "PKCS7", NULL};
    CLEANUP(buf_free) struct buf der = BUF_INIT(APPROVAL_CMS_MAX);
    CLEANUP(cms_cleanup) CMS_ContentInfo *parsed = NULL;
    ASN1_OCTET_STRING **content = NULL;
    const unsigned char *p;
    struct approval approval;

    if (pem_unwrap(cms, labels, "the signed approval", &der, e) != 0) {
        return -1;
    }
    p = der.p;
    parsed = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    content = parsed == NULL ? NULL : CMS_get0_content(parsed);
    if (content == NULL || *content == NULL) {
        return ossl_err(e, ERR_INPUT, "no CMS with its content: sign with -nodetach");
    }
    if (approval_parse(
            span_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content)),
            &approval, e) != 0) {
        return -1;
    }
    return approval.approves == approves ? 0
                                         : err_set(e, ERR_INPUT, "what was signed says \"%s\"",
                                                   approval.approves ? "approve" : "reject");
}

static int
hand_in(struct span cms)
{
    CLEANUP(mem_cleanup) char *text = base64_dup(cms);

    return cactl_print_answer(json_pack("{s:s,s:s}", "command", "approve", "cms", text));
}

static int
hand_in_file(const char *path, bool approves)
{
    CLEANUP(buf_free) struct buf cms = BUF_INIT(2 * APPROVAL_CMS_MAX);
    struct err e = {0};

    if (file_read(path, &cms, &e) != 0 || check_signed(buf_span(&cms), approves, &e) != 0) {
        return cactl_fail(&e);
    }
    return hand_in(buf_span(&cms));
}

int
cactl_approve(int argc, char **argv)
{
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    CLEANUP(buf_free) struct buf cms = BUF_INIT(APPROVAL_CMS_MAX);
    bool approves = strcmp(argv[0], "approve") == 0;
    struct options o;
    struct err e = {0};
    int status = 0;

    if (parse_options(argc, argv, &o) != 0 || o.document || o.json || o.decision != NULL) {
        return cactl_misuse(argv[0]);
    }
    if (o.signed_file != NULL) {
        return o.certificate != NULL || o.key != NULL || o.rid != NULL || o.reason != NULL
                   ? cactl_misuse(argv[0])
                   : hand_in_file(o.signed_file, approves);
    }
    if (o.certificate == NULL || o.key == NULL || o.rid == NULL) {
        return cactl_misuse(argv[0]);
    }
    answer = get_pending(o.rid, &status);
    if (answer == NULL) {
        return status;
    }
    if (sign(&o, json_array_get(json_object_get(answer, "pending"), 0), approves, &cms, &e) != 0) {
        return cactl_fail(&e);
    }
    return hand_in(buf_span(&cms));
}
