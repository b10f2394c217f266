/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/client/hello.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pkcs11/client/client.h"

static int
parse_hello(const struct signer_frame *frame, struct signer_hello *out, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    struct span spki;

    if (frame->bytes.n < SIGNER_HELLO_HEAD || frame->bytes.p[0] != SIGNER_PROTOCOL_VERSION) {
        return err_set(e, ERR_TOKEN, "the signer speaks another version: install both anew");
    }
    spki = span_of(frame->bytes.p + SIGNER_HELLO_HEAD, frame->bytes.n - SIGNER_HELLO_HEAD);
    key = key_public_parse(spki, &out->algorithm, e);
    if (key == NULL || buf_set(&out->spki, spki, e) != 0) {
        return err_wrap(e, "the signer's HELLO");
    }
    out->software = (frame->detail & SIGNER_HELLO_SOFTWARE) != 0;
    out->anchor = (frame->detail & SIGNER_HELLO_ANCHOR) != 0;
    out->counts.attempts = frame->number;
    out->counts.signatures = signer_number_get(frame->bytes.p + 1 + SHA256_SIZE);
    if (out->counts.signatures > out->counts.attempts) {
        return err_set(e, ERR_TOKEN, "the signer's HELLO: more signatures than attempts");
    }
    memcpy(out->policy_hash, frame->bytes.p + 1, SHA256_SIZE);
    return 0;
}

/* The reason in a FAILED or REFUSED frame, as the signer gave it. */
int
signer_reason(const struct signer_frame *frame, struct err *e)
{
    enum err_code code = frame->detail > ERR_NONE && frame->detail <= ERR_STALE
                             ? (enum err_code)frame->detail
                             : ERR_TOKEN;
    int n = frame->bytes.n < sizeof(e->text) ? (int)frame->bytes.n : (int)sizeof(e->text) - 1;

    return err_set(e, code, "%.*s", n, (const char *)frame->bytes.p);
}

/* One frame from the signer into `in`. */
int
signer_read_frame(int fd, int timeout_ms, struct buf *in, struct signer_frame *frame, struct err *e)
{
    buf_truncate(in, 0);
    if (frame_read(fd, SIGNER_ANSWER_MAX, in, timeout_ms, e) != 0) {
        return -1;
    }
    return signer_frame_decode(buf_span(in), frame, e);
}

static int
run_program(const char *program, const char *policy, int pin_fd, bool self_test,
            struct child *child, struct err *e)
{
    /* execv() does not write to its arguments, but its type says so. */
    CLEANUP(mem_cleanup) char *path = mem_strdup(program);
    CLEANUP(mem_cleanup) char *policy_path = mem_strdup(policy);
    char policy_option[] = "--policy";
    char pin_option[] = "--pin-fd";
    char pin_number[] = "4";
    char self_option[] = "--self-test";
    char *argv[7] = {path, policy_option, policy_path};
    size_t n = 3;

    if (pin_fd >= 0) {
        (void)lseek(pin_fd, 0, SEEK_SET); /* a pipe cannot, and then serves one start only */
        argv[n++] = pin_option;
        argv[n++] = pin_number;
    }
    if (self_test) {
        argv[n++] = self_option;
    }
    return child_start(argv, pin_fd, child, e);
}

/* The HELLO of who is at the other end of child->fd. The child is gone again after a failure. */
static int
read_hello(const char *name, int timeout_ms, struct child *child, struct buf *in,
           struct signer_hello *hello, struct err *e)
{
    struct signer_frame frame = {0};
    int result = signer_read_frame(child->fd, timeout_ms, in, &frame, e);

    if (result != 0) {
        if (e->code == ERR_NOTFOUND || e->code == ERR_BUSY || e->code == ERR_IO) {
            e->code = ERR_TOKEN;
        }
        (void)err_wrap(e, "%s gave no HELLO (see its log)", name);
    } else if (frame.type == SIGNER_FAILED) {
        result = signer_reason(&frame, e);
    } else if (frame.type != SIGNER_HELLO) {
        result = err_set(e, ERR_TOKEN, "the signer began with a frame of type %d", (int)frame.type);
    } else {
        result = parse_hello(&frame, hello, e);
    }
    if (result != 0) {
        child_stop(child, 0);
    }
    return result;
}

int
signer_greet(const char *program, const char *policy, int pin_fd, bool self_test, int timeout_ms,
             struct child *child, struct buf *in, struct signer_hello *hello, struct err *e)
{
    if (run_program(program, policy, pin_fd, self_test, child, e) != 0) {
        return -1;
    }
    return read_hello(program, timeout_ms, child, in, hello, e);
}

int
signer_call(const char *socket, int timeout_ms, struct child *child, struct buf *in,
            struct signer_hello *hello, struct unix_peer *who, struct err *e)
{
    *child = (struct child){.pid = -1, .fd = unix_connect(socket, false, e)};
    if (child->fd < 0) {
        e->code = ERR_TOKEN; /* it may be there a moment later */
        return -1;
    }
    if (unix_peer(child->fd, who, e) != 0) {
        child_stop(child, 0);
        return -1;
    }
    return read_hello(socket, timeout_ms, child, in, hello, e);
}

/* The PROVED frame: compares and verifies. */
static int
check_proof(const struct signer_frame *frame, const struct signer_hello *hello, struct span spki,
            bool *signed_text, struct err *e)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    enum key_algorithm algorithm;

    if (frame->type == SIGNER_FAILED) {
        return signer_reason(frame, e);
    }
    if (frame->type != SIGNER_PROVED) {
        return err_set(e, ERR_TOKEN, "the signer answered with a frame of type %d",
                       (int)frame->type);
    }
    if (!span_equal(buf_span(&hello->spki), spki)) {
        return err_set(e, ERR_DENIED, "the fresh process found another public key");
    }
    key = key_public_parse(spki, &algorithm, e);
    if (key == NULL) {
        return -1;
    }
    if (signed_text != NULL) {
        *signed_text = frame->detail == 1;
    }
    return frame->detail == 0
               ? 0
               : key_public_verify(key, algorithm, SIGNER_SELF_TEST_TEXT, frame->bytes, e);
}

int
signer_self_test(const char *program, const char *policy, int pin_fd, int timeout_ms,
                 struct span spki, bool *signed_text, struct err *e)
{
    CLEANUP(buf_free) struct buf in = BUF_INIT(SIGNER_ANSWER_MAX);
    struct signer_hello hello = {.spki = BUF_INIT(SPKI_MAX)};
    struct child child = {.pid = -1, .fd = -1};
    struct signer_frame frame = {0};
    int timeout = timeout_ms == 0 ? SIGNER_TIMEOUT_MS : timeout_ms;
    int result = signer_greet(program, policy, pin_fd, true, timeout, &child, &in, &hello, e);

    if (result == 0) {
        result = signer_read_frame(child.fd, timeout, &in, &frame, e);
        result = result != 0 ? result : check_proof(&frame, &hello, spki, signed_text, e);
        child_stop(&child, result == 0 ? SIGNER_GRACE_MS : 0);
    }
    buf_free(&hello.spki);
    return result;
}
