/* SPDX-License-Identifier: Apache-2.0 */
/* nfpki-ca --verify: the CRL that is out, and what is kept of the signers' journals. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "tests/unit/ca/daemon/copies.h"

enum { FILE_MAX = 16 * 1024 * 1024, DIFFERENCES = 1 };

static char *
path_in(const struct world *w, const char *name)
{
    return mem_printf("%s/%s", w->dir, name);
}

static struct buf
load(const struct world *w, const char *name)
{
    CLEANUP(mem_cleanup) char *path = path_in(w, name);
    struct buf out = BUF_INIT(FILE_MAX);
    struct err e = {0};

    assert_ok(file_read(path, &out, &e), &e);
    return out;
}

static void
save(const struct world *w, const char *name, const struct buf *octets)
{
    CLEANUP(mem_cleanup) char *path = path_in(w, name);
    struct err e = {0};

    assert_ok(file_write(path, buf_span(octets), 0600, &e), &e);
}

static void
must_say(struct world *w, const char *row, const char *says)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(VERIFY_OUTPUT_MAX);
    const int status = world_verify(w, w->dir, &out);
    const char *line = strstr((const char *)out.p, "difference: ");

    if (status != DIFFERENCES || line == NULL || strstr(line, says) == NULL) {
        fail_msg("%s: status %d, not said: %s\n%s", row, status, says, (const char *)out.p);
    }
}

static void
must_agree(struct world *w)
{
    CLEANUP(buf_free) struct buf out = BUF_INIT(VERIFY_OUTPUT_MAX);

    if (world_verify(w, w->dir, &out) != 0) {
        fail_msg("%s", (const char *)out.p);
    }
}

static void
revoke_one(struct world *w, const char *name)
{
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(x509_cleanup) X509 *officer = world_officer(w, "officer", name, key);

    world_revoke(w, officer, "keyCompromise");
    world_settle(w);
}

/* ---- the CRL that is out ---- */

static void
the_crl_that_is_out_is_compared(void **state)
{
    static const char *const crl = "crl/issuing.crl";
    static const struct {
        const char *name;
        const char *edit;
        const char *says;
    } rows[] = {
        {"another reason", "DROP TRIGGER revocation_fixed; UPDATE revocation SET reason = 4",
         " has another date or reason than the record says\n"},
        {"another date", "DROP TRIGGER revocation_fixed; UPDATE revocation SET crl_date = 1",
         " has another date or reason than the record says\n"},
        {"not revoked", "DROP TRIGGER revocation_kept; DELETE FROM revocation",
         " is on it, and the record does not say so\n"},
    };
    struct world *w = *state;
    CLEANUP(mem_cleanup) char *path = path_in(w, crl);
    CLEANUP(buf_free) struct buf newest = {0};
    CLEANUP(buf_free) struct buf old = {0};
    CLEANUP(buf_free) struct buf forged = {0};

    revoke_one(w, "Eve");
    old = load(w, crl);
    revoke_one(w, "Mallory");
    assert_int_equal(world_stop(w), 0);
    newest = load(w, crl);
    world_keep(w);
    must_agree(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        world_edit_as_ca(w, rows[i].edit);
        must_say(w, rows[i].name, rows[i].says);
        world_put_back(w);
    }

    save(w, crl, &old);
    must_say(w, "an older one", "it was put back, or nfpki-ca was killed before it wrote it");
    world_edit_as_ca(w, "DROP TRIGGER leaf_stays; UPDATE leaf SET body = "
                        "CAST(replace(CAST(unpacked(body) AS TEXT), "
                        "'\"upTo\":', '\"upTo\":9') AS BLOB) WHERE kind = 'CRL-INTENT'");
    must_say(w, "one that lacks somebody", " is revoked, as the record says, and not on it\n");
    world_put_back(w);

    forged = load(w, crl);
    forged.p[forged.n - 1] ^= 1;
    save(w, crl, &forged);
    must_say(w, "another signature", "issuing.crl: not a CRL that ");
    assert_int_equal(unlink(path), 0);
    must_say(w, "none", "issuing.crl: there is none, and ca.db has number ");
    save(w, crl, &newest);
    must_agree(w);
    world_start(w);
}

/* ---- journals ---- */

static void
what_is_kept_of_journals_is_compared(void **state)
{
    static const struct {
        const char *name;
        const char *edit;
        const char *says;
    } rows[] = {
        {"a certificate's line",
         "DELETE FROM attempted WHERE kind = 0 AND at IN (SELECT idx FROM leaf WHERE kind = "
         "'INTENT' ORDER BY idx LIMIT 1)",
         ": what it has as signed has no line in a journal\n"},
        {"a CRL's line",
         "DELETE FROM attempted WHERE kind = 0 AND at IN (SELECT idx FROM leaf WHERE kind = "
         "'CRL-INTENT' ORDER BY idx LIMIT 1)",
         ": what it has as signed has no line in a journal\n"},
        {"a checkpoint's line",
         "DELETE FROM attempted WHERE kind = 1 AND at IN (SELECT size FROM checkpoint ORDER BY "
         "size LIMIT 1)",
         " leaves: has no line in a journal\n"},
        {"a line of nothing", "INSERT INTO attempted (kind, at) VALUES (0, 0)",
         "attempted 0, 0: there is no announcement"},
        {"a line of no leaf", "INSERT INTO attempted (kind, at) VALUES (0, 99999)",
         "attempted 0, 99999: there is no announcement"},
        {"a checkpoint of more than there is", "INSERT INTO attempted (kind, at) VALUES (1, 99999)",
         "attempted 1, 99999: there is no announcement, or no checkpoint, of that place\n"},
        {"one more than were compared", "UPDATE journal SET again = again + 1 WHERE kind = 0",
         "journal of kind 0: "},
        {"one more stored", "UPDATE journal SET stored = stored + 1 WHERE kind = 1",
         "journal of kind 1: "},
    };
    struct world *w = *state;

    assert_int_equal(world_stop(w), 0);
    world_start(w); /* which compares all that there is */
    assert_int_equal(world_stop(w), 0);
    world_keep(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        world_edit_as_ca(w, rows[i].edit);
        must_say(w, rows[i].name, rows[i].says);
        world_put_back(w);
    }
    must_agree(w);
    world_start(w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_of_journals_is_compared),
        cmocka_unit_test(the_crl_that_is_out_is_compared),
    };

    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
