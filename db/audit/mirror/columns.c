/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/mirror/columns.h"

#include <assert.h>
#include <string.h>

#include "base/ossl.h"

enum { COLUMNS_MAX = 19, ALWAYS = 2 /* leaf and time, before all others */ };

/* How a member becomes a value. AS_THERE: 1 when it is there, else 0. */
enum as { AS_OCTETS, AS_TEXT, AS_INT, AS_BOOL, AS_TIME, AS_THERE, AS_KIND };

struct column {
    const char *member;
    enum as as;
};

struct insert {
    const char *sql; /* ?1 is the index, ?2 the time, and the columns follow */
    struct column columns[COLUMNS_MAX];
};

/* Every kind is named here: what has no statement changes rows of others alone (effects.c). */
static const struct insert INSERTS[LEAF_KINDS] = {
    [LEAF_START] = {"INSERT INTO operation(leaf, time, kind, program, version, config, "
                    "software_token, issuer, record, clock_set_back, root, log_key) VALUES "
                    "(?,?,?,?,?,?,?,?,?,?,?,?)",
                    {{"", AS_KIND},
                     {"program", AS_TEXT},
                     {"version", AS_TEXT},
                     {"config", AS_OCTETS},
                     {"softwareToken", AS_BOOL},
                     {"issuer", AS_OCTETS},
                     {"record", AS_INT},
                     {"clockSetBack", AS_TIME},
                     {"root", AS_OCTETS},
                     {"logKey", AS_OCTETS}}},
    [LEAF_STOP] = {"INSERT INTO operation(leaf, time, kind, text) VALUES (?,?,?,?)",
                   {{"", AS_KIND}, {"reason", AS_TEXT}}},
    [LEAF_CONFIG] =
        {"INSERT INTO configuration(leaf, time, file, sha256, previous) VALUES (?,?,?,?,?)",
         {{"file", AS_TEXT}, {"sha256", AS_OCTETS}, {"previous", AS_OCTETS}}},
    [LEAF_REGISTRATION] = {"INSERT INTO registration(leaf, time, registration, sha256, nf, "
                           "registrar, proof, certificates, not_before, not_after, supersedes, "
                           "batch) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                           {{"registration", AS_OCTETS},
                            {"sha256", AS_OCTETS},
                            {"nfInstanceId", AS_TEXT},
                            {"registrar", AS_OCTETS},
                            {"proof", AS_TEXT},
                            {"certificates", AS_INT},
                            {"notBefore", AS_TIME},
                            {"notAfter", AS_TIME},
                            {"supersedes", AS_OCTETS},
                            {"batch", AS_THERE}}},
    [LEAF_CANCEL] = {"INSERT INTO cancellation(leaf, time, registration, reason, by, registrar) "
                     "VALUES (?,?,?,?,?,?)",
                     {{"registration", AS_OCTETS},
                      {"reason", AS_TEXT},
                      {"by", AS_TEXT},
                      {"registrar", AS_OCTETS}}},
    [LEAF_REQUEST] = {"INSERT INTO request(leaf, time, rid, registration, profile, assurance, "
                      "qseq, approvals, head, made, made_by) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                      {{"rid", AS_OCTETS},
                       {"registration", AS_OCTETS},
                       {"profile", AS_TEXT},
                       {"assurance", AS_TEXT},
                       {"qseq", AS_INT},
                       {"approvals", AS_INT},
                       {"head", AS_OCTETS},
                       {"made", AS_TIME},
                       {"madeBy", AS_TEXT}}},
    [LEAF_REFUSAL] = {"INSERT INTO refusal(leaf, time, rid, registration, fail_info, reason, "
                      "place) VALUES (?,?,?,?,?,?,'CA')",
                      {{"rid", AS_OCTETS},
                       {"registration", AS_OCTETS},
                       {"failInfo", AS_INT},
                       {"reason", AS_TEXT}}},
    [LEAF_INTENT] = {"INSERT INTO certificate(leaf, time, serial, rid, profile, nf, registration, "
                     "assurance, approvals, renews, updates, instead_of, profile_file, "
                     "message_time, not_before, not_after, tbs, by) VALUES "
                     "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     {{"serial", AS_OCTETS},
                      {"rid", AS_OCTETS},
                      {"profile", AS_TEXT},
                      {"nfInstanceId", AS_TEXT},
                      {"registration", AS_OCTETS},
                      {"assurance", AS_TEXT},
                      {"approvals", AS_INT},
                      {"renews", AS_OCTETS},
                      {"updates", AS_OCTETS},
                      {"insteadOf", AS_OCTETS},
                      {"profileFile", AS_OCTETS},
                      {"messageTime", AS_TIME},
                      {"notBefore", AS_TIME},
                      {"notAfter", AS_TIME},
                      {"tbs", AS_OCTETS},
                      {"by", AS_TEXT}}},
    [LEAF_ISSUED] = {NULL, {{NULL, AS_TEXT}}},
    [LEAF_CONFIRMED] = {NULL, {{NULL, AS_TEXT}}},
    [LEAF_REJECTED] = {NULL, {{NULL, AS_TEXT}}},
    [LEAF_REVOKED] = {"INSERT INTO revocation(leaf, time, serial, reason, by, date, superseded_by, "
                      "rr, invalidity) VALUES (?1,?2,?3,?4,?5,coalesce(?6, ?2),?7,?8,?9)",
                      {{"serial", AS_OCTETS},
                       {"reason", AS_INT},
                       {"by", AS_TEXT},
                       {"revocationDate", AS_TIME},
                       {"supersededBy", AS_OCTETS},
                       {"rr", AS_OCTETS},
                       {"invalidityDate", AS_TIME}}},
    [LEAF_CRL] = {"INSERT INTO crl(leaf, time, number, sha256, this_update, next_update, entries, "
                  "tbs) VALUES (?,?,?,?,?,?,?,?)",
                  {{"number", AS_INT},
                   {"sha256", AS_OCTETS},
                   {"thisUpdate", AS_TIME},
                   {"nextUpdate", AS_TIME},
                   {"entries", AS_INT},
                   {"tbs", AS_OCTETS}}},
    [LEAF_CRL_INTENT] = {"INSERT INTO crl_intent(leaf, time, number, tbs, this_update, "
                         "next_update, entries, revocations, up_to, expired_before) VALUES "
                         "(?,?,?,?,?,?,?,?,?,?)",
                         {{"number", AS_INT},
                          {"tbs", AS_OCTETS},
                          {"thisUpdate", AS_TIME},
                          {"nextUpdate", AS_TIME},
                          {"entries", AS_INT},
                          {"revocations", AS_OCTETS},
                          {"upTo", AS_INT},
                          {"expiredBefore", AS_TIME}}},
    [LEAF_RECOVERED] =
        {"INSERT INTO operation(leaf, time, kind, resumed, abandoned, text) VALUES "
         "(?,?,?,?,?,?)",
         {{"", AS_KIND}, {"resumed", AS_INT}, {"abandoned", AS_INT}, {"text", AS_TEXT}}},
    [LEAF_CEREMONY] = {"INSERT INTO ceremony(leaf, time, head, name, sha256, type, previous, "
                       "production, by) VALUES (?,?,?,?,?,?,?,?,?)",
                       {{"head", AS_OCTETS},
                        {"name", AS_TEXT},
                        {"sha256", AS_OCTETS},
                        {"type", AS_TEXT},
                        {"previous", AS_OCTETS},
                        {"production", AS_BOOL},
                        {"by", AS_TEXT}}},
    [LEAF_APPROVAL] = {"INSERT INTO approval(leaf, time, rid, registration, decision, officer, "
                       "key, subject, reason, by) VALUES (?,?,?,?,?,?,?,?,?,?)",
                       {{"rid", AS_OCTETS},
                        {"registration", AS_OCTETS},
                        {"decision", AS_TEXT},
                        {"officer", AS_OCTETS},
                        {"key", AS_OCTETS},
                        {"subject", AS_TEXT},
                        {"reason", AS_TEXT},
                        {"by", AS_TEXT}}},
    [LEAF_AGAIN] = {"INSERT INTO repeat(leaf, time, rid, serial, again, registration, "
                    "message_time, qseq, head) VALUES (?,?,?,?,?,?,?,?,?)",
                    {{"rid", AS_OCTETS},
                     {"serial", AS_OCTETS},
                     {"again", AS_OCTETS},
                     {"registration", AS_OCTETS},
                     {"messageTime", AS_TIME},
                     {"qseq", AS_INT},
                     {"head", AS_OCTETS}}},
    [LEAF_QUEUE_HEAD] = {"INSERT INTO queue_head(leaf, time, head, ra) VALUES (?,?,?,?)",
                         {{"head", AS_OCTETS}, {"ra", AS_OCTETS}}},
    [LEAF_SEALED] = {"INSERT INTO operation(leaf, time, kind) VALUES (?,?,?)", {{"", AS_KIND}}},
    [LEAF_RESTORED] = {"INSERT INTO signed(leaf, time, kind, officer, second_officer, plan, "
                       "record, clock_set_back, first, last, adopted, previous) VALUES "
                       "(?,?,?,?,?,?,?,?,?,?,?,?)",
                       {{"", AS_KIND},
                        {"officer", AS_OCTETS},
                        {"secondOfficer", AS_OCTETS},
                        {"plan", AS_OCTETS},
                        {"record", AS_INT},
                        {"clockSetBack", AS_TIME},
                        {"from", AS_INT},
                        {"to", AS_INT},
                        {"adopted", AS_INT},
                        {"previousOrigin", AS_TEXT}}},
    [LEAF_ADOPTED] = {"INSERT INTO adoption(leaf, time, serial, origin) VALUES (?,?,?,?)",
                      {{"serial", AS_OCTETS}, {"from", AS_TEXT}}},
    [LEAF_ACKNOWLEDGED] = {"INSERT INTO signed(leaf, time, kind, officer, second_officer, plan, "
                           "record, clock_set_back, key, line, object, serial, number, reason) "
                           "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                           {{"", AS_KIND},
                            {"officer", AS_OCTETS},
                            {"secondOfficer", AS_OCTETS},
                            {"plan", AS_OCTETS},
                            {"record", AS_INT},
                            {"clockSetBack", AS_TIME},
                            {"key", AS_OCTETS},
                            {"line", AS_INT},
                            {"object", AS_TEXT},
                            {"serial", AS_OCTETS},
                            {"number", AS_INT},
                            {"reason", AS_TEXT}}},
    [LEAF_RA_REPORT] = {"INSERT INTO report(leaf, time, report, ra) VALUES (?,?,?,?)",
                        {{"report", AS_OCTETS}, {"ra", AS_OCTETS}}},
    [LEAF_OPERATION] = {"INSERT INTO command(leaf, time, command, by, outcome, object, reason, "
                        "untold) VALUES (?,?,?,?,?,?,?,?)",
                        {{"command", AS_TEXT},
                         {"by", AS_TEXT},
                         {"outcome", AS_TEXT},
                         {"object", AS_TEXT},
                         {"reason", AS_TEXT},
                         {"untold", AS_INT}}},
    [LEAF_CLOCK] = {"INSERT INTO operation(leaf, time, kind, expected) VALUES (?,?,?,?)",
                    {{"", AS_KIND}, {"expected", AS_TIME}}},
};

