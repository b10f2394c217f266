/* SPDX-License-Identifier: Apache-2.0 */
/* What nfpki-ca does not start with, and what it says then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/link/admin.h"
#include "ca/x509/name.h"
#include "ca/x509/serial.h"
#include "ca/x509/signed.h"
#include "ca/x509/tbs/crl.h"
#include "pkcs11/algorithm.h"
#include "tests/support/softhsm.h"
#include "tests/unit/ca/daemon/world.h"

enum { DAY = 24 * 60 * 60, LOG_MAX = 4 * 1024 * 1024, FILE_MAX = 8 * 1024 * 1024 };

/* ---- files of the world, put aside and back ---- */

static char *
path_in(const struct world *w, const char *name)
{
    return mem_printf("%s/%s", w->dir, name);
}

static void
load(const struct world *w, const char *name, struct buf *out)
{
    CLEANUP(mem_cleanup) char *path = path_in(w, name);
    struct err e = {0};

    *out = BUF_INIT(FILE_MAX);
    assert_ok(file_read(path, out, &e), &e);
}

static void
save(const struct world *w, const char *name, struct span bytes)
{
    CLEANUP(mem_cleanup) char *path = path_in(w, name);
    struct stat st;
    struct err e = {0};

    assert_ok(file_write(path, bytes, stat(path, &st) == 0 ? st.st_mode & 0777 : 0644, &e), &e);
}

/* What the daemon logged since `from` octets; the new end is given back. */
static size_t
log_since(const struct world *w, size_t from, struct buf *out)
{
    CLEANUP(mem_cleanup) char *path = path_in(w, "ca.log");
    CLEANUP(buf_free) struct buf all = BUF_INIT(LOG_MAX);
    struct err e = {0};

    buf_free(out);
    *out = BUF_INIT(LOG_MAX);
    assert_ok(file_read(path, &all, &e), &e);
    assert_true(all.n >= from);
    assert_ok(buf_append(out, span_of(all.p + from, all.n - from), &e), &e);
    assert_ok(buf_append(out, SPAN_LITERAL("\0"), &e), &e);
    return all.n;
}

static size_t log_end;

static void
must_fail(struct world *w, const char *row, const char *says)
{
    CLEANUP(buf_free) struct buf text = {0};

    log_end = log_since(w, 0, &text);
    if (!world_start_fails(w)) {
        fail_msg("%s: it started", row);
    }
    log_end = log_since(w, log_end, &text);
    if (strstr((const char *)text.p, says) == NULL) {
        fail_msg("%s: no \"%s\" in:\n%s", row, says, (const char *)text.p);
    }
}

/* ---- the chain ---- */

enum wrong {
    NOT_SELF_SIGNED,
    ANOTHER_ROOT,
    ANOTHER_SIGNATURE,
    ANOTHER_NAME,
    NO_CA,
    NOT_YET,
    NO_MORE,
    NO_CERTIFICATE,
    ANOTHER_KEY,
};

static X509 *
issue_named(const struct world *w, EVP_PKEY *signer, EVP_PKEY *subject_key, const char *profile,
            time_t from, time_t until, const char *common_name)
{
    struct name subject;
    CLEANUP(buf_free) struct buf spki = pki_spki(subject_key);
    struct err e = {0};
    struct tbs_request request = {.profile = profile_by_name(profile),
                                  .issuer = w->pki->root,
                                  .subject = &subject,
                                  .spki = buf_span(&spki),
                                  .not_before = from,
                                  .not_after = until,
                                  .rehearsal = strncmp(common_name, "REHEARSAL ", 10) == 0,
                                  .crl_url = "http://pki.example/crl/root.crl"};

    assert_ok(name_set(&subject, "SE", "Example Operator", common_name, &e), &e);
    assert_ok(serial_new(request.serial, clock_now(), &e), &e);
    return pki_issue(&request, signer);
}

/* Signed by the root (or with another key): for the issuing key, with this profile and window. */
static X509 *
issue(const struct world *w, EVP_PKEY *signer, EVP_PKEY *subject_key, const char *profile,
      time_t from, time_t until)
{
    return issue_named(w, signer, subject_key, profile, from, until, "Example Issuing");
}

