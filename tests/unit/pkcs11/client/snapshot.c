/* SPDX-License-Identifier: Apache-2.0 */
/* A real signer whose policy has a section seal begins with a snapshot of its journal. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/service/held.h"
#include "tests/support/journal_open.h"
#include "tests/support/test.h"
#include "tests/unit/pkcs11/client/departure.h"
#include "tests/unit/pkcs11/client/world.h"

enum {
    LINES = HELD_KEEP_START + 100,
    MORE = HELD_KEEP_END + 100,
    COMMIT_EACH = 300,
    FILE_MAX = 16 * 1024 * 1024,
};

/* Attempts from `first` to `last`. */
static void
fill_journal(unsigned first, unsigned last)
{
    uint8_t key[SHA256_SIZE];
    uint8_t serial[AGAIN_SERIAL] = {0x40};
    uint8_t hash[AGAIN_HASH] = {0};
    struct err e = {0};
    struct journal *j;
    size_t torn;

    assert_ok(sha256(buf_span(&world.spki), key, &e), &e);
    j = journal_open(world.journal, key, &torn, &e);
    assert_non_null(j);
    for (unsigned i = first; i <= last; i++) {
        serial[14] = hash[0] = (uint8_t)(i >> 8);
        serial[15] = hash[1] = (uint8_t)i;
        assert_ok(journal_add_certificate(j, hash, serial, &e), &e);
        assert_ok(i % COMMIT_EACH == 0 || i == last ? journal_commit(j, &e) : 0, &e);
    }
    journal_close(j);
}

/* A digit of the hash in the first attempt, with a right CRC-32: no start sees that by itself. */
static void
edit_first_attempt(void)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(FILE_MAX);
    CLEANUP(mem_cleanup) char *line = NULL;
    CLEANUP(mem_cleanup) char *sealed = NULL;
    struct err e = {0};
    uint8_t *at;
    size_t n;

    assert_ok(file_read(world.journal, &text, &e), &e);
    at = (uint8_t *)memchr(text.p, '\n', text.n) + 1;
    n = (size_t)((uint8_t *)memchr(at, '\n', text.n - (size_t)(at - text.p)) - at);
    line = mem_printf("%.*s", (int)n, (const char *)at);
    assert_true(journal_line_unseal(line));
    line[30] = line[30] == '0' ? '1' : '0';
    sealed = journal_line_seal(line);
    memcpy(at, sealed, n);
    assert_ok(file_write(world.journal, buf_span(&text), 0600, &e), &e);
}

static void
flip(const char *path)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &octets, &e), &e);
    octets.p[octets.n / 2] ^= 1;
    assert_ok(file_write(path, buf_span(&octets), 0600, &e), &e);
}

static void
sign_one(struct signer *s)
{
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    struct err e = {0};

    departure_make(NOTHING, &tbs);
    assert_ok(departure_sign(s, buf_span(&tbs), &signature, &e), &e);
}

/* For 20 seconds. */
static void
wait_until_gone(const char *path)
{
    const struct timespec step = {.tv_nsec = 20 * 1000 * 1000};

    for (int tries = 0; access(path, F_OK) == 0; tries++) {
        assert_true(tries < 1000);
        (void)nanosleep(&step, NULL);
    }
}

static void
restart(struct signer **s)
{
    signer_free(*s);
    *s = world_start_well();
}

static void
a_start_reads_the_snapshot_and_what_is_behind(void **state)
{
    CLEANUP(mem_cleanup) char *snapshot = mem_printf("%s-snapshot", world.journal);
    CLEANUP(mem_cleanup) char *purpose = NULL;
    char id[2 * KEY_ID_SIZE + 1];
    CLEANUP(signer_cleanup) struct signer *s = NULL;

    (void)state;
    fill_journal(1, LINES);
    s = world_start_well();
    assert_int_equal(access(snapshot, F_OK), -1); /* without the section there is none */
    world_make_secret(id);
    purpose = mem_printf(AUTHORITY "\nseal {\n key_id = \"%s\"\n}", id);
    world_write_policy(FAULTY, "issuing-signing-v1", purpose);
    restart(&s);
    assert_int_equal(access(snapshot, F_OK), 0);
    sign_one(s);
    restart(&s);
    assert_int_equal(signer_attempts(s), LINES + 1);
    flip(snapshot); /* not believed, and not missed */
    restart(&s);
    assert_int_equal(signer_attempts(s), LINES + 1);
    sign_one(s);
    signer_free(TAKE(s));
    assert_int_equal(access(snapshot, F_OK), 0); /* that start made another one */
    edit_first_attempt();
    fill_journal(LINES + 3, LINES + 2 + MORE); /* so many that an end in order makes one */
    s = world_start_well();
    assert_int_equal(signer_attempts(s), LINES + 2 + MORE);
    sign_one(s); /* it looks at lines by itself, whatever is asked */
    wait_until_gone(snapshot);
    signer_free(TAKE(s)); /* behind its end, too, there is none */
    assert_int_equal(access(snapshot, F_OK), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_start_reads_the_snapshot_and_what_is_behind, world_setup,
                                        world_teardown),
    };

    return cmocka_run_group_tests(tests, world_make, world_free);
}
