/* SPDX-License-Identifier: Apache-2.0 */
#include "ceremony/self_check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "ceremony/fact.h"
#include "pkcs11/key_public.h"

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

static int
ask(int fd, json_t *request, struct span spki, bool signs, struct err *e)
{
    CLEANUP(mem_cleanup) char *text = json_dumps(request, JSON_COMPACT);
    CLEANUP(buf_free) struct buf answer = BUF_INIT(FRAME_MAX);
    CLEANUP(json_cleanup) json_t *parsed = NULL;

    if (frame_write(fd, span_str(text), TIMEOUT_MS, e) != 0 ||
        frame_read(fd, FRAME_MAX, &answer, TIMEOUT_MS, e) != 0) {
        return err_wrap(e, "fresh process");
    }
    parsed = json_loadb((const char *)answer.p, answer.n, JSON_REJECT_DUPLICATES, NULL);
    if (!fact_is(parsed, "result", "found")) {
        return err_set(e, ERR_TOKEN, "a fresh process did not find the key: %s",
                       fact_text(parsed, "reason"));
    }
    if (signs && verify(parsed, spki, e) != 0) {
        return err_wrap(e, "the fresh process's signature");
    }
    return 0;
}

int
self_check(const struct token_plan *t, const char *serial, const char *policy, struct span id,
           struct span spki, struct span pin, bool *signed_text, struct err *e)
{
    const struct key_policy *attributes = key_policy_find(policy, e);
    char program[] = "/proc/self/exe";
    char option[] = "--self-check";
    char *argv[] = {program, option, NULL};
    CLEANUP(child_cleanup) struct child child = {.pid = -1, .fd = -1};
    CLEANUP(fd_cleanup) int pin_fd = pin_descriptor(pin, e);
    CLEANUP(json_cleanup)
    json_t *request = json_pack("{s:s,s:s?,s:s,s:s,s:s,s:o,s:o}", "module", t->module, "config",
                                t->config, "label", t->label, "serial", serial, "policy", policy,
                                "id", fact_of_hex(id), "spki", fact_of_base64(spki));

    if (attributes == NULL || pin_fd < 0 || child_start(argv, pin_fd, &child, e) != 0) {
        return -1;
    }
    *signed_text = !key_policy_always_authenticate(attributes);
    return ask(child.fd, request, spki, *signed_text, e);
}

/* The answer; NULL with the reason. */
static json_t *
find(const json_t *request, struct err *e)
{
    CLEANUP(module_cleanup) struct module *module = NULL;
    CLEANUP(session_cleanup) struct session *session = NULL;
    CLEANUP(key_cleanup) struct key *key = NULL;
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(buf_free) struct buf pin = BUF_SECRET(255);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    const struct key_policy *policy = key_policy_find(fact_text(request, "policy"), e);
    uint8_t id[KEY_ID_SIZE];

    if (policy == NULL || fact_hex(request, "id", id, sizeof(id), e) != 0 ||
        fact_base64(request, "spki", &spki, e) != 0 || secret_read(PIN_FD, "pin", &pin, e) != 0) {
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
    key = key_find(session, policy, span_of(id, sizeof(id)), buf_span(&spki), e);
    if (key == NULL ||
        (!key_policy_always_authenticate(policy) && key_sign(key, TEXT, &signature, e) != 0)) {
        return NULL;
    }
    return json_pack("{s:s,s:o}", "result", "found", "signature",
                     fact_of_base64(buf_span(&signature)));
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
