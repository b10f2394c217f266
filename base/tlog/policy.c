/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/policy.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = TLOG_POLICY_EACH * 2 + 3, DECIMAL = 10 };

/* A witness or a group; members stand before it. */
struct node {
    const char *name;
    bool is_member; /* of a group: of one alone */
    bool is_witness;
    size_t witness;
    size_t needed;
    size_t n;
    size_t members[2 * TLOG_POLICY_EACH];
};

struct tlog_policy {
    size_t n_logs;
    struct log_key logs[TLOG_POLICY_EACH]; /* empty: of a kind that no log of ours has */
    struct buf log_keys[TLOG_POLICY_EACH];
    size_t n_witnesses;
    struct tlog_witness witnesses[TLOG_POLICY_EACH];
    size_t n_groups;
    char *groups[TLOG_POLICY_EACH];
    size_t n_nodes;
    struct node nodes[2 * TLOG_POLICY_EACH];
    char *quorum; /* NULL: not yet */
    size_t quorum_node;
    bool is_none;
};

static void
destroy(struct tlog_policy *p)
{
    for (size_t i = 0; i < p->n_logs; i++) {
        log_key_free(&p->logs[i]);
        buf_free(&p->log_keys[i]);
    }
    for (size_t i = 0; i < p->n_witnesses; i++) {
        mem_free(p->witnesses[i].name);
    }
    for (size_t i = 0; i < p->n_groups; i++) {
        mem_free(p->groups[i]);
    }
    mem_free(p->quorum);
    mem_free(p);
}
DEFINE_CLEANUP(destroy_cleanup, struct tlog_policy, destroy)

void
tlog_policy_free(struct tlog_policy *p)
{
    if (p != NULL) {
        destroy(p);
    }
}

/* ---- lines ---- */

struct items {
    size_t n;
    char *of[ITEMS_MAX];
};

/* Cuts the line in place; false: there are too many. */
static bool
split(char *line, struct items *items)
{
    char *rest = NULL;

    items->n = 0;
    for (char *item = strtok_r(line, " \t", &rest); item != NULL;
         item = strtok_r(NULL, " \t", &rest)) {
        if (items->n == ITEMS_MAX) {
            return false;
        }
        items->of[items->n++] = item;
    }
    return true;
}

static struct node *
find(struct tlog_policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_nodes; i++) {
        if (strcmp(p->nodes[i].name, name) == 0) {
            return &p->nodes[i];
        }
    }
    return NULL;
}

static int
check_new(struct tlog_policy *p, size_t n, const char *name, struct err *e)
{
    if (n == TLOG_POLICY_EACH) {
        return err_set(e, ERR_INPUT, "more than %d of this kind", TLOG_POLICY_EACH);
    }
    return name != NULL && (strcmp(name, "none") == 0 || find(p, name) != NULL)
               ? err_set(e, ERR_INPUT, "this name is taken")
               : 0;
}

/* Logs sign with keys of other types, too; what is of none that we know is refused, for nobody
 * could say whether it stands here twice. */
static int
take_log(struct tlog_policy *p, const struct items *items, struct err *e)
{
    struct buf *typed = &p->log_keys[p->n_logs];
    CLEANUP(mem_cleanup) char *name = NULL;
    struct cosigner plain;

    if (items->n < 2 || items->n > 3) {
        return err_set(e, ERR_INPUT, "not \"log <vkey> [<url>]\"");
    }
    if (check_new(p, p->n_logs, NULL, e) != 0) {
        return -1;
    }
    *typed = BUF_INIT(NOTE_KEY_MAX);
    p->n_logs++; /* freed from here on */
    name = note_key_split(span_str(items->of[1]), typed, e);
    if (name == NULL) {
        return -1;
    }
    for (size_t i = 0; i + 1 < p->n_logs; i++) {
        if (span_equal(buf_span(&p->log_keys[i]), buf_span(typed))) {
            return err_set(e, ERR_INPUT, "a log with this key is there already");
        }
    }
    return typed->n > 0 && typed->p[0] == COSIGNER_PLAIN
               ? cosigner_parse(&plain, span_str(items->of[1]), e)
               : log_key_parse(&p->logs[p->n_logs - 1], span_str(items->of[1]), e);
}

