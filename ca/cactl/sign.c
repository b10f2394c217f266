/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an officer signs that is not about a request. No daemon is asked: a restore is signed while
 * none runs, and perhaps on another machine. The octets that are signed are those that were shown.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "ca/cactl/cactl.h"
#include "ca/cactl/document.h"
#include "ca/cactl/officer.h"
#include "ca/registration/approval.h"
#include "ca/registration/envelope.h"

enum { PUBLIC_MODE = 0644 };

struct options {
    const char *certificate;
    const char *key;
    const char *out;
    const char *document;
    int passphrase_fd; /* -1: ask at the terminal */
    bool show;
    bool yes;
};

static int
parse_options(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"certificate", required_argument, NULL, 'c'},
        {"key", required_argument, NULL, 'k'},
        {"passphrase-fd", required_argument, NULL, 'p'},
        {"out", required_argument, NULL, 'o'},
        {"show", no_argument, NULL, 's'},
        {"yes", no_argument, NULL, 'y'},
        {NULL, 0, NULL, 0},
    };
    char *end = NULL;
    int option;

    *o = (struct options){.passphrase_fd = -1};
    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "c:k:p:o:sy", options, NULL)) != -1) {
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
        case 'o':
            o->out = optarg;
            break;
        case 's':
            o->show = true;
            break;
        case 'y':
            o->yes = true;
            break;
        default:
            return -1;
        }
    }
    if (argc - optind != 1) {
        return -1;
    }
    o->document = argv[optind];
    return o->show ? (o->certificate != NULL || o->key != NULL || o->out != NULL ? -1 : 0)
                   : (o->certificate == NULL || o->key == NULL || o->out == NULL ? -1 : 0);
}

static int
sign(const struct options *o, struct span document, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = certificate_load(o->certificate, e);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    CLEANUP(buf_free) struct buf cms = BUF_INIT(ENVELOPE_MAX);

    if (certificate == NULL) {
        return -1;
    }
    key = officer_key_load(o->key, o->passphrase_fd, "EXAMPLES in nfpki-cactl(8)", e);
    return key == NULL || approval_sign(document, certificate, key, &cms, e) != 0
               ? -1
               : file_create(o->out, buf_span(&cms), PUBLIC_MODE, e);
}

int
cactl_sign(int argc, char **argv)
{
    CLEANUP(buf_free) struct buf document = BUF_INIT(ENVELOPE_CONTENT_MAX);
    CLEANUP(mem_cleanup) char *shown = NULL;
    const char *question;
    struct options o;
    struct err e = {0};

    if (parse_options(argc, argv, &o) != 0) {
        return cactl_misuse(argv[0]);
    }
    if (file_read(o.document, &document, &e) != 0) {
        return cactl_fail(&e);
    }
    shown = document_read(buf_span(&document), &question, &e);
    if (shown == NULL) {
        (void)err_wrap(&e, "%s", o.document);
        return cactl_fail(&e);
    }
    (void)fputs(shown, o.show ? stdout : stderr);
    if (o.show) {
        return 0;
    }
    return officer_confirm(question, o.yes, &e) != 0 || sign(&o, buf_span(&document), &e) != 0
               ? cactl_fail(&e)
               : 0;
}
