/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nfpki-ractl export-certificates: what the RA has, in a file that nfpki-ca --restore --adopt
 * takes. The CA verifies each of them: nothing in the file is believed for being in it.
 */
#include <getopt.h>
#include <openssl/pem.h>
#include <stdio.h>

#include "base/file.h"
#include "base/ossl.h"
#include "base/validity.h"
#include "ca/link/admin.h"
#include "ra/ractl/ractl.h"

enum { PAGE = 200, FILE_MAX = 128 * 1024 * 1024, DER_MAX = 8192, PUBLIC_MODE = 0644 };

struct exporting {
    const char *output;
    const char *since_text;
    time_t since;
    struct buf text;
    size_t n;
    size_t revoked;
};

static int
parse(int argc, char **argv, struct exporting *x)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},
        {"since", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int option;

    optind = 0; /* glibc: begin anew, with options anywhere */
    while ((option = getopt_long(argc, argv, "o:s:", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            x->output = optarg;
            break;
        case 's':
            x->since_text = optarg;
            break;
        default:
            return -1;
        }
    }
    return argc == optind && x->output != NULL && !ractl_json ? 0 : -1;
}

/* What is between the certificates is for who reads the file. */
static int
append(struct exporting *x, const json_t *row, const X509 *certificate, struct err *e)
{
    const bool revoked = json_is_true(json_object_get(row, "revoked"));
    CLEANUP(mem_cleanup)
    char *head = mem_printf("# registration %s, %s%s\n", ractl_text(row, "registration"),
                            ractl_text(row, "profile"), revoked ? ", revoked or rejected" : "");
    CLEANUP(bio_cleanup) BIO *out = BIO_new(BIO_s_mem());
    const char *text = NULL;
    long n;

    if (out == NULL || PEM_write_bio_X509(out, certificate) != 1) {
        return ossl_err(e, ERR_CRYPTO, "write a certificate");
    }
    n = BIO_get_mem_data(out, &text);
    x->n++;
    x->revoked += revoked ? 1 : 0;
    return buf_append_str(&x->text, head, e) != 0 ||
                   buf_append(&x->text, span_of(text, (size_t)n), e) != 0
               ? err_wrap(e, "more than fits into one file: give --since")
               : 0;
}

static int
take_row(struct exporting *x, const json_t *row, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(DER_MAX);
    CLEANUP(x509_cleanup) X509 *certificate = NULL;
    time_t begin;
    time_t end;

    if (base64_parse(ractl_text(row, "certificate"), &der, e) != 0) {
        return -1;
    }
    certificate = certificate_parse_keyless(buf_span(&der), e);
    if (certificate == NULL || validity_read(certificate, &begin, &end, e) != 0) {
        return -1;
    }
    return begin < x->since ? 0 : append(x, row, certificate, e);
}

static int
take_page(struct exporting *x, json_int_t *after, bool *more, struct err *e)
{
    CLEANUP(admin_json_cleanup)
    json_t *request =
        json_pack("{s:s, s:I, s:i}", "command", "certificates", "after", *after, "limit", PAGE);
    CLEANUP(admin_json_cleanup)
    json_t *page = admin_ask(ractl_socket, request, RACTL_TIMEOUT_MS, e);
    const json_t *next = json_object_get(page, "next");
    const json_t *row;
    size_t i;

    if (page == NULL) {
        return -1;
    }
    json_array_foreach(json_object_get(page, "certificates"), i, row)
    {
        if (take_row(x, row, e) != 0) {
            return err_wrap(e, "a certificate of registration %s", ractl_text(row, "registration"));
        }
    }
    *more = next != NULL;
    *after = json_integer_value(next);
    return 0;
}

static int
take_all(struct exporting *x, struct err *e)
{
    json_int_t after = 0;
    bool more = true;

    if (x->since_text != NULL && time_parse(x->since_text, &x->since, e) != 0) {
        return err_wrap(e, "--since");
    }
    while (more) {
        if (take_page(x, &after, &more, e) != 0) {
            return -1;
        }
    }
    return file_create(x->output, buf_span(&x->text), PUBLIC_MODE, e);
}

int
ractl_export_certificates(int argc, char **argv)
{
    struct exporting x = {.text = BUF_INIT(FILE_MAX)};
    struct err e;
    int result;

    if (parse(argc, argv, &x) != 0) {
        return ractl_misuse(argv[0]);
    }
    result = take_all(&x, &e);
    buf_free(&x.text);
    if (result != 0) {
        return ractl_explain(&e);
    }
    (void)fprintf(stderr, "%s: %zu certificates\n", x.output, x.n);
    if (x.revoked > 0) {
        (void)fprintf(stderr,
                      "%zu of them are revoked or rejected, as this RA knows: what is adopted of "
                      "them is to be revoked again\n",
                      x.revoked);
    }
    return 0;
}
