/* SPDX-License-Identifier: Apache-2.0 */
/* Cancellations over the local socket, and what becomes of them at the CA. */
#include <string.h>

#include "ca/cmp/message/failure.h"
#include "ca/link/admin.h"
#include "ra/admin/closing.h"
#include "tests/unit/ra/admin/asking.h"

static void
cancels(struct running *w, const char *id)
{
    CLEANUP(buf_free) struct buf cms = running_cancellation(w, id);
    CLEANUP(admin_json_cleanup)
    json_t *answer = asking_is_taken(w, asking_with_cms("cancel", buf_span(&cms)));

    assert_string_equal(json_string_value(json_object_get(answer, "id")), id);
}

static int64_t
is_cancelled(struct running *w, const char *id)
{
    return asking_column(w, "SELECT cancelled FROM registration WHERE id = ?", id);
}

static int64_t
is_kept(struct running *w, const char *id)
{
    return asking_column(w, "SELECT cancellation IS NOT NULL FROM registration WHERE id = ?", id);
}

static void
a_cancellation_ends_a_registration_here_and_there(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    cancels(w, m.id);
    assert_int_equal(is_cancelled(w, m.id), 1);
    assert_int_equal(asking_is_closed(w, m.id), 1);
    assert_int_equal(w->asked[LINK_CANCEL], 1);
    cancels(w, m.id); /* again is fine */
    asking_cancels_in_vain(w, NO_ID, ERR_NOTFOUND, "");
}

static void
only_a_registrar_cancels(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    const struct {
        const char *role;
        enum err_code code;
        const char *why;
    } rows[] = {{"officer", ERR_DENIED, "the signer's role is officer by the CA's record"},
                {"ra-cmp", ERR_DENIED, "the signer's role is ra-cmp by the CA's record"},
                {"none", ERR_DENIED, "the signer's role is none by the CA's record"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        running_forget_roles(w);
        asking_ca.role = rows[i].role;
        asking_cancels_in_vain(w, m.id, rows[i].code, rows[i].why);
    }
    running_forget_roles(w);
    asking_ca.role = NULL;
    running_ca_goes(w);
    running_until(w, running_is_down);
    asking_cancels_in_vain(
        w, m.id, ERR_BUSY,
        "the CA, which knows whose signature this is, does not answer: nothing is "
        "cancelled, try again");
    assert_int_equal(is_cancelled(w, m.id), 0);
}

static bool
is_asked_to_cancel(struct running *w)
{
    return w->asked[LINK_CANCEL] > 0;
}

struct cancelling_task {
    json_t *request;
    char *path;
    json_t *answer;
    struct err e;
};

static void
run_cancel(void *arg)
{
    struct cancelling_task *t = arg;

    t->answer = admin_ask(t->path, t->request, 60000, &t->e);
}

static void
the_ca_hears_of_a_cancellation_when_it_is_back(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);
    CLEANUP(member_free) struct member n = running_member(w);
    CLEANUP(member_free) struct member known = running_member(w);
    CLEANUP(buf_free) struct buf cms = running_cancellation(w, n.id);
    struct cancelling_task t = {.request = asking_with_cms("cancel", buf_span(&cms)),
                                .path = mem_printf("%s/admin.sock", w->dir)};
    struct running_task *task;

    cancels(w, known.id); /* who the registrar is, is known from here on */
    w->asked[LINK_CANCEL] = 0;
    running_ca_goes(w);
    running_until(w, running_is_down);
    asking_cancels_in_vain(
        w, m.id, ERR_BUSY,
        "cancelled here; the CA is told when it is there: what was issued is not "
        "revoked before");
    assert_int_equal(is_cancelled(w, m.id), 1);
    assert_int_equal(asking_is_closed(w, m.id), 0);
    assert_int_equal(is_kept(w, m.id), 1);
    asking_ca.silent = LINK_CANCEL;
    running_ca_comes(w);
    running_until(w, is_asked_to_cancel);
    /* The link breaks before the CA has answered: of the one that closing.h told, and of this. */
    w->asked[LINK_CANCEL] = 0;
    task = running_begin(w, run_cancel, &t);
    running_until(w, is_asked_to_cancel);
    running_ca_goes(w);
    running_end(w, task);
    assert_null(t.answer);
    assert_int_equal(t.e.code, ERR_BUSY);
    assert_non_null(strstr(t.e.text, "cancelled here; the CA did not answer and is told again"));
    json_decref(t.request);
    mem_free(t.path);
    asking_ca.silent = 0;
    tap_mark();
    running_ca_comes(w);
    running_settle(w);
    assert_int_equal(asking_is_closed(w, m.id), 1);
    assert_int_equal(asking_is_closed(w, n.id), 1);
    tap_need("at the CA too");
}

