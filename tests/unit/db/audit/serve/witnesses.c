/* SPDX-License-Identifier: Apache-2.0 */
/* What pages say of witnesses: with a policy, without one, and when one of them never signed it. */
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "db/audit/mirror/noted.h"
#include "db/audit/mirror/run.h"
#include "db/audit/witness/cosign.h"
#include "tests/support/test.h"
#include "tests/unit/db/audit/serve/site.h"

enum { EARLIER = 3 /* leaves */ };

static int
consistent(void *arg, const struct checkpoint *earlier, struct err *e)
{
    return mirror_begins_with(arg, earlier, e);
}

static EVP_PKEY *
key_new(struct cosigner *c)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    struct err e = {0};

    assert_ok(cosigner_of(c, "w1.example", key, &e), &e);
    return key;
}

/* The accepted checkpoint, cosigned by this key. */
static void
cosign_by(struct mirror *m, const struct cosigner *c, EVP_PKEY *key, struct buf *note)
{
    CLEANUP(mem_cleanup) char *state = mem_printf("%s/witness.state", site_record.folder);
    const struct witnessed_log view = {.key = mirror_key(m),
                                       .checkpoint = *mirror_checkpoint(m),
                                       .consistent = consistent,
                                       .arg = m};
    struct cosign_result result;
    struct err e = {0};

    assert_ok(cosign(state, &view, mirror_note(m), c, key, note, &result, &e), &e);
}

static void
page_says(const char *path, const struct tlog_policy *policy, const char *text)
{
    struct site site;

    site_begin(&site, &(struct serve_options){.mirror = path, .policy = policy});
    site_expect(&site, "/help", 200, text);
    site_end(&site);
}

static void
a_page_says_who_has_cosigned_it(void **state)
{
    struct err e = {0};
    struct cosigner c;
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/witnessed.db", site_record.folder);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = key_new(&c);
    CLEANUP(mem_cleanup) char *vkey = cosigner_format(&c);
    CLEANUP(mem_cleanup) char *text = mem_printf("witness one %squorum one\n", vkey);
    CLEANUP(tlog_policy_cleanup)
    struct tlog_policy *policy = tlog_policy_parse(span_str(text), &e);
    CLEANUP(buf_free) struct buf note = BUF_INIT(NOTE_MAX);
    CLEANUP(mirror_cleanup) struct mirror *m = NULL;
    uint8_t *octet;

    (void)state;
    assert_ok(policy == NULL ? -1 : 0, &e);
    site_mirror_new(path);
    site_import(path);
    page_says(path, NULL, "no witness has signed this");
    page_says(path, policy, "has not cosigned this log: missing: one");
    m = mirror_open_writable(path, &e);
    assert_ok(m == NULL ? -1 : 0, &e);
    cosign_by(m, &c, key, &note);
    assert_ok(mirror_note_keep(m, span_of(c.id, sizeof(c.id)), buf_span(&note), &e), &e);
    page_says(path, NULL, "1 other signature, not verified here");
    page_says(path, policy, "<span>witnessed, all of it</span> <span>by <bdi>one</bdi></span>");

    /* another octet of the signature, before the characters that fill base64 up */
    octet = note.p + note.n - 12;
    *octet = *octet == 'A' ? 'B' : 'A';
    assert_ok(mirror_note_keep(m, span_of(c.id, sizeof(c.id)), buf_span(&note), &e), &e);
    page_says(path, NULL, "1 other signature, not verified here");
    page_says(path, policy, "signature is wrong</bdi></strong>");
}

static void
what_is_no_beginning_of_it_is_refused(void **state)
{
    struct err e = {0};
    CLEANUP(mirror_cleanup) struct mirror *m = mirror_open(site_record.file, &e);
    struct checkpoint earlier = {.size = EARLIER};

    (void)state;
    assert_ok(m == NULL ? -1 : 0, &e);
    assert_err(mirror_begins_with(m, &earlier, &e), ERR_CONFLICT, &e);
    earlier.size = 0;
    assert_ok(mirror_begins_with(m, &earlier, &e), &e);
    assert_ok(mirror_begins_with(m, mirror_checkpoint(m), &e), &e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_says_who_has_cosigned_it),
        cmocka_unit_test(what_is_no_beginning_of_it_is_refused),
    };

    return cmocka_run_group_tests(tests, site_set_up, site_tear_down);
}
