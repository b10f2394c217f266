/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/queue/roles.h"

#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"

/* The CA is what the test says; the loop runs as long as somebody waits. */
static struct fixture {
    struct event_base *base;
    struct roles *roles;
    ask_reply *reply; /* of the question that is on its way; NULL: none */
    void *arg;
    size_t asked;
    bool is_down;
} f;

struct waits {
    struct role_waiter waiter;
    enum role role;
    size_t told;
};

static const uint8_t one[SHA256_SIZE] = {1};
static const uint8_t almost_one[SHA256_SIZE] = {1, [SHA256_SIZE - 1] = 1};
static const uint8_t two[SHA256_SIZE] = {2};
static const uint8_t zero[SHA256_SIZE] = {0}; /* as a place has it that is not used */

static int
ask(void *user, const struct link_message *m, ask_reply *reply, void *arg, struct err *e)
{
    assert_ptr_equal(user, &f);
    assert_int_equal(m->type, LINK_ROLE);
    if (f.is_down) {
        return err_set(e, ERR_BUSY, "the link is down");
    }
    f.reply = reply;
    f.arg = arg;
    f.asked++;
    return 0;
}

static void
begin(int64_t age_ms, int wait_ms)
{
    memset(&f, 0, sizeof(f));
    f.base = event_base_new();
    f.roles = roles_new(&(struct roles_options){
        .base = f.base, .ask = ask, .user = &f, .age_ms = age_ms, .wait_ms = wait_ms});
}

static void
end(void)
{
    roles_free(f.roles);
    event_base_free(f.base);
}

static void
answer(const struct link_message *m)
{
    ask_reply *reply = f.reply;

    assert_non_null(reply);
    f.reply = NULL;
    reply(f.arg, m);
}

static void
say(const char *role)
{
    answer(&(struct link_message){.type = LINK_ROLE_IS, .phrase = span_str(role)});
}

static void
told(struct role_waiter *waiter, enum role role)
{
    struct waits *w = CONTAINER_OF(waiter, struct waits, waiter);

    w->role = role;
    w->told++;
}

static struct waits
ask_for(const uint8_t fingerprint[SHA256_SIZE], bool anew)
{
    struct waits w = {.waiter = {.done = told}, .role = ROLE_UNKNOWN};

    roles_ask(f.roles, fingerprint, anew, &w.waiter);
    assert_int_equal(w.told, 1); /* known, or it is no use to wait: it does not outlive this call */
    return w;
}

/* Asks, and the CA answers. */
static enum role
learn(const uint8_t fingerprint[SHA256_SIZE], bool anew, const char *role)
{
    struct waits w = {.waiter = {.done = told}};

    roles_ask(f.roles, fingerprint, anew, &w.waiter);
    assert_int_equal(w.told, 0);
    say(role);
    assert_int_equal(w.told, 1);
    return w.role;
}

static void
each_role_is_what_the_ca_says(void **state)
{
    (void)state;
    begin(0, 0);
    for (enum role role = ROLE_NOBODY; role <= ROLE_REGISTRAR; role++) {
        assert_int_equal(learn(one, true, role_name(role)), role);
    }
    end();
}

/* What a newer CA might say, and what no CA says. */
static void
an_unknown_word_makes_nobody_anybody(void **state)
{
    static const char *const words[] = {"auditor", "registrars", "Registrar", "unknown", " "};

    (void)state;
    begin(0, 0);
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        assert_int_equal(learn(one, true, words[i]), ROLE_NOBODY);
    }
    end();
}

static void
another_kind_of_answer_or_none_is_no_role(void **state)
{
    struct waits w = {.waiter = {.done = told}, .role = ROLE_REGISTRAR};

    (void)state;
    begin(0, 0);
    roles_ask(f.roles, one, true, &w.waiter);
    answer(&(struct link_message){.type = LINK_BUSY, .phrase = SPAN_LITERAL("registrar")});
    assert_int_equal(w.told, 1);
    assert_int_equal(w.role, ROLE_UNKNOWN);
    roles_ask(f.roles, one, true, &w.waiter);
    answer(NULL); /* the link went away */
    assert_int_equal(w.told, 2);
    assert_int_equal(w.role, ROLE_UNKNOWN);
    /* neither is kept */
    assert_int_equal(learn(one, false, "registrar"), ROLE_REGISTRAR);
    f.is_down = true;
    assert_int_equal(ask_for(two, false).role, ROLE_UNKNOWN);
    end();
}