static void
save_certificate(const struct world *w, const char *name, X509 *certificate)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LINK_CERTIFICATE_MAX);
    struct err e = {0};

    assert_ok(OSSL_ENCODE(X509, certificate, &der, &e), &e);
    save(w, name, buf_span(&der));
}

/* Other files than those of the signer, which has its own opinion of them. */
static void
write_wrong(struct world *w, enum wrong wrong)
{
    EVP_PKEY *issuing_key = X509_get0_pubkey(w->issuing);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-256");
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other_root = pki_key("P-384");
    CLEANUP(pki_cleanup) struct pki *another = NULL;
    CLEANUP(x509_cleanup) X509 *issuing = NULL;
    const time_t now = clock_now();

    save_certificate(w, "r.der", w->pki->root);
    switch (wrong) {
    case NOT_SELF_SIGNED:
        save_certificate(w, "r.der", w->issuing);
        save_certificate(w, "i.der", w->issuing);
        return;
    case ANOTHER_ROOT:
        another = pki_new("P-384", "P-256");
        save_certificate(w, "r.der", another->root);
        save_certificate(w, "i.der", w->issuing);
        return;
    case ANOTHER_SIGNATURE:
        issuing = issue(w, other_root, issuing_key, "issuing", now - DAY, now + DAY);
        break;
    case ANOTHER_NAME: /* by the root's key, but in the name of another */
        issuing = issue(w, w->pki->root_key, issuing_key, "issuing", now - DAY, now + DAY);
        assert_int_equal(X509_set_issuer_name(issuing, X509_get_subject_name(w->vendor)), 1);
        assert_true(X509_sign(issuing, w->pki->root_key, EVP_sha384()) > 0);
        break;
    case NO_CA:
        issuing = issue(w, w->pki->root_key, issuing_key, "officer", now - DAY, now + DAY);
        break;
    case NOT_YET:
        issuing = issue(w, w->pki->root_key, issuing_key, "issuing", now + 600, now + DAY);
        break;
    case NO_MORE:
        issuing = issue(w, w->pki->root_key, issuing_key, "issuing", now - DAY, now - 1);
        break;
    case NO_CERTIFICATE:
        save(w, "i.der", SPAN_LITERAL("no certificate"));
        return;
    case ANOTHER_KEY:
        issuing = issue(w, w->pki->root_key, other, "issuing", now - DAY, now + DAY);
        break;
    }
    save_certificate(w, "i.der", issuing);
}

/* nfpki-ca.conf with this instead of the option's value, and with certificates of other names. */
static void
configure_with(struct world *w, const char *option, const char *value)
{
    CLEANUP(buf_free) struct buf was = {0};
    CLEANUP(mem_cleanup) char *find = mem_printf("\n%s = \"", option);
    CLEANUP(mem_cleanup) char *text = NULL;
    char *at;
    const char *behind;

    world_configure(w, "renewal_window = 0\n");
    load(w, "nfpki-ca.conf", &was);
    at = memmem(was.p, was.n, find + (strcmp(option, "state_dir") == 0 ? 1 : 0),
                strlen(find) - (strcmp(option, "state_dir") == 0 ? 1 : 0));
    assert_non_null(at);
    at = strchr(at, '"') + 1;
    behind = strchr(at, '"');
    text = mem_printf("%.*s%s%.*s", (int)(at - (char *)was.p), (const char *)was.p, value,
                      (int)(was.n - (size_t)(behind - (char *)was.p)), behind);
    save(w, "nfpki-ca.conf", span_str(text));
}

static void
use_other_certificates(struct world *w)
{
    CLEANUP(buf_free) struct buf text = {0};
    char *at;

    configure_with(w, "issuing_certificate", "i.der");
    load(w, "nfpki-ca.conf", &text);
    at = memmem(text.p, text.n, "\"root.der\"", 10);
    assert_non_null(at);
    memcpy(at, "   \"r.der\"", 10);
    save(w, "nfpki-ca.conf", buf_span(&text));
}

