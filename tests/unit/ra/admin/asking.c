/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ra/admin/asking.h"

#include <string.h>

#include "ca/link/admin.h"

struct asking_ca asking_ca;

static void
does(struct running *w, link_peer peer, const struct link_message *m)
{
    struct link_message answer = {.id = m->id};

    if (m->type == asking_ca.silent) {
        return;
    }
    if (m->type == LINK_ROLE && asking_ca.role != NULL) {
        answer.type = LINK_ROLE_IS;
        answer.phrase = span_str(asking_ca.role);
    } else if (m->type == asking_ca.busy) {
        answer.type = LINK_BUSY;
    } else if (m->type == asking_ca.refused) {
        answer.type = LINK_REFUSED;
        answer.fail_info = asking_ca.fail_info;
        answer.phrase = span_str("not by this CA");
    } else {
        running_ca_does(w, peer, m);
        return;
    }
    link_server_answer(w->ca, peer, &answer);
}

int
asking_reset(void **state)
{
    struct running *w = *state;

    (void)running_reset(state);
    memset(&asking_ca, 0, sizeof(asking_ca));
    w->ca_does = does;
    running_forget_roles(w);
    return 0;
}

void
asking_is_refused(struct running *w, json_t *request, enum err_code code, const char *why)
{
    CLEANUP(mem_cleanup) char *text = json_dumps(request, JSON_COMPACT | JSON_SORT_KEYS);
    CLEANUP(admin_json_cleanup) json_t *answer = NULL;
    struct err e = {0};

    answer = running_ask(w, request, &e);
    if (answer != NULL || e.code != code || strstr(e.text, why) == NULL) {
        fail_msg("%.200s: %s: %s", text, answer != NULL ? "taken" : err_code_name(e.code), e.text);
    }
}

json_t *
asking_with_cms(const char *command, struct span cms)
{
    CLEANUP(mem_cleanup) char *base64 = base64_dup(cms);

    return json_pack("{s:s, s:s}", "command", command, "cms", base64);
}

json_t *
asking_is_taken(struct running *w, json_t *request)
{
    struct err e = {0};
    json_t *answer = running_ask(w, request, &e);

    if (answer == NULL) {
        fail_msg("%s: %s", err_code_name(e.code), e.text);
    }
    return answer;
}

void
asking_cancels_in_vain(struct running *w, const char *id, enum err_code code, const char *why)
{
    CLEANUP(buf_free) struct buf cms = running_cancellation(w, id);

    asking_is_refused(w, asking_with_cms("cancel", buf_span(&cms)), code, why);
}

int64_t
asking_column(struct running *w, const char *sql, const char *id)
{
    return running_number(w, sql, STORE_VALUES(store_text(id)));
}

int64_t
asking_is_closed(struct running *w, const char *id)
{
    return asking_column(w, "SELECT closed FROM registration WHERE id = ?", id);
}
