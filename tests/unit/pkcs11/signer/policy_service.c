/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy says of a signer that is a service: who may come, and its deadline. */
#include "pkcs11/signer/policy.h"

#include <openssl/ec.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum { NONE = -1, DEFAULT_MS = 8000 };

static void
write_key(const char *dir)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = EVP_EC_gen("P-256");
    CLEANUP(buf_free) struct buf spki = BUF_INIT(SPKI_MAX);
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/key.spki", dir);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(PUBKEY, key, &spki, &e), &e);
    assert_ok(file_write(path, buf_span(&spki), 0600, &e), &e);
}

static void
who_may_come_and_the_deadline_are_read(void **state)
{
    static const struct {
        const char *lines;
        long client; /* NONE: nobody */
        int deadline_ms;
        const char *reason; /* behind the path; NULL: it is read */
    } rows[] = {
        {"", NONE, DEFAULT_MS, NULL},
        {"client_user = \"root\"", 0, DEFAULT_MS, NULL},
        {"client_user = 0", 0, DEFAULT_MS, NULL},
        {"client_user = \"4294967294\"\ndeadline_ms = 100", 4294967294L, 100, NULL},
        {"deadline_ms = 600000", NONE, 600000, NULL},
        {"deadline_ms = 99", 0, 0, ":10: 'deadline_ms' must be 100 to 600000"},
        {"deadline_ms = 600001", 0, 0, ":10: 'deadline_ms' must be 100 to 600000"},
        {"client_user = \"\"", 0, 0, ":10: client_user: there is no user ''"},
        {"client_user = \"nobody-here\"", 0, 0, ":10: client_user: there is no user 'nobody-here'"},
        {"client_user = \"4294967295\"", 0, 0, ":10: client_user: there is no user '4294967295'"},
        {"client_user = {\"root\", \"daemon\"}", 0, 0, ":10: "},
    };
    CLEANUP(tmpdir_cleanup) char *dir = tmpdir_new();
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/p.conf", dir);

    (void)state;
    write_key(dir);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup)
        char *text = mem_printf("module = \"/m.so\"\ntoken = \"t\"\nserial = \"s\"\n"
                                "key_id = \"00112233445566778899aabbccddeeff\"\n"
                                "public_key = \"key.spki\"\nattributes = \"a\"\n"
                                "credential = \"c\"\njournal = \"j\"\nlog { origin = \"o\" }\n%s\n",
                                rows[i].lines);
        CLEANUP(policy_cleanup) struct policy *p = NULL;
        CLEANUP(mem_cleanup) char *reason = NULL;
        struct err e = {0};

        assert_ok(file_write(path, span_str(text), 0600, &e), &e);
        p = policy_load(path, &e);
        if (rows[i].reason != NULL) {
            reason = mem_printf("%s%s", path, rows[i].reason);
            if (p != NULL || e.code != ERR_INPUT || strncmp(e.text, reason, strlen(reason)) != 0) {
                fail_msg("%s: %s", rows[i].lines, p != NULL ? "taken" : e.text);
            }
            continue;
        }
        if (p == NULL) {
            fail_msg("%s: %s", rows[i].lines, e.text);
        }
        assert_int_equal(p->has_client, rows[i].client != NONE);
        assert_true(!p->has_client || p->client == (uid_t)rows[i].client);
        assert_int_equal(p->deadline_ms, rows[i].deadline_ms);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_come_and_the_deadline_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