static void
a_chain_that_is_not_right_is_refused(void **state)
{
    static const struct {
        const char *name;
        enum wrong wrong;
        const char *says;
    } rows[] = {
        {"a root that is not self-signed", NOT_SELF_SIGNED, "r.der: not self-signed"},
        {"another root", ANOTHER_ROOT, "i.der: not issued by "},
        {"signed with another key", ANOTHER_SIGNATURE, "i.der: not issued by "},
        {"in another name", ANOTHER_NAME, "i.der: not issued by "},
        {"an officer's certificate", NO_CA, "i.der: not a CA certificate"},
        {"not valid yet", NOT_YET, "i.der: out of its validity"},
        {"ended", NO_MORE, "i.der: out of its validity"},
        {"no certificate", NO_CERTIFICATE, "i.der"},
        {"of another key than the token's", ANOTHER_KEY, "issuing.conf is not the one in "},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        write_wrong(w, rows[i].wrong);
        use_other_certificates(w);
        must_fail(w, rows[i].name, rows[i].says);
    }
    world_configure(w, "renewal_window = 0\n");
}

/* ---- folders, sockets, programs ---- */

static void
what_cannot_be_used_is_named(void **state)
{
    static const char deep[] = "0123456789012345678901234567890123456789012345678901234567890123456"
                               "7890123456789012345678901234567890123456789";
    static const struct {
        const char *option;
        const char *value;
        const char *says;
    } rows[] = {
        {"state_dir", "issuing.der", "issuing.der is not a directory"},
        {"crl_dir", "issuing.der", "issuing.der/issuing.crl: Not a directory"},
        {"ledger_dir", "issuing.der", "issuing.der/log.vkey: Not a directory"},
        {"log_origin", "test.example/other", "log.vkey is of another log"},
        {"log_origin", "test example", "printable ASCII"},
        {"root_crl", "nowhere.crl", "nowhere.crl: No such file"},
        {"root_crl", "issuing.der", "issuing.der: not a CRL that the root signed"},
        {"root_crl", "forged.crl", "forged.crl: not a CRL that the root signed"},
        {"issuing_certificate", "nowhere.der", "nowhere.der: No such file"},
        {"log_policy", "ca.pin", "signer "},
        {"admin_socket", deep, "a socket's path has 1 to 107 octets"},
        {"link_socket", deep, "a socket's path has 1 to 107 octets"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        configure_with(w, rows[i].option, rows[i].value);
        must_fail(w, rows[i].option, rows[i].says);
    }
    world_configure(w, "renewal_window = 0\n");
}

/* A CRL in the root's name that somebody else signed. */
static void
write_forged_crl(struct world *w)
{
    const struct crl_request request = {.issuer = w->pki->root,
                                        .number = 1,
                                        .this_update = clock_now(),
                                        .next_update = clock_now() + (time_t)100 * DAY};
    CLEANUP(buf_free) struct buf tbs = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf der = BUF_INIT(8192);
    CLEANUP(buf_free) struct buf signature = BUF_INIT(SIGNATURE_MAX);
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *other = pki_key("P-384");
    struct err e = {0};

    assert_ok(crl_build(&request, &tbs, &e), &e);
    signature = pki_sign(other, buf_span(&tbs));
    assert_ok(signed_assemble(SIGNED_CRL, buf_span(&tbs), buf_span(&signature), other, &der, &e),
              &e);
    save(w, "forged.crl", buf_span(&der));
}

/* ---- signers ---- */

static size_t
times(const struct buf *text, const char *what)
{
    const char *at = (const char *)text->p;
    size_t n = 0;

    while ((at = strstr(at, what)) != NULL) {
        at += strlen(what);
        n++;
    }
    return n;
}

/* A token that is being switched on is there a moment later; a PIN that was refused never is. */
static void
what_may_be_there_later_is_tried_again(void **state)
{
    static const struct {
        const char *name;
        const char *file;
        const char *was;
        const char *is; /* of the same length */
        size_t again;
    } rows[] = {
        {"another PIN", "ca.pin", "123456", "654321", 0},
        {"no such token", "issuing.conf", "token = \"ca\"", "token = \"cb\"", 4},
        {"no module", "issuing.conf", "libsofthsm2.so\"\n", "../os-release\"\n ", 4},
    };
    struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(buf_free) struct buf kept = {0};
        CLEANUP(buf_free) struct buf changed = {0};
        CLEANUP(buf_free) struct buf text = {0};
        size_t from = log_since(w, 0, &text);
        uint8_t *at;

        load(w, rows[i].file, &kept);
        load(w, rows[i].file, &changed);
        at = memmem(changed.p, changed.n, rows[i].was, strlen(rows[i].was));
        assert_non_null(at);
        memcpy(at, rows[i].is, strlen(rows[i].is));
        save(w, rows[i].file, buf_span(&changed));
        must_fail(w, rows[i].name, "signer ");
        (void)log_since(w, from, &text);
        if (times(&text, "trying again") != rows[i].again) {
            fail_msg("%s: %s", rows[i].name, (const char *)text.p);
        }
        save(w, rows[i].file, buf_span(&kept));
    }
}

