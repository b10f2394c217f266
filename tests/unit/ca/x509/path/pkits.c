/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of NIST PKITS against path_validate(), at the strength that the product demands. Which
 * certificates, CRLs and inputs a test has, and what it expects, says the archive; which sections
 * there are, and where we differ for a reason, say the two tables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "ca/x509/path/check.h"
#include "ca/x509/path/path.h"
#include "tests/support/test.h"
#include "tests/support/tmpdir.h"

enum {
    AT = 1790000000, /* 2026-09-21, within the validity of the suite's good certificates */
    LIST_MAX = 12,
    TEXT_MAX = 512 * 1024,
    FILE_MAX = 64 * 1024,
};

static const struct section {
    const char *number;
    const char *title;
    int tests;
} sections[] = {
    {"4.1.", "signature verification", 6},
    {"4.2.", "validity periods", 8},
    {"4.3.", "name chaining", 11},
    {"4.4.", "basic certificate revocation tests", 21},
    {"4.5.", "self-issued certificates, key rollover", 8},
    {"4.6.", "basic constraints", 17},
    {"4.7.", "key usage", 5},
    {"4.8.", "certificate policies", 35},
    {"4.9.", "require explicit policy", 8},
    {"4.10.", "policy mappings", 23},
    {"4.11.", "inhibit policy mapping", 11},
    {"4.12.", "inhibit any policy", 11},
    {"4.13.", "name constraints", 38},
    {"4.14.", "distribution points", 35},
    {"4.15.", "delta-CRLs", 10},
    {"4.16.", "private certificate extensions", 2},
};

/* Where we refuse what the suite accepts. There is no row for the other direction. */
static const struct exception {
    const char *number;
    const char *reason;
} exceptions[] = {
    {"4.1.4", "DSA is no algorithm of ours (TS 33.310 6.1.1)"},
    {"4.1.5", "DSA is no algorithm of ours (TS 33.310 6.1.1)"},
};

/* Reasons of path_check_certificate(), which the daemons ask too, to refuse a certificate in a path
 * that the suite accepts. */
static const struct exception forms[] = {
    {"policyConstraints must be critical",
     "RFC 5280 4.2.1.11 MUST; the suite has the older form, where it need not be"},
    {"basicConstraints must be critical", "RFC 5280 4.2.1.9 MUST"},
    {"nor RSA", "DSA is no algorithm of ours (TS 33.310 6.1.1)"},
    {"a public key that is not known", "DSA with parameters of its issuer (RFC 3279 2.3.2)"},
};

struct list {
    char *items[LIST_MAX];
    size_t n;
};

struct test {
    char number[16];
    struct list certs;
    struct list crls;
    struct list policies;
    bool should_validate;
    bool explicit_policy;
    bool inhibit_mapping;
    bool inhibit_any_policy;
};

struct count {
    int ran[ARRAY_LEN(sections)];
    int passed;
    int excepted;
    int failed;
    bool used[ARRAY_LEN(exceptions)];
    int formless[ARRAY_LEN(forms)];
};

static char *folder;

/* ---- the archive ---- */

static int
unpack(void **state)
{
    int status = 0;
    pid_t child;

    (void)state;
    folder = tmpdir_new();
    child = fork();
    if (child == 0) {
        (void)execlp("tar", "tar", "-xJf", TEST_SOURCE_DIR "/vectors/pkits/nist-pkits.tar.xz", "-C",
                     folder, (char *)NULL);
        _exit(127);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0 ? 0 : -1;
}

static int
clean(void **state)
{
    (void)state;
    tmpdir_remove(folder);
    return 0;
}

static void
read_file(const char *kind, const char *name, const char *suffix, struct buf *out)
{
    CLEANUP(mem_cleanup)
    char *path = mem_printf("%s/nist-pkits/%s/%s.%s", folder, kind, name, suffix);
    struct err e = {0};

    assert_ok(file_read(path, out, &e), &e);
}

static X509 *
certificate(const char *name)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(FILE_MAX);
    struct err e = {0};
    X509 *x;

    read_file("certs", name, "crt", &der);
    x = certificate_parse(buf_span(&der), &e);
    if (x == NULL) {
        fail_msg("%s: %s", name, e.text);
    }
    return x;
}

static X509_CRL *
crl(const char *name)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(FILE_MAX);
    const unsigned char *p;
    X509_CRL *c;

    read_file("crls", name, "crl", &der);
    p = der.p;
    c = d2i_X509_CRL(NULL, &p, (long)der.n);
    if (c == NULL) {
        fail_msg("%s: not a CRL", name);
    }
    return c;
}

