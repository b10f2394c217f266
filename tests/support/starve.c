/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/starve.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/test.h"

/* In front of each block; those of a run are in a list until they are freed. */
struct block {
    _Alignas(16) struct block *next;
    struct block **from; /* NULL: in no list */
    const char *file;
    int line;
    unsigned run;
};

static struct {
    bool armed;
    bool all;  /* from `at` on, else that one alone */
    size_t at; /* 0: none fails */
    size_t n;  /* allocations so far */
    unsigned run;
    const char *file; /* of the first that failed */
    int line;
    struct site {
        const char *file;
        int line;
    } * sites; /* whose they were, while they are counted */
    size_t capacity;
    bool counting;
    struct block *blocks;
} state;

/* Is it the library that asks? Ours, with OPENSSL_malloc(), is none of its allocations. */
static bool
is_openssl(const char *file)
{
    return file != NULL && (strstr(file, "crypto/") != NULL || strstr(file, "ssl/") != NULL ||
                            strstr(file, "providers/") != NULL);
}

static void
take_out(struct block *b)
{
    if (b->from != NULL) {
        *b->from = b->next;
        if (b->next != NULL) {
            b->next->from = b->from;
        }
        b->from = NULL;
    }
}

static void
put_in(struct block *b, const char *file, int line)
{
    *b = (struct block){.file = file, .line = line, .run = state.run};
    if (state.armed && is_openssl(file)) {
        b->next = state.blocks;
        b->from = &state.blocks;
        if (b->next != NULL) {
            b->next->from = &b->next;
        }
        state.blocks = b;
    }
}

static bool
fails(const char *file, int line)
{
    if (!state.armed || !is_openssl(file)) {
        return false;
    }
    state.n++;
    if (state.counting) {
        state.sites = mem_grow(state.sites, &state.capacity, state.n, sizeof(*state.sites));
        state.sites[state.n - 1] = (struct site){.file = file, .line = line};
    }
    if (state.at == 0 || state.n < state.at || (state.n > state.at && !state.all)) {
        return false;
    }
    if (state.n == state.at) {
        state.file = file;
        state.line = line;
    }
    return true;
}

static void *
starve_malloc(size_t size, const char *file, int line)
{
    struct block *b;

    if (size == 0 || fails(file, line)) {
        return NULL;
    }
    b = malloc(sizeof(*b) + size);
    if (b == NULL) {
        return NULL;
    }
    put_in(b, file, line);
    return b + 1;
}

static void
starve_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    if (p != NULL) {
        struct block *b = (struct block *)p - 1;

        take_out(b);
        free(b);
    }
}

static void *
starve_realloc(void *p, size_t size, const char *file, int line)
{
    struct block *b;

    if (p == NULL) {
        return starve_malloc(size, file, line);
    }
    if (size == 0) {
        starve_free(p, file, line);
        return NULL;
    }
    if (fails(file, line)) {
        return NULL;
    }
    b = (struct block *)p - 1;
    take_out(b);
    b = realloc(b, sizeof(*b) + size);
    if (b == NULL) {
        abort();
    }
    put_in(b, file, line);
    return b + 1;
}

/* OpenSSL takes an allocator before its own first allocation only. */
__attribute__((constructor)) static void
install(void)
{
    if (CRYPTO_set_mem_functions(starve_malloc, starve_realloc, starve_free) != 1) {
        abort();
    }
}

void
starve_pause(void)
{
    state.armed = false;
}

void
starve_resume(void)
{
    state.armed = true;
}

/* ---- one run ---- */

struct outcome {
    int result;
    struct buf out;
    struct err e;
};

static void
outcome_free(struct outcome *o)
{
    buf_free(&o->out);
}

static void
go(const struct starve *s, size_t at, bool all, struct outcome *o)
{
    buf_free(&o->out);
    *o = (struct outcome){.out = BUF_INIT(STARVE_OUT_MAX)};
    ERR_clear_error();
    state.run++;
    state.at = at;
    state.all = all;
    state.n = 0;
    state.file = NULL;
    state.armed = true;
    o->result = s->run(s->arg, &o->out, &o->e);
    state.armed = false;
    ERR_clear_error();
}

/* Where OpenSSL keeps what it may need again, and replaces it with the next: the texts beside
 * errors, and which implementation was found for what. */
static bool
is_kept(const struct block *b)
{
    return strstr(b->file, "crypto/err/") != NULL || strstr(b->file, "crypto/property/") != NULL;
}

/* What the last run has left. */
static const struct block *
left(void)
{
    for (const struct block *b = state.blocks; b != NULL; b = b->next) {
        if (b->run == state.run && !is_kept(b)) {
            return b;
        }
    }
    return NULL;
}

/* What the library fetches or computes once for all is left by the first run that needs it, and by
 * no second one. */
static const struct block *
lost(const struct starve *s, size_t at, bool all)
{
    CLEANUP(outcome_free) struct outcome again = {0};

    if (left() == NULL) {
        return NULL;
    }
    go(s, at, all, &again);
    return left();
}

