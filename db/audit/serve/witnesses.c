/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/witnesses.h"

#include <inttypes.h>

#include "db/audit/mirror/noted.h"
#include "db/audit/query/cells.h"
#include "db/audit/report/page.h"

/* ---- without a policy ---- */

static int
count_write(const struct visit *v, struct err *e)
{
    CLEANUP(statement_cleanup) sqlite3_stmt *statement = NULL;
    const int64_t seen = mirror_cosigned(v->mirror);
    int n;

    if (seen >= 0) {
        (void)fprintf(v->out,
                      "<span>the last import found the first %" PRId64 " leaves witnessed</span> ",
                      seen);
    }
    if (statement_prepare(
            mirror_sqlite(v->mirror),
            "SELECT count(*) FROM (SELECT s.key_id FROM cosignature s JOIN checkpoint c ON c.id = "
            "s.checkpoint WHERE c.state = 'accepted' AND c.size = (SELECT accepted FROM position) "
            "UNION SELECT key_id FROM witness_note)",
            &statement, e) != 0) {
        return -1;
    }
    if (sqlite3_step(statement) != SQLITE_ROW) {
        return statement_ended(statement, sqlite3_errcode(mirror_sqlite(v->mirror)), e);
    }
    n = sqlite3_column_int(statement, 0);
    if (n == 0) {
        (void)fputs("<span>no witness has signed this</span>", v->out);
    } else {
        (void)fprintf(v->out,
                      "<span>%d other signature%s, not verified here: serve --policy</span>", n,
                      n == 1 ? "" : "s");
    }
    return 0;
}

/* ---- by the policy ---- */

struct asking {
    struct witnessed witnessed;
    struct witnessed_log view;
    struct err wrong; /* with a note: nothing is to be believed then */
};

static int
consistent(void *arg, const struct checkpoint *earlier, struct err *e)
{
    return mirror_begins_with(arg, earlier, e);
}

static int
note_take(void *arg, struct span note, struct err *e)
{
    struct asking *a = arg;

    if (witnessed_note(&a->witnessed, &a->view, note, &a->wrong) == 0) {
        return 0;
    }
    *e = a->wrong;
    return -1;
}

/* Not as it should be. */
static void
warn(FILE *out, const char *text)
{
    (void)fputs("<strong class=\"stale\">", out);
    page_text(out, text);
    (void)fputs("</strong>", out);
}

static void
quorum_write(const struct visit *v, const struct asking *a)
{
    CLEANUP(mem_cleanup)
    char *part = mem_printf("witnessed up to %" PRIu64 " leaves alone", a->witnessed.size);
    struct err e = {0};
    bool any = false;

    if (witnessed_check(&a->witnessed, &e) != 0) {
        warn(v->out, e.text);
        return;
    }
    if (a->witnessed.size < a->view.checkpoint.size) {
        warn(v->out, part);
    } else {
        (void)fputs("<span>witnessed, all of it</span>", v->out);
    }
    for (size_t i = 0; i < tlog_policy_witnesses(v->policy); i++) {
        if (a->witnessed.by[i].found) {
            (void)fputs(any ? ", " : " <span>by ", v->out);
            page_text(v->out, tlog_policy_witness(v->policy, i)->name);
            any = true;
        }
    }
    (void)fputs(any ? "</span>" : "", v->out);
}

int
witnesses_write(const struct visit *v, struct err *e)
{
    struct asking a = {.witnessed = {.policy = v->policy},
                       .view = {.key = mirror_key(v->mirror),
                                .checkpoint = *mirror_checkpoint(v->mirror),
                                .consistent = consistent,
                                .arg = v->mirror}};

    if (v->policy == NULL) {
        return count_write(v, e);
    }
    if (mirror_notes(v->mirror, note_take, &a, e) != 0) {
        if (a.wrong.code != ERR_CRYPTO && a.wrong.code != ERR_INPUT &&
            a.wrong.code != ERR_CONFLICT) {
            return -1;
        }
        warn(v->out, a.wrong.text);
        return 0;
    }
    witnessed_judge(&a.witnessed, &a.view);
    quorum_write(v, &a);
    return 0;
}