/* The policy of the log's signer with one text in the place of another. */
static void
change_log_policy(const struct world *w, const char *was, const char *is)
{
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(mem_cleanup) char *changed = NULL;
    const char *at;
    struct err e = {0};

    load(w, "log.conf", &text);
    assert_ok(buf_append(&text, SPAN_LITERAL("\0"), &e), &e);
    at = strstr((const char *)text.p, was);
    assert_non_null(at);
    changed = mem_printf("%.*s%s%s", (int)(at - (const char *)text.p), (const char *)text.p, is,
                         at + strlen(was));
    save(w, "log.conf", span_str(changed));
}

static void
must_have_logged(const struct world *w, const char *what, bool logged)
{
    CLEANUP(buf_free) struct buf text = {0};

    (void)log_since(w, log_end, &text);
    if ((strstr((const char *)text.p, what) != NULL) != logged) {
        fail_msg("%s: %s", what, (const char *)text.p);
    }
}

/* What it says of the anchor; borrowed from *status. */
static const char *
anchor_of(struct world *w, json_t **status)
{
    struct err e = {0};

    *status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
    assert_non_null(*status);
    return json_string_value(json_object_get(*status, "anchor"));
}

static void
a_token_that_keeps_no_anchor_needs_a_setting(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf policy = {0};
    CLEANUP(buf_free) struct buf text = {0};
    CLEANUP(admin_json_cleanup) json_t *none = NULL;
    CLEANUP(admin_json_cleanup) json_t *kept = NULL;

    load(w, "log.conf", &policy);
    change_log_policy(w, SOFTHSM_MODULE, TEST_BINARY_DIR "/faultp11.so");
    assert_int_equal(setenv("FAULTP11", "fails:C_CreateObject", 1), 0);
    must_fail(w, "a token that takes no data object", "the policy says anchor = \\\"none\\\"");
    change_log_policy(w, "log {", "log {\n anchor = \"none\"");
    log_end = log_since(w, 0, &text);
    world_start(w);
    must_have_logged(w, "\"event\":\"no-anchor\"", true);
    assert_string_equal(anchor_of(w, &none), "none");
    assert_int_equal(world_stop(w), 0);
    assert_int_equal(unsetenv("FAULTP11"), 0);
    save(w, "log.conf", buf_span(&policy));
    log_end = log_since(w, 0, &text);
    world_start(w);
    must_have_logged(w, "\"event\":\"no-anchor\"", false);
    assert_null(anchor_of(w, &kept)); /* figures */
    assert_true(json_integer_value(json_object_get(json_object_get(kept, "anchor"), "leaves")) > 0);
    assert_int_equal(world_stop(w), 0);
}

/* ---- the record ---- */