static char *
describe(const struct starve *s, size_t at, bool all, const struct outcome *o, const char *what)
{
    return mem_printf("%s: allocation %zu%s (%s:%d) fails: %s (result %d, %zu octets, %s: '%s')",
                      s->name, at, all ? " and all behind it" : "",
                      state.file == NULL ? "none" : state.file, state.line, what, o->result,
                      o->out.n, err_code_name(o->e.code), o->e.text);
}

static char *
judge(const struct starve *s, size_t at, bool all, const struct outcome *fed,
      const struct outcome *o)
{
    const struct block *b;

    if (o->result == 0 && fed->result != 0) {
        return describe(s, at, all, o, "what is refused is granted");
    }
    if (o->result == 0 && !span_equal(buf_span(&o->out), buf_span(&fed->out))) {
        return describe(s, at, all, o, "success with other octets");
    }
    if (o->result != 0 && (o->e.code == ERR_NONE || o->e.text[0] == '\0')) {
        return describe(s, at, all, o, "failure without a reason");
    }
    b = lost(s, at, all);
    if (b != NULL) {
        CLEANUP(mem_cleanup) char *text = mem_printf("%s:%d is never freed", b->file, b->line);

        return describe(s, at, all, o, text);
    }
    return NULL;
}

static bool
same(const struct outcome *a, const struct outcome *b)
{
    return a->result == b->result && span_equal(buf_span(&a->out), buf_span(&b->out)) &&
           strcmp(a->e.text, b->e.text) == 0;
}

/* How often a line of OpenSSL asked before, and asks after, allocation `i`. */
static void
count_site(size_t i, size_t n, size_t *before, size_t *after)
{
    *before = *after = 0;
    for (size_t k = 0; k < n; k++) {
        if (k != i && state.sites[k].line == state.sites[i].line &&
            strcmp(state.sites[k].file, state.sites[i].file) == 0) {
            *(k < i ? before : after) += 1;
        }
    }
}

/* Which of them fail: so many as there may be, spread evenly; and where they fail alone, the first
 * of each line of OpenSSL and the last. NULL: all. */
static bool *
choose(const struct starve *s, size_t n, bool alone)
{
    const char *env = getenv("STARVE");
    size_t most = s->runs == 0 ? STARVE_RUNS : s->runs;
    bool *chosen;

    if (n <= most || (env != NULL && strcmp(env, "all") == 0)) {
        return NULL;
    }
    chosen = mem_zalloc(n, sizeof(*chosen));
    for (size_t i = 0; alone && i < n; i++) {
        size_t before;
        size_t after;

        count_site(i, n, &before, &after);
        chosen[i] = before == 0 || after == 0;
    }
    for (size_t i = 0; i < most; i++) {
        chosen[(2 * i + 1) * n / (2 * most)] = true;
    }
    return chosen;
}

static char *
sweep(const struct starve *s, size_t n, const bool *chosen, bool all, const struct outcome *fed)
{
    CLEANUP(outcome_free) struct outcome o = {0};

    for (size_t at = 1; at <= n; at++) {
        char *finding;

        if (chosen != NULL && !chosen[at - 1]) {
            continue;
        }
        go(s, at, all, &o);
        finding = judge(s, at, all, fed, &o);
        if (finding != NULL) {
            return finding;
        }
    }
    go(s, 0, false, &o);
    return same(&o, fed) ? NULL : describe(s, 0, all, &o, "fed again it says something else");
}

char *
starve_find(const struct starve *s)
{
    CLEANUP(outcome_free) struct outcome fed = {0};
    CLEANUP(outcome_free) struct outcome again = {0};
    CLEANUP(mem_cleanup) bool *alone = NULL;
    CLEANUP(mem_cleanup) bool *onwards = NULL;
    char *finding;
    size_t n;

    ERR_raise(ERR_LIB_USER, 1); /* the thread has a queue from here on */
    go(s, 0, false, &again);    /* what is made once is made */
    state.counting = true;
    go(s, 0, false, &fed);
    state.counting = false;
    n = state.n;
    if ((s->why == NULL) != (fed.result == 0) ||
        (s->why != NULL && strstr(fed.e.text, s->why) == NULL)) {
        return mem_printf("%s: %d, '%s'; '%s' is expected", s->name, fed.result, fed.e.text,
                          s->why == NULL ? "success" : s->why);
    }
    if (!same(&again, &fed)) {
        return mem_printf("%s: the same call says something else each time", s->name);
    }
    if (lost(s, 0, false) != NULL) {
        return mem_printf("%s: %s:%d is never freed", s->name, left()->file, left()->line);
    }
    if (n == 0) {
        return mem_printf("%s: allocates nothing", s->name);
    }
    if (getenv("STARVE") != NULL) {
        print_message("%s: %zu allocations\n", s->name, n);
    }
    alone = choose(s, n, true);
    onwards = choose(s, n, false);
    finding = sweep(s, n, alone, false, &fed);
    return finding == NULL ? sweep(s, n, onwards, true, &fed) : finding;
}

size_t
starve_sweep(const struct starve *s, size_t n)
{
    size_t findings = 0;

    for (size_t i = 0; i < n; i++) {
        CLEANUP(mem_cleanup) char *finding = starve_find(&s[i]);

        if (finding != NULL) {
            print_error("%s\n", finding);
            findings++;
        }
    }
    return findings;
}