static void
an_answer_is_kept_and_a_connection_asks_anew(void **state)
{
    (void)state;
    begin(0, 0);
    assert_int_equal(learn(one, true, "registrar"), ROLE_REGISTRAR);
    assert_int_equal(ask_for(one, false).role, ROLE_REGISTRAR);
    assert_int_equal(f.asked, 1);
    assert_int_equal(learn(one, true, "officer"), ROLE_OFFICER);
    assert_int_equal(ask_for(one, false).role, ROLE_OFFICER);
    assert_int_equal(learn(two, false, "none"), ROLE_NOBODY); /* nobody else's */
    end();
}

static void
an_answer_is_believed_for_its_time_only(void **state)
{
    int64_t since;

    (void)state;
    begin(1, 0);
    assert_int_equal(learn(one, true, "registrar"), ROLE_REGISTRAR);
    since = clock_monotonic_ms();
    while (clock_monotonic_ms() <= since + 1) {
        (void)usleep(1000);
    }
    assert_int_equal(learn(one, false, "none"), ROLE_NOBODY);
    end();
}

static void
newer_crls_make_it_forget(void **state)
{
    struct waits w = {.waiter = {.done = told}};

    (void)state;
    begin(0, 0);
    roles_note_crls(f.roles, one);
    assert_int_equal(learn(one, true, "registrar"), ROLE_REGISTRAR);
    roles_note_crls(f.roles, one); /* the same ones */
    assert_int_equal(ask_for(one, false).role, ROLE_REGISTRAR);
    roles_note_crls(f.roles, two);
    roles_ask(f.roles, one, false, &w.waiter);
    assert_int_equal(w.told, 0);
    /* they changed again while it was asked: that answer is of before */
    roles_note_crls(f.roles, one);
    say("registrar");
    assert_int_equal(w.told, 0);
    assert_int_equal(f.asked, 3);
    say("none");
    assert_int_equal(w.told, 1);
    assert_int_equal(w.role, ROLE_NOBODY);
    roles_note_crls(f.roles, almost_one);
    assert_int_equal(learn(one, false, "officer"), ROLE_OFFICER);
    end();
}

/* Who asks while the CA is asked anew waits for what it says now. */
static void
what_is_asked_anew_is_not_known_meanwhile(void **state)
{
    struct waits a = {.waiter = {.done = told}};
    struct waits b = a;

    (void)state;
    begin(0, 0);
    assert_int_equal(learn(one, true, "registrar"), ROLE_REGISTRAR);
    roles_ask(f.roles, one, true, &a.waiter);
    roles_ask(f.roles, one, false, &b.waiter);
    assert_int_equal(b.told, 0);
    (void)event_base_loop(f.base, EVLOOP_NONBLOCK); /* it is not late yet */
    assert_int_equal(a.told, 0);
    say("none");
    assert_int_equal(a.role, ROLE_NOBODY);
    assert_int_equal(b.role, ROLE_NOBODY);
    end();
}

static void
nobody_waits_for_ever(void **state)
{
    struct waits a = {.waiter = {.done = told}, .role = ROLE_REGISTRAR};
    struct waits b = a;

    (void)state;
    begin(0, 1);
    roles_ask(f.roles, one, true, &a.waiter);
    roles_ask(f.roles, one, false, &b.waiter); /* one question for both */
    assert_int_equal(f.asked, 1);
    (void)event_base_dispatch(f.base);
    assert_int_equal(a.told, 1);
    assert_int_equal(b.told, 1);
    assert_int_equal(a.role, ROLE_UNKNOWN);
    assert_int_equal(b.role, ROLE_UNKNOWN);
    say("registrar"); /* late, and nobody is told again */
    assert_int_equal(a.told, 1);
    /* whoever waits at the end is told, too */
    a.waiter.next = NULL;
    roles_ask(f.roles, two, true, &a.waiter);
    end();
    assert_int_equal(a.told, 2);
    assert_int_equal(a.role, ROLE_UNKNOWN);
}

