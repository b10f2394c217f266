/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/run/self_check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "ceremony/transcript/fact.h"
#include "pkcs11/key_public.h"
#include "pkcs11/secret.h"

enum {
    FRAME_MAX = 16 * 1024,
    TIMEOUT_MS = 60 * 1000,
    REQUEST_FD = 3,
    PIN_FD = 4,
    ORPHAN_SECONDS = 5
};

static int
pin_descriptor(struct span pin, struct err *e)
{
    int fd = memfd_create("pin", MFD_CLOEXEC);

    if (fd < 0 || write(fd, pin.p, pin.n) != (ssize_t)pin.n || lseek(fd, 0, SEEK_SET) != 0) {
        (void)err_errno(e, ERR_IO, errno, "memfd");
        fd_cleanup(&fd);
    }
    return fd;
}

static void
child_cleanup(struct child *child)
{
    child_stop(child, 2000);
}

/* No certificate, CRL or CMP message begins like this. */
#define TEXT SPAN_LITERAL("nfpki-ceremony: a fresh process signs with a new key\n")

static int
verify(const json_t *answer, struct span spki, struct err *e)
{
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = NULL;
    enum key_algorithm algorithm;

    if (fact_base64(answer, "signature", &signature, e) != 0) {
        return -1;
    }
    key = key_public_parse(spki, &algorithm, e);
    return key == NULL ? -1 : key_public_verify(key, algorithm, TEXT, buf_span(&signature), e);
}

/* Sends the request; the answer says that the key was found. NULL + e. */
static json_t *
ask(int fd, const json_t *request, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = json_dumps(request, JSON_COMPACT);
    CLEANUP(buf_free) struct buf answer = BUF_INIT(FRAME_MAX);
    CLEANUP(json_cleanup) json_t *parsed = NULL;

    if (frame_write(fd, span_str(text), TIMEOUT_MS, e) != 0 ||
        frame_read(fd, FRAME_MAX, &answer, TIMEOUT_MS, e) != 0) {
        (void)err_wrap(e, "fresh process");
        return NULL;
    }
    parsed = json_loadb((const char *)answer.p, answer.n, JSON_REJECT_DUPLICATES, NULL);
    if (!fact_is(parsed, "result", "found")) {
        (void)err_set(e, ERR_TOKEN, "a fresh process did not find the key: %s",
                      fact_text(parsed, "reason"));
        return NULL;
    }
    return TAKE(parsed);
}

/* Starts the fresh process and asks it. */
static json_t *
start_and_ask(const json_t *request, struct span pin, struct err *e)
{
    char program[] = "/proc/self/exe";
    char option[] = "--self-check";
    char *argv[] = {program, option, NULL};
    CLEANUP(child_cleanup) struct child child = {.pid = -1, .fd = -1};
    CLEANUP(fd_cleanup) int pin_fd = pin_descriptor(pin, e);

    return pin_fd < 0 || child_start(argv, pin_fd, &child, e) != 0 ? NULL
                                                                   : ask(child.fd, request, e);
}

static json_t *
request_of(const struct token_plan *t, const char *serial, const char *policy, struct span id)
{
    return json_pack("{s:s,s:s?,s:s,s:s,s:s,s:o}", "module", t->module, "config", t->config,
                     "label", t->label, "serial", serial, "policy", policy, "id", fact_of_hex(id));
}

struct span
self_check_text(void)
{
    return TEXT;
}

int
self_check_secret(const struct token_plan *t, const char *serial, const char *policy,
                  struct span id, struct span mac, struct span pin, struct err *e)
{
    CLEANUP(json_cleanup) json_t *request = request_of(t, serial, policy, id);
    CLEANUP(json_cleanup) json_t *answer = start_and_ask(request, pin, e);
    CLEANUP(buf_free) struct buf got = BUF_SECRET(2 * SECRET_MAC_SIZE);

    if (answer == NULL || fact_base64(answer, "mac", &got, e) != 0) {
        return -1;
    }
    return span_equal_secret(buf_span(&got), mac)
               ? 0
               : err_set(e, ERR_TOKEN, "a fresh process got another MAC of the same text");
}