/* ---- what the archive says about its tests ---- */

static void
list_clear(struct list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        mem_free(list->items[i]);
    }
    list->n = 0;
}

static void
test_clear(struct test *t)
{
    list_clear(&t->certs);
    list_clear(&t->crls);
    list_clear(&t->policies);
    *t = (struct test){0};
}

static void
list_add(struct list *list, const char *text, size_t n)
{
    assert_true(list->n < LIST_MAX);
    list->items[list->n++] = mem_printf("%.*s", (int)n, text);
}

/* The quoted words between `from` and `to`, each split at its commas. */
static void
read_quoted(const char *from, const char *to, struct list *out)
{
    for (;;) {
        const char *open = memchr(from, '"', (size_t)(to - from));
        const char *close = open == NULL ? NULL : memchr(open + 1, '"', (size_t)(to - open - 1));

        if (close == NULL) {
            return;
        }
        for (const char *word = open + 1; word <= close;) {
            const char *comma = memchr(word, ',', (size_t)(close - word));
            const char *end = comma == NULL ? close : comma;

            list_add(out, word, (size_t)(end - word));
            word = end + 1;
        }
        from = close + 1;
    }
}

/* What stands behind `key` in [from, to), up to the next ';'. */
static bool
statement(const char *from, const char *to, const char *key, const char **begin, const char **end)
{
    *begin = memmem(from, (size_t)(to - from), key, strlen(key));
    if (*begin == NULL) {
        return false;
    }
    *begin += strlen(key);
    *end = memchr(*begin, ';', (size_t)(to - *begin));
    assert_non_null(*end);
    return true;
}

static bool
is_true(const char *from, const char *to, const char *key)
{
    const char *begin;
    const char *end;

    return statement(from, to, key, &begin, &end) &&
           memmem(begin, (size_t)(end - begin), "true", 4) != NULL;
}

static void
policy_oids(struct list *policies)
{
    static const char prefix[] = "NIST-test-policy-";

    for (size_t i = 0; i < policies->n; i++) {
        char *name = policies->items[i];

        assert_int_equal(strncmp(name, prefix, sizeof(prefix) - 1), 0);
        policies->items[i] = mem_printf("2.16.840.1.101.3.2.1.48.%s", name + sizeof(prefix) - 1);
        mem_free(name);
    }
}

/* One test: the text from its certificates to its RunTest. */
static void
read_test(const char *from, const char *to, struct test *t)
{
    const char *begin = NULL;
    const char *end = NULL;
    struct list number = {0};

    assert_true(statement(from, to, "certs[] = {", &begin, &end));
    read_quoted(begin, end, &t->certs);
    assert_true(statement(from, to, "crls[] = {", &begin, &end));
    read_quoted(begin, end, &t->crls);
    assert_true(statement(from, to, "info.test_number = ", &begin, &end));
    read_quoted(begin, end, &number);
    assert_int_equal(number.n, 1);
    (void)snprintf(t->number, sizeof(t->number), "%s", number.items[0]);
    list_clear(&number);
    assert_true(statement(from, to, "info.should_validate = ", &begin, &end));
    t->should_validate = is_true(from, to, "info.should_validate = ");
    t->explicit_policy = is_true(from, to, "SetInitialExplicitPolicy(");
    t->inhibit_mapping = is_true(from, to, "SetInitialPolicyMappingInhibit(");
    t->inhibit_any_policy = is_true(from, to, "SetInitialInhibitAnyPolicy(");
    if (statement(from, to, "SetInitialPolicySet(", &begin, &end)) {
        read_quoted(begin, end, &t->policies);
        policy_oids(&t->policies);
    }
}

/* ---- running them ---- */

static enum path_verdict
validate(const struct test *t, struct err *e)
{
    X509 *certs[LIST_MAX] = {0};
    X509_CRL *crls[LIST_MAX] = {0};
    size_t n = t->certs.n;
    enum path_verdict verdict;
    struct path_request request = {.at = AT,
                                   .anchors = certs,
                                   .n_anchors = 1,
                                   .untrusted = certs + 1,
                                   .n_untrusted = n - 2,
                                   .status = PATH_STATUS_REQUIRED,
                                   .crls = crls,
                                   .n_crls = t->crls.n,
                                   .policies = (const char *const *)t->policies.items,
                                   .n_policies = t->policies.n,
                                   .explicit_policy = t->explicit_policy,
                                   .inhibit_mapping = t->inhibit_mapping,
                                   .inhibit_any_policy = t->inhibit_any_policy};

    assert_true(n >= 2);
    for (size_t i = 0; i < n; i++) {
        certs[i] = certificate(t->certs.items[i]);
    }
    for (size_t i = 0; i < t->crls.n; i++) {
        crls[i] = crl(t->crls.items[i]);
    }
    verdict = path_validate(certs[n - 1], &request, e);
    for (size_t i = 0; i < n; i++) {
        X509_free(certs[i]);
    }
    for (size_t i = 0; i < t->crls.n; i++) {
        X509_CRL_free(crls[i]);
    }
    return verdict;
}