static int
take_witness(struct tlog_policy *p, const struct items *items, struct err *e)
{
    struct tlog_witness *witness = &p->witnesses[p->n_witnesses];

    if (items->n < 3 || items->n > 4) {
        return err_set(e, ERR_INPUT, "not \"witness <name> <vkey> [<url>]\"");
    }
    if (check_new(p, p->n_witnesses, items->of[1], e) != 0 ||
        cosigner_parse(&witness->key, span_str(items->of[2]), e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < p->n_witnesses; i++) {
        if (memcmp(p->witnesses[i].key.key, witness->key.key, COSIGNER_KEY) == 0) {
            return err_set(e, ERR_INPUT, "a witness with this key is there already");
        }
    }
    witness->name = mem_strdup(items->of[1]);
    p->nodes[p->n_nodes++] =
        (struct node){.name = witness->name, .is_witness = true, .witness = p->n_witnesses++};
    return 0;
}

/* all, any, or a number of 1 to n */
static size_t
parse_needed(const char *text, size_t n)
{
    char *end;
    unsigned long k;

    if (strcmp(text, "all") == 0) {
        return n;
    }
    if (strcmp(text, "any") == 0) {
        return 1;
    }
    if (text[0] < '1' || text[0] > '9') {
        return 0;
    }
    k = strtoul(text, &end, DECIMAL);
    return *end == '\0' && k <= n ? k : 0;
}

static int
take_group(struct tlog_policy *p, const struct items *items, struct err *e)
{
    enum { FIRST = 3 };
    struct node *group = &p->nodes[p->n_nodes];

    if (items->n <= FIRST) {
        return err_set(e, ERR_INPUT, "not \"group <name> all|any|<k> <name>...\"");
    }
    if (check_new(p, p->n_groups, items->of[1], e) != 0) {
        return -1;
    }
    *group = (struct node){.needed = parse_needed(items->of[2], items->n - FIRST)};
    if (group->needed == 0) {
        return err_set(e, ERR_INPUT, "neither all, any nor a number of 1 to %zu", items->n - FIRST);
    }
    for (size_t i = FIRST; i < items->n; i++) {
        struct node *member = find(p, items->of[i]);

        if (member == NULL || member->is_member) {
            return err_set(e, ERR_INPUT,
                           member == NULL ? "a member that no line before it defines"
                                          : "a member that is in a group already");
        }
        member->is_member = true;
        group->members[group->n++] = (size_t)(member - p->nodes);
    }
    p->groups[p->n_groups] = mem_strdup(items->of[1]);
    group->name = p->groups[p->n_groups++];
    p->n_nodes++;
    return 0;
}

static int
take_quorum(struct tlog_policy *p, const struct items *items, struct err *e)
{
    const struct node *node;

    if (items->n != 2 || p->quorum != NULL) {
        return err_set(e, ERR_INPUT, "not one line \"quorum <name>|none\"");
    }
    p->is_none = strcmp(items->of[1], "none") == 0;
    node = find(p, items->of[1]);
    if (!p->is_none && node == NULL) {
        return err_set(e, ERR_INPUT, "a quorum that no line before it defines");
    }
    p->quorum_node = p->is_none ? 0 : (size_t)(node - p->nodes);
    p->quorum = mem_strdup(items->of[1]);
    return 0;
}

static int
take_line(struct tlog_policy *p, char *line, struct err *e)
{
    static const struct {
        const char *word;
        int (*take)(struct tlog_policy *, const struct items *, struct err *);
    } kinds[] = {{"log", take_log},
                 {"witness", take_witness},
                 {"group", take_group},
                 {"quorum", take_quorum}};
    struct items items;

    if (line[strspn(line, " \t")] == '#') {
        return 0;
    }
    if (!split(line, &items)) {
        return err_set(e, ERR_INPUT, "more than %d items", ITEMS_MAX);
    }
    if (items.n == 0) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(items.of[0], kinds[i].word) == 0) {
            return kinds[i].take(p, &items, e);
        }
    }
    return err_set(e, ERR_INPUT, "neither log, witness, group nor quorum");
}

static bool
is_allowed(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const uint8_t c = text.p[i];

        if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f) {
            return false;
        }
    }
    return text.n > 0 && text.n <= TLOG_POLICY_MAX && text.p[text.n - 1] == '\n';
}

struct tlog_policy *
tlog_policy_parse(struct span text, struct err *e)
{
    CLEANUP(destroy_cleanup) struct tlog_policy *p = mem_new(sizeof(*p));
    CLEANUP(mem_cleanup) char *copy = NULL;
    unsigned number = 1;

    if (!is_allowed(text)) {
        (void)err_set(e, ERR_INPUT,
                      "policy: control characters, no line break at its end, or not 1 to %d octets",
                      TLOG_POLICY_MAX);
        return NULL;
    }
    copy = mem_printf("%.*s", (int)text.n, (const char *)text.p);
    for (char *line = copy, *end; *line != '\0'; line = end + 1, number++) {
        end = strchr(line, '\n');
        *end = '\0';
        if (take_line(p, line, e) != 0) {
            (void)err_wrap(e, "policy: line %u", number);
            return NULL;
        }
    }
    if (p->quorum == NULL) {
        (void)err_set(e, ERR_INPUT, "policy: no line \"quorum <name>|none\"");
        return NULL;
    }
    return TAKE(p);
}

/* ---- questions ---- */

bool
tlog_policy_has_logs(const struct tlog_policy *p)
{
    return p->n_logs > 0;
}

bool
tlog_policy_has_log(const struct tlog_policy *p, const struct log_key *key)
{
    for (size_t i = 0; i < p->n_logs; i++) {
        const struct log_key *log = &p->logs[i];

        if (strcmp(log->origin, key->origin) == 0 &&
            span_equal(span_of(log->spki, log->spki_n), span_of(key->spki, key->spki_n))) {
            return true;
        }
    }
    return false;
}

size_t
tlog_policy_witnesses(const struct tlog_policy *p)
{
    return p->n_witnesses;
}

const struct tlog_witness *
tlog_policy_witness(const struct tlog_policy *p, size_t i)
{
    return &p->witnesses[i];
}

const char *
tlog_policy_quorum(const struct tlog_policy *p)
{
    return p->quorum;
}

bool
tlog_policy_met(const struct tlog_policy *p, const bool *cosigned)
{
    bool met[2 * TLOG_POLICY_EACH] = {false};

    /* A member stands before its group. */
    for (size_t i = 0; i < p->n_nodes; i++) {
        const struct node *node = &p->nodes[i];
        size_t n = 0;

        for (size_t k = 0; k < node->n; k++) {
            n += met[node->members[k]] ? 1 : 0;
        }
        met[i] = node->is_witness ? cosigned[node->witness] : n >= node->needed;
    }
    return p->is_none || met[p->quorum_node];
}
