/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/daemon/desk.h"

#include <signal.h>
#include <stdio.h>

#include "base/file.h"
#include "ca/cmp/message/phrase.h"
#include "ca/link/admin.h"

enum { CHECK_AFTER = 7 };

static void
append(const struct world *w, const char *name, const char *text)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/%s", w->dir, name);
    CLEANUP(buf_free) struct buf all = BUF_INIT(16 * 1024);
    struct err e = {0};

    if (file_read(path, &all, &e) != 0) {
        buf_free(&all);
    }
    assert_ok(buf_append_str(&all, text, &e), &e);
    assert_ok(file_write(path, buf_span(&all), 0644, &e), &e);
}

int
desk_setup(void **state)
{
    struct desk *s = mem_zalloc(1, sizeof(*s));

    (void)signal(SIGPIPE, SIG_IGN);
    s->w = world_new();
    assert_int_equal(world_stop(s->w), 0);
    append(s->w, "profiles.conf",
           "profile \"nf-tls\" {\n key_usage = {\"digitalSignature\"}\n"
           " extended_key_usage = {\"serverAuth\", \"clientAuth\"}\n server = true\n"
           " keys = {\"P-256\"}\n max_validity_days = 30\n approvals = 2\n}\n");
    append(s->w, "nfpki-ca.conf", "profiles = \"profiles.conf\"\napproval_check_after = 7\n");
    world_start(s->w);
    s->alice_key = pki_key("P-256");
    s->bob_key = pki_key("P-256");
    s->alice = world_officer(s->w, "officer", "Alice", s->alice_key);
    s->bob = world_officer(s->w, "officer", "Bob", s->bob_key);
    *state = s;
    return 0;
}

int
desk_teardown(void **state)
{
    struct desk *s = *state;

    X509_free(s->alice);
    X509_free(s->bob);
    EVP_PKEY_free(s->alice_key);
    EVP_PKEY_free(s->bob_key);
    world_free(s->w);
    mem_free(s);
    return 0;
}

void
desk_submit(struct desk *s, const struct nf *n, struct answer *a)
{
    world_submit(s->w, buf_span(&n->request), buf_span(&n->nested), a);
}

void
desk_is_waiting(const struct answer *a)
{
    if (a->m.type != LINK_WAITING) {
        fail_msg("%s %.*s", link_type_name(a->m.type), (int)a->m.phrase.n,
                 (const char *)a->m.phrase.p);
    }
    assert_int_equal(a->m.check_after, CHECK_AFTER);
    assert_true(span_equal(a->m.phrase, span_str(phrase_text(PHRASE_WAITING))));
}

struct nf
desk_nf(struct desk *s)
{
    CLEANUP(answer_free) struct answer a = {0};
    struct nf n = nf_new(s->w, BY_MAC, 1);

    desk_submit(s, &n, &a);
    desk_is_waiting(&a);
    return n;
}

json_t *
desk_pending(struct desk *s, const struct nf *n, struct err *e)
{
    uint8_t rid[SHA256_SIZE];
    CLEANUP(mem_cleanup) char *hex = NULL;

    assert_ok(sha256(buf_span(&n->request), rid, e), e);
    hex = hex_dup(span_of(rid, sizeof(rid)));
    return world_ask(s->w, json_pack("{s:s,s:s}", "command", "pending", "rid", hex), e);
}

const char *
desk_text(const json_t *entry, const char *name)
{
    const char *value = json_string_value(json_object_get(entry, name));

    assert_non_null(value);
    return value;
}

struct approval
desk_document(struct desk *s, const struct nf *n)
{
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = desk_pending(s, n, &e);
    const json_t *entry = json_array_get(json_object_get(answer, "pending"), 0);
    struct approval a = {.approves = true, .time = clock_now()};

    assert_non_null(entry);
    assert_ok(hex_parse(desk_text(entry, "rid"), a.rid, sizeof(a.rid), &e), &e);
    assert_ok(hex_parse(desk_text(entry, "publicKey"), a.public_key, sizeof(a.public_key), &e), &e);
    (void)snprintf(a.registration, sizeof(a.registration), "%s", desk_text(entry, "registration"));
    (void)snprintf(a.nf_instance, sizeof(a.nf_instance), "%s", desk_text(entry, "nfInstanceId"));
    (void)snprintf(a.profile, sizeof(a.profile), "%s", desk_text(entry, "profile"));
    assert_ok(time_parse(desk_text(entry, "expires"), &a.expires, &e), &e);
    return a;
}

json_t *
desk_hand_in(struct desk *s, struct span cms, struct err *e)
{
    CLEANUP(mem_cleanup) char *base64 = base64_dup(cms);

    return world_ask(s->w, json_pack("{s:s,s:s}", "command", "approve", "cms", base64), e);
}

json_t *
desk_decide(struct desk *s, const struct approval *a, X509 *officer, EVP_PKEY *key, struct err *e)
{
    CLEANUP(mem_cleanup) char *json = approval_format(a);
    CLEANUP(buf_free) struct buf cms = BUF_INIT(APPROVAL_CMS_MAX);

    assert_ok(approval_sign(span_str(json), officer, key, &cms, e), e);
    return desk_hand_in(s, buf_span(&cms), e);
}

void
desk_officer(struct desk *s, const struct nf *n, bool alice, bool approves, const char *state)
{
    struct approval a = desk_document(s, n);
    struct err e = {0};
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;

    a.approves = approves;
    answer = desk_decide(s, &a, alice ? s->alice : s->bob, alice ? s->alice_key : s->bob_key, &e);
    if (answer == NULL) {
        fail_msg("%s", e.text);
    }
    assert_string_equal(desk_text(answer, "state"), state);
}