/* leaf_parse() has seen to it that they are hex, and fit. */
struct sql_value
columns_octets(const struct leaf *leaf, const char *member, uint8_t **scratch)
{
    const char *hex = leaf_text(leaf, member);
    const size_t n = hex == NULL ? 0 : strlen(hex) / 2;
    uint8_t *at = *scratch;
    struct err e;

    if (hex == NULL || hex_parse(hex, at, n, &e) != 0) {
        return sql_null();
    }
    *scratch = at + n;
    return sql_octets(span_of(at, n));
}

struct sql_value
columns_time(const struct leaf *leaf, const char *member)
{
    const char *text = leaf_text(leaf, member);
    time_t at = 0;
    struct err e;

    return text != NULL && time_parse(text, &at, &e) == 0 ? sql_int(at) : sql_null();
}

static struct sql_value
integer(const struct leaf *leaf, const char *member)
{
    const int64_t n = leaf_int(leaf, member, INT64_MIN);

    return n == INT64_MIN ? sql_null() : sql_int(n);
}

static struct sql_value
value_of(const struct leaf *leaf, const struct column *column, uint8_t **scratch)
{
    switch (column->as) {
    case AS_OCTETS:
        return columns_octets(leaf, column->member, scratch);
    case AS_TEXT:
        return sql_text(leaf_text(leaf, column->member));
    case AS_INT:
        return integer(leaf, column->member);
    case AS_BOOL:
        return sql_int(leaf_bool(leaf, column->member) ? 1 : 0);
    case AS_TIME:
        return columns_time(leaf, column->member);
    case AS_THERE:
        return sql_int(leaf_text(leaf, column->member) != NULL ? 1 : 0);
    case AS_KIND:
        return sql_int(leaf_kind(leaf));
    }
    assert(false);
    return sql_null();
}

int
columns_insert(struct sql *db, uint64_t index, const struct leaf *leaf, uint8_t *scratch,
               struct err *e)
{
    const struct insert *insert = &INSERTS[leaf_kind(leaf)];
    struct sql_value values[ALWAYS + COLUMNS_MAX];
    size_t n = 0;

    if (insert->sql == NULL) {
        return 0;
    }
    values[n++] = sql_int((int64_t)index);
    values[n++] = sql_int(leaf_time(leaf));
    for (const struct column *c = insert->columns; c->member != NULL; c++) {
        values[n++] = value_of(leaf, c, &scratch);
    }
    return sql_exec(db, insert->sql, values, n, e);
}
