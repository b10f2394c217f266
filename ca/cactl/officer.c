/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cactl/officer.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"

enum { KEY_FILE_MAX = 64 * 1024, PASSPHRASE_MAX = 1024 };

struct passphrase {
    struct buf text;
    int fd;
    bool asked;
    struct err e;
};

static int
on_passphrase(char *out, int size, int writing, void *arg)
{
    struct passphrase *p = arg;
    int result;

    (void)writing;
    if (p->asked) {
        return -1; /* OpenSSL tries each of its decoders: whoever gave it by --passphrase-fd is not
                    * to be asked at a terminal */
    }
    p->asked = true;
    result = p->fd >= 0 ? secret_read(p->fd, NULL, &p->text, &p->e)
                        : secret_prompt("Passphrase of the key: ", &p->text, &p->e);
    if (result != 0 || p->text.n > (size_t)size) {
        return -1;
    }
    memcpy(out, p->text.p, p->text.n);
    return (int)p->text.n;
}

EVP_PKEY *
officer_key_load(const char *path, int fd, const char *token, struct err *e)
{
    CLEANUP(buf_free) struct buf pem = BUF_SECRET(KEY_FILE_MAX);
    CLEANUP(bio_cleanup) BIO *bio = NULL;
    struct passphrase p = {.text = BUF_SECRET(PASSPHRASE_MAX), .fd = fd};
    EVP_PKEY *key;

    if (file_read(path, &pem, e) != 0) {
        return NULL;
    }
    bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, &p);
    buf_free(&p.text);
    if (key == NULL && p.e.text[0] != '\0') {
        ERR_clear_error();
        *e = p.e;
    } else if (key == NULL) {
        (void)ossl_err(
            e, ERR_INPUT,
            "%s: no private key in PEM, or the passphrase is another one; for a key in a "
            "token see %s",
            path, token);
    }
    return key;
}

int
officer_confirm(const char *what, bool yes, struct err *e)
{
    char line[16] = "";

    if (yes) {
        return 0;
    }
    if (isatty(STDIN_FILENO) == 0) {
        return err_set(e, ERR_INPUT, "there is no terminal to ask at: give --yes");
    }
    (void)fprintf(stderr, "%s? Type yes: ", what);
    if (fgets(line, sizeof(line), stdin) == NULL || strcmp(line, "yes\n") != 0) {
        return err_set(e, ERR_DENIED, "nothing was signed");
    }
    return 0;
}