/* What the daemons ask beyond section 6. */
static void
check_forms(const struct test *t, struct count *count)
{
    for (size_t i = 1; i < t->certs.n; i++) {
        CLEANUP(x509_cleanup) X509 *x = certificate(t->certs.items[i]);
        struct err e = {0};
        bool known = path_check_certificate(x, 0, &e) == 0;

        for (size_t k = 0; k < ARRAY_LEN(forms) && !known; k++) {
            known = strstr(e.text, forms[k].number) != NULL;
            count->formless[k] += known;
        }
        if (!known) {
            print_error("%s: %s: %s\n", t->number, t->certs.items[i], e.text);
            count->failed++;
        }
    }
}

static const struct exception *
exception_of(const struct test *t, struct count *count)
{
    for (size_t i = 0; i < ARRAY_LEN(exceptions); i++) {
        if (strcmp(exceptions[i].number, t->number) == 0) {
            count->used[i] = true;
            return &exceptions[i];
        }
    }
    return NULL;
}

static void
judge_test(const struct test *t, struct count *count)
{
    const struct exception *exception = exception_of(t, count);
    struct err e = {0};
    bool good = validate(t, &e) == PATH_GOOD;
    bool known = false;

    if (t->should_validate) {
        check_forms(t, count);
    }
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        if (strncmp(t->number, sections[i].number, strlen(sections[i].number)) == 0) {
            count->ran[i]++;
            known = true;
        }
    }
    if (!known) {
        print_error("%s: of no section in the table\n", t->number);
        count->failed++;
    } else if (good == t->should_validate) {
        count->passed++;
    } else if (!good && exception != NULL) {
        print_message("%s: excepted: %s\n", t->number, exception->reason);
        count->excepted++;
    } else {
        print_error("%s (%s): %s, but %s is expected: %s\n", t->number,
                    t->certs.items[t->certs.n - 1], good ? "accepted" : "refused",
                    t->should_validate ? "acceptance" : "refusal", e.text);
        count->failed++;
    }
}

static void
run_all(const char *text, size_t n, struct count *count)
{
    const char *end = text + n;
    const char *from;
    const char *to;

    while ((from = memmem(text, (size_t)(end - text), "const char* const certs[]", 25)) != NULL) {
        struct test t = {0};

        to = memmem(from, (size_t)(end - from), "this->RunTest(", 14);
        assert_non_null(to);
        read_test(from, to, &t);
        judge_test(&t, count);
        test_clear(&t);
        text = to;
    }
}

/* A row of a table that nothing in the archive wants hides something. */
static void
check_tables(struct count *count, int *total)
{
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        *total += count->ran[i];
        if (count->ran[i] != sections[i].tests) {
            print_error("section %s %s: %d tests ran, %d are in the table\n", sections[i].number,
                        sections[i].title, count->ran[i], sections[i].tests);
            count->failed++;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(exceptions); i++) {
        if (!count->used[i]) {
            print_error("exception %s is for no test\n", exceptions[i].number);
            count->failed++;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        print_message("%d certificates in valid paths: \"%s\", which the daemons refuse: %s\n",
                      count->formless[i], forms[i].number, forms[i].reason);
        if (count->formless[i] == 0) {
            print_error("form \"%s\" is for no certificate\n", forms[i].number);
            count->failed++;
        }
    }
}

static void
every_test_has_its_expected_result(void **state)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    struct count count = {0};
    int total = 0;

    (void)state;
    read_file("", "pkits_testcases-inl", "h", &text);
    run_all((const char *)text.p, text.n, &count);
    check_tables(&count, &total);
    print_message("%d ran: %d as expected, %d excepted, %d not as expected\n", total, count.passed,
                  count.excepted, count.failed);
    buf_free(&text);
    assert_int_equal(count.failed, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_test_has_its_expected_result),
    };

    return cmocka_run_group_tests(tests, unpack, clean);
}