/* A place for each question on its way; whom there is none for is told so at once. An answer whose
 * place is wanted is forgotten, the oldest first. */
static void
so_many_are_asked_about_and_no_more(void **state)
{
    static struct waits all[ROLES_MAX + 1];
    uint8_t fingerprint[SHA256_SIZE] = {9};
    uint8_t more[SHA256_SIZE] = {10};
    struct waits last = {.waiter = {.done = told}, .role = ROLE_REGISTRAR};

    (void)state;
    begin(0, 0);
    for (size_t i = 0; i < ROLES_MAX; i++) {
        all[i] = (struct waits){.waiter = {.done = told}};
        fingerprint[SHA256_SIZE - 1] = (uint8_t)i; /* they differ in the last octet */
        roles_ask(f.roles, fingerprint, true, &all[i].waiter);
        assert_int_equal(all[i].told, 0);
    }
    assert_int_equal(f.asked, ROLES_MAX);
    roles_ask(f.roles, more, true, &last.waiter);
    assert_int_equal(last.told, 1);
    assert_int_equal(last.role, ROLE_UNKNOWN);
    assert_int_equal(f.asked, ROLES_MAX);
    say("registrar"); /* of the last question: its place is free for another */
    assert_int_equal(all[ROLES_MAX - 1].told, 1);
    last.told = 0;
    roles_ask(f.roles, more, true, &last.waiter);
    assert_int_equal(last.told, 0);
    assert_int_equal(f.asked, ROLES_MAX + 1);
    say("officer");
    assert_int_equal(last.role, ROLE_OFFICER);
    end();
}

static void
next_ms(void)
{
    const int64_t now = clock_monotonic_ms();

    while (clock_monotonic_ms() == now) {
        /* what is learned now is older than what is learned then */
    }
}

static void
the_oldest_answer_gives_its_place_up(void **state)
{
    uint8_t fingerprint[SHA256_SIZE] = {9};

    (void)state;
    begin(0, 0);
    assert_int_equal(learn(zero, true, "officer"), ROLE_OFFICER);
    next_ms();
    for (size_t i = 1; i < ROLES_MAX; i++) {
        fingerprint[SHA256_SIZE - 1] = (uint8_t)i;
        assert_int_equal(learn(fingerprint, true, "registrar"), ROLE_REGISTRAR);
        if (i == 1) {
            next_ms();
        }
    }
    assert_int_equal(ask_for(zero, false).role, ROLE_OFFICER); /* there is a place for each */
    next_ms();
    assert_int_equal(learn(zero, true, "officer"), ROLE_OFFICER); /* the youngest of all */
    assert_int_equal(learn(two, true, "registrar"), ROLE_REGISTRAR);
    assert_int_equal(ask_for(zero, false).role, ROLE_OFFICER);
    fingerprint[SHA256_SIZE - 1] = 2;
    assert_int_equal(ask_for(fingerprint, false).role, ROLE_REGISTRAR);
    fingerprint[SHA256_SIZE - 1] = 1;
    assert_int_equal(learn(fingerprint, false, "none"), ROLE_NOBODY);
    end();
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_role_is_what_the_ca_says),
        cmocka_unit_test(an_unknown_word_makes_nobody_anybody),
        cmocka_unit_test(another_kind_of_answer_or_none_is_no_role),
        cmocka_unit_test(an_answer_is_kept_and_a_connection_asks_anew),
        cmocka_unit_test(an_answer_is_believed_for_its_time_only),
        cmocka_unit_test(newer_crls_make_it_forget),
        cmocka_unit_test(nobody_waits_for_ever),
        cmocka_unit_test(what_is_asked_anew_is_not_known_meanwhile),
        cmocka_unit_test(so_many_are_asked_about_and_no_more),
        cmocka_unit_test(the_oldest_answer_gives_its_place_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