static void
older_copies_are_refused(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf database = {0};
    CLEANUP(buf_free) struct buf seals = {0};
    CLEANUP(buf_free) struct buf newer = {0};
    CLEANUP(buf_free) struct buf newer_seals = {0};
    CLEANUP(buf_free) struct buf journal = {0};
    CLEANUP(buf_free) struct buf now = {0};
    CLEANUP(evp_pkey_cleanup) EVP_PKEY *key = pki_key("P-256");
    CLEANUP(admin_json_cleanup) json_t *crl = NULL;
    struct err e = {0};

    load(w, "state/ca.db", &database);
    load(w, "state/ca.db-seal", &seals);
    load(w, "issuing.journal", &journal);
    world_start(w);
    X509_free(world_officer(w, "officer", "Bob", key));
    crl = world_ask(w, json_pack("{s:s}", "command", "crl"), &e);
    assert_non_null(crl);
    assert_int_equal(world_stop(w), 0);
    load(w, "state/ca.db", &newer);
    load(w, "state/ca.db-seal", &newer_seals);
    load(w, "issuing.journal", &now);
    save(w, "state/ca.db", buf_span(&database));
    must_fail(w, "an older database", "is not what its seal says: it was edited, or put back");
    save(w, "state/ca.db-seal", buf_span(&seals));
    must_fail(w, "an older database, with its seals", "ca.db is older than what was signed");
    save(w, "state/ca.db", buf_span(&newer));
    save(w, "state/ca.db-seal", buf_span(&newer_seals));
    save(w, "issuing.journal", buf_span(&journal));
    must_fail(w, "an older journal", "the journal is not this key's, or an older copy of it");
    save(w, "issuing.journal", buf_span(&now));
    world_start(w);
    assert_int_equal(world_stop(w), 0);
}

static void
what_is_written_is_for_whom_it_is_meant(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
    } rows[] = {
        {"state", 0700},        {"crl", 0755},       {"crl/issuing.crl", 0644},
        {"crl/root.crl", 0644}, {"link.sock", 0660}, {"admin.sock", 0600},
    };
    struct world *w = *state;

    world_start(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(mem_cleanup) char *path = path_in(w, rows[i].name);
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        if ((st.st_mode & 07777) != rows[i].mode) {
            fail_msg("%s: %o", rows[i].name, (unsigned)st.st_mode & 07777);
        }
    }
    assert_int_equal(world_stop(w), 0);
}

static time_t
unix_time(const ASN1_TIME *t)
{
    struct tm tm = {0};

    assert_int_equal(ASN1_TIME_to_tm(t, &tm), 1);
    return timegm(&tm);
}

/* How long the CRL that is published lives. */
static time_t
crl_length(const struct world *w)
{
    CLEANUP(buf_free) struct buf der = {0};
    CLEANUP(x509_crl_cleanup) X509_CRL *crl = NULL;
    const unsigned char *p;

    load(w, "crl/issuing.crl", &der);
    p = der.p;
    crl = d2i_X509_CRL(NULL, &p, (long)der.n);
    assert_non_null(crl);
    return unix_time(X509_CRL_get0_nextUpdate(crl)) - unix_time(X509_CRL_get0_lastUpdate(crl));
}

/* Its CRLs live for a week at most. */
static void
a_rehearsal_is_known_by_its_name(void **state)
{
    static const struct {
        const char *name;
        const char *more;
        bool rehearsal;
        time_t length;
    } rows[] = {
        {"REHEARSAL - Issuing", "crl_validity_hours = 720\n", true, 7 * DAY},
        {"REHEARSAL - Issuing", "crl_validity_hours = 168\n", true, 7 * DAY},
        {"REHEARSAL - Issuing", "crl_validity_hours = 167\n", true, 167 * 3600},
        {"REHEARSALS", "crl_validity_hours = 720\n", false, 30 * DAY},
        {"A REHEARSAL 1", "crl_validity_hours = 167\n", false, 167 * 3600},
    };
    struct world *w = *state;
    EVP_PKEY *key = X509_get0_pubkey(w->issuing);
    CLEANUP(buf_free) struct buf kept = {0};
    const time_t now = clock_now();

    load(w, "issuing.der", &kept);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CLEANUP(x509_cleanup)
        X509 *issuing = issue_named(w, w->pki->root_key, key, "issuing", now - DAY, now + 5 * DAY,
                                    rows[i].name);
        CLEANUP(admin_json_cleanup) json_t *status = NULL;
        struct err e = {0};

        save_certificate(w, "issuing.der", issuing);
        world_configure(w, rows[i].more);
        world_start(w);
        status = world_ask(w, json_pack("{s:s}", "command", "status"), &e);
        assert_non_null(status);
        assert_int_equal(json_is_true(json_object_get(status, "rehearsal")), rows[i].rehearsal);
        assert_int_equal(crl_length(w), rows[i].length);
        assert_int_equal(world_stop(w), 0);
    }
    save(w, "issuing.der", buf_span(&kept));
    world_configure(w, "renewal_window = 0\n");
}