static void
what_the_ca_does_not_cancel_it_is_not_told_again(void **state)
{
    struct running *w = *state;
    CLEANUP(member_free) struct member m = running_member(w);

    asking_ca.refused = LINK_CANCEL;
    asking_ca.fail_info = CMP_NOT_AUTHORIZED;
    asking_cancels_in_vain(w, m.id, ERR_DENIED, "cancelled here, but the CA says: not by this CA");
    assert_int_equal(is_cancelled(w, m.id), 1);
    assert_int_equal(is_kept(w, m.id), 1);
    closing_run(w->ra.closing);
    running_settle(w);
    tap_need("the CA says: not by this CA; what was issued is not revoked");
    assert_int_equal(asking_is_closed(w, m.id), 0);
    assert_int_equal(is_kept(w, m.id), 0);
    w->asked[LINK_CANCEL] = 0;
    closing_run(w->ra.closing);
    running_settle(w);
    assert_int_equal(w->asked[LINK_CANCEL], 0);
}

/* Eight in a round. */
static void
many_cancellations_are_told_in_rounds(void **state)
{
    struct running *w = *state;
    const size_t rows[] = {7, 8, 9, 17};
    struct member known = running_member(w);

    cancels(w, known.id);
    member_free(&known);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        running_ca_goes(w);
        running_until(w, running_is_down);
        w->asked[LINK_CANCEL] = 0;
        running_sql(w,
                    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "
                    "INSERT INTO registration(id, nf_instance, proof, not_after, "
                    "certificates, registered, cancelled, cancellation) "
                    "SELECT printf('%030x%02x', ?, i), 'nf', 1, 0, 1, 0, 1, x'30' "
                    "FROM n",
                    STORE_VALUES(store_int((int64_t)rows[i]), store_int((int64_t)i + 1)));
        running_ca_comes(w);
        running_settle(w);
        if (w->asked[LINK_CANCEL] != rows[i]) {
            fail_msg("%zu cancellations: the CA heard of %zu", rows[i], w->asked[LINK_CANCEL]);
        }
    }
}

/* A round that brought nothing to its end is not the begin of another one. */
static void
a_ca_that_is_busy_is_told_in_its_own_time(void **state)
{
    struct running *w = *state;

    running_ca_goes(w);
    running_until(w, running_is_down);
    running_sql(w,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) "
                "INSERT INTO registration(id, nf_instance, proof, not_after, "
                "certificates, registered, cancelled, cancellation) "
                "SELECT printf('ff%028x%02x', 1, i), 'nf', 1, 0, 1, 0, 1, x'30' FROM n",
                STORE_NO_VALUES);
    w->asked[LINK_CANCEL] = 0;
    asking_ca.busy = LINK_CANCEL;
    running_ca_comes(w);
    running_settle(w);
    running_for(w, 50);
    assert_int_equal(w->asked[LINK_CANCEL], 8);
    asking_ca.busy = 0;
    closing_run(w->ra.closing);
    running_settle(w);
    assert_int_equal(w->asked[LINK_CANCEL], 8 + 9);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_cancellation_ends_a_registration_here_and_there, asking_reset),
        cmocka_unit_test_setup(only_a_registrar_cancels, asking_reset),
        cmocka_unit_test_setup(the_ca_hears_of_a_cancellation_when_it_is_back, asking_reset),
        cmocka_unit_test_setup(what_the_ca_does_not_cancel_it_is_not_told_again, asking_reset),
        cmocka_unit_test_setup(many_cancellations_are_told_in_rounds, asking_reset),
        cmocka_unit_test_setup(a_ca_that_is_busy_is_told_in_its_own_time, asking_reset),
    };

    return cmocka_run_group_tests(tests, running_setup, running_teardown);
}