int
self_check(const struct token_plan *t, const char *serial, const char *policy, struct span id,
           struct span spki, struct span pin, bool *signed_text, struct err *e)
{
    const struct key_policy *attributes = key_policy_find(policy, e);
    CLEANUP(json_cleanup) json_t *request = request_of(t, serial, policy, id);
    CLEANUP(json_cleanup) json_t *answer = NULL;

    (void)json_object_set_new(request, "spki", fact_of_base64(spki));
    if (attributes == NULL) {
        return -1;
    }
    *signed_text = !key_policy_always_authenticate(attributes);
    answer = start_and_ask(request, pin, e);
    if (answer == NULL) {
        return -1;
    }
    return *signed_text && verify(answer, spki, e) != 0
               ? err_wrap(e, "the fresh process's signature")
               : 0;
}

static json_t *
find_secret(struct session *session, struct span id, struct err *e)
{
    CLEANUP(secret_cleanup) struct secret *secret = secret_find(session, id, e);
    CLEANUP(buf_free) struct buf mac = BUF_SECRET(SECRET_MAC_SIZE);

    return secret == NULL || secret_mac(secret, TEXT, &mac, e) != 0
               ? NULL
               : json_pack("{s:s,s:o}", "result", "found", "mac", fact_of_base64(buf_span(&mac)));
}

static json_t *
find_pair(struct session *session, const json_t *request, struct span id, struct err *e)
{
    CLEANUP(key_cleanup) struct key *key = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    const struct key_policy *policy = key_policy_find(fact_text(request, "policy"), e);

    if (policy == NULL || fact_base64(request, "spki", &spki, e) != 0) {
        return NULL;
    }
    key = key_find(session, policy, id, buf_span(&spki), e);
    if (key == NULL ||
        (!key_policy_always_authenticate(policy) && key_sign(key, TEXT, &signature, e) != 0)) {
        return NULL;
    }
    return json_pack("{s:s,s:o}", "result", "found", "signature",
                     fact_of_base64(buf_span(&signature)));
}

/* The answer; NULL with the reason. */
static json_t *
find(const json_t *request, struct err *e)
{
    CLEANUP(module_cleanup) struct module *module = NULL;
    CLEANUP(session_cleanup) struct session *session = NULL;
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(255);
    uint8_t id[KEY_ID_SIZE];

    if (fact_hex(request, "id", id, sizeof(id), e) != 0 ||
        secret_read(PIN_FD, "pin", &pin, e) != 0) {
        return NULL;
    }
    module = module_open(fact_text(request, "module"),
                         json_string_value(json_object_get(request, "config")), e);
    session = module == NULL ? NULL
                             : session_open(module, fact_text(request, "label"),
                                            fact_text(request, "serial"), SESSION_READ_ONLY, e);
    if (session == NULL || session_login(session, buf_span(&pin), e) != 0) {
        return NULL;
    }
    return secret_is_policy(fact_text(request, "policy"))
               ? find_secret(session, span_of(id, sizeof(id)), e)
               : find_pair(session, request, span_of(id, sizeof(id)), e);
}

int
self_check_main(void)
{
    CLEANUP(buf_free) struct buf bytes = BUF_INIT(FRAME_MAX);
    CLEANUP(json_cleanup) json_t *request = NULL;
    CLEANUP(json_cleanup) json_t *answer = NULL;
    CLEANUP(mem_cleanup) char *text = NULL;
    struct err e = {0};

    if (proc_finish_calls(ORPHAN_SECONDS, &e) != 0 ||
        frame_read(REQUEST_FD, FRAME_MAX, &bytes, TIMEOUT_MS, &e) != 0) {
        return 4;
    }
    request = json_loadb((const char *)bytes.p, bytes.n, JSON_REJECT_DUPLICATES, NULL);
    answer = find(request, &e);
    if (answer == NULL) {
        answer = json_pack("{s:s,s:s}", "result", "failed", "reason", e.text);
    }
    text = json_dumps(answer, JSON_COMPACT);
    return frame_write(REQUEST_FD, span_str(text), TIMEOUT_MS, &e) == 0 ? 0 : 1;
}