/* ---- the command line ---- */

/* Runs it with these words; its exit status, with what it wrote. */
static int
run(const struct world *w, const char *words, struct buf *out)
{
    CLEANUP(mem_cleanup)
    char *line = mem_printf("cd '%s' && ASAN_OPTIONS=detect_leaks=0 '%s/nfpki-ca' %s >out 2>&1",
                            w->dir, TEST_BINARY_DIR, words);
    char *const argv[] = {mem_strdup("sh"), mem_strdup("-c"), line, NULL};
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        (void)execv("/bin/sh", argv);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    mem_free(argv[0]);
    mem_free(argv[1]);
    assert_true(WIFEXITED(status));
    buf_free(out);
    load(w, "out", out);
    {
        struct err e = {0};

        assert_ok(buf_append(out, SPAN_LITERAL("\0"), &e), &e);
    }
    return WEXITSTATUS(status);
}

static void
the_command_line_is_checked(void **state)
{
    static const struct {
        const char *words;
        int status;
        const char *says;
    } rows[] = {
        {"", 2, "usage: nfpki-ca"},
        {"--config", 2, "usage: nfpki-ca"},
        {"--config nfpki-ca.conf more", 2, "usage: nfpki-ca"},
        {"--nonsense --config nfpki-ca.conf", 2, "usage: nfpki-ca"},
        {"--help", 0, "usage: nfpki-ca"},
        {"--version", 0, "nfpki-ca " NFPKI_VERSION},
        {"--config nowhere.conf", 1, "nowhere.conf: No such file"},
        {"--check --config issuing.conf", 2, "no such option"},
        {"--check --config nfpki-ca.conf", 0, ""},
        {"--check --debug --config nfpki-ca.conf", 0, ""},
    };
    struct world *w = *state;
    CLEANUP(buf_free) struct buf out = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status = run(w, rows[i].words, &out);

        if (status != rows[i].status || strstr((const char *)out.p, rows[i].says) == NULL) {
            fail_msg("%s: %d %s", rows[i].words, status, (const char *)out.p);
        }
    }
}

static void
check_says_what_a_start_would_say_of_certificates(void **state)
{
    struct world *w = *state;
    CLEANUP(buf_free) struct buf vendor = {0};
    CLEANUP(buf_free) struct buf out = {0};

    load(w, "vendor.der", &vendor);
    save(w, "vendor.der", SPAN_LITERAL("no certificate"));
    assert_int_not_equal(run(w, "--check --config nfpki-ca.conf", &out), 0);
    assert_non_null(strstr((const char *)out.p, "vendor.der"));
    save(w, "vendor.der", buf_span(&vendor));
    write_wrong(w, NO_MORE);
    use_other_certificates(w);
    assert_int_equal(run(w, "--check --config nfpki-ca.conf", &out), 1);
    assert_non_null(strstr((const char *)out.p, "i.der: out of its validity"));
    world_configure(w, "renewal_window = 0\n");
    assert_int_equal(run(w, "--check --config nfpki-ca.conf", &out), 0);
}

static int
set_up(void **state)
{
    if (world_setup(state) != 0) {
        return -1;
    }
    write_forged_crl(*state);
    return world_stop(*state);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_line_is_checked),
        cmocka_unit_test(check_says_what_a_start_would_say_of_certificates),
        cmocka_unit_test(a_chain_that_is_not_right_is_refused),
        cmocka_unit_test(what_cannot_be_used_is_named),
        cmocka_unit_test(what_may_be_there_later_is_tried_again),
        cmocka_unit_test(a_token_that_keeps_no_anchor_needs_a_setting),
        cmocka_unit_test(a_rehearsal_is_known_by_its_name),
        cmocka_unit_test(what_is_written_is_for_whom_it_is_meant),
        cmocka_unit_test(older_copies_are_refused),
    };

    return cmocka_run_group_tests(tests, set_up, world_teardown);
}
