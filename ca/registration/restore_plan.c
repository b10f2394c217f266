/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/registration/restore_plan.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/ossl.h"

/* The members of a plan, as they are in it. */
struct members {
    int version;
    const char *kind, *time;
    json_int_t left, published, crl;
    const char *left_root, *origin, *root, *crl_hash;
    json_int_t registrations, certificates, revocations, crls;
    json_int_t given_up, refused, voided, from_crl, adopted;
    const char *adopted_hash;
    const char *on_trust;
    json_t *new_log; /* NULL: the log goes on */
    const char *new_origin, *new_root;
    json_int_t new_signed;
};

static void
json_cleanup(json_t **value)
{
    json_decref(*value);
}

static int
unpack(json_t *object, struct members *m, struct err *e)
{
    json_error_t reason;

    if (json_unpack_ex(
            object, &reason, JSON_STRICT,
            "{s:i,s:s,s:s,s:{s:I,s:s!},s:{s:s,s:I,s:s!},s:{s:I,s:s!},s:{s:I,s:I,s:I,s:I!},s:I,s:I,"
            "s:I,s:I,s:{s:I,s:s!},s:s,s?o}",
            "version", &m->version, "kind", &m->kind, "time", &m->time, "database", "leaves",
            &m->left, "root", &m->left_root, "log", "origin", &m->origin, "leaves", &m->published,
            "root", &m->root, "crl", "number", &m->crl, "sha256", &m->crl_hash, "read back",
            "registrations", &m->registrations, "certificates", &m->certificates, "revocations",
            &m->revocations, "crls", &m->crls, "given up", &m->given_up, "refused", &m->refused,
            "void", &m->voided, "from the CRL", &m->from_crl, "adopted", "certificates",
            &m->adopted, "sha256", &m->adopted_hash, "on trust", &m->on_trust, "new log",
            &m->new_log) != 0 ||
        (m->new_log != NULL &&
         json_unpack_ex(m->new_log, &reason, JSON_STRICT, "{s:s,s:I,s:s}", "origin", &m->new_origin,
                        "signed", &m->new_signed, "root", &m->new_root) != 0)) {
        return err_set(e, ERR_INPUT, "plan of a restore: %s", reason.text);
    }
    return m->version == 1 && strcmp(m->kind, RESTORE_PLAN_KIND) == 0
               ? 0
               : err_set(e, ERR_INPUT, "plan of a restore: version and kind are not 1 and restore");
}

/* What is printed at a terminal is what is written there, and nothing else. */
static bool
is_printable(const char *text)
{
    for (; text != NULL && *text != '\0'; text++) {
        if (isprint((unsigned char)*text) == 0) {
            return false;
        }
    }
    return true;
}

static int
check(const struct members *m, struct err *e)
{
    const struct {
        const char *name;
        const char *hex; /* NULL: not there */
    } hashes[] = {{"database.root", m->left_root},
                  {"log.root", m->root},
                  {"crl.sha256", m->crl_hash},
                  {"adopted.sha256", m->adopted_hash},
                  {"new log.root", m->new_root}};
    uint8_t octets[SHA256_SIZE];
    struct err why = {0};
    time_t made;

    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        if (hashes[i].hex != NULL && hex_parse(hashes[i].hex, octets, sizeof(octets), &why) != 0) {
            return err_set(e, ERR_INPUT, "plan of a restore: %s: not 64 hexadecimal digits",
                           hashes[i].name);
        }
    }
    if (time_parse(m->time, &made, &why) != 0) {
        return err_set(e, ERR_INPUT, "plan of a restore: time: %s", why.text);
    }
    return is_printable(m->origin) && is_printable(m->new_origin) && is_printable(m->on_trust)
               ? 0
               : err_set(e, ERR_INPUT, "plan of a restore: a text that is not printable ASCII");
}

#define LL(value) ((long long)(value))

static char *
write_adopted(const struct members *m)
{
    return m->adopted == 0 ? mem_strdup("nothing")
                           : mem_printf("%lld that the ledger lost and somebody has; file SHA-256 "
                                        "%s",
                                        LL(m->adopted), m->adopted_hash);
}

static char *
write_new_log(const struct members *m)
{
    return m->new_log == NULL
               ? mem_strdup("")
               : mem_printf("  new log      %s; the one before is at its end, its key had signed "
                            "%lld leaves, root %s\n",
                            m->new_origin, LL(m->new_signed), m->new_root);
}

char *
restore_plan_read(struct span json, struct err *e)
{
    json_error_t reason;
    CLEANUP(json_cleanup)
    json_t *object = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &reason);
    CLEANUP(mem_cleanup) char *adopted = NULL;
    CLEANUP(mem_cleanup) char *new_log = NULL;
    struct members m = {0};

    if (object == NULL) {
        (void)err_set(e, ERR_INPUT, "plan of a restore: not JSON: line %d", reason.line);
        return NULL;
    }
    if (unpack(object, &m, e) != 0 || check(&m, e) != 0) {
        return NULL;
    }
    adopted = write_adopted(&m);
    new_log = write_new_log(&m);
    return mem_printf("Plan of a restore of ca.db, made %s\n"
                      "  left         %lld leaves, root %s\n"
                      "  ledger       %s: %lld leaves, root %s\n"
                      "  CRL          number %lld, SHA-256 %s\n"
                      "  read back    %lld registrations, %lld certificates, %lld revocations, "
                      "%lld CRLs\n"
                      "  given up     %lld requests whose certificate is not in the ledger\n"
                      "  refused      %lld requests that waited for officers\n"
                      "  void         %lld one-time secrets\n"
                      "  from the CRL %lld revocations that the ledger does not have\n"
                      "  adopted      %s\n"
                      "  on trust     %s\n"
                      "%s",
                      m.time, LL(m.left), m.left_root, m.origin, LL(m.published), m.root, LL(m.crl),
                      m.crl_hash, LL(m.registrations), LL(m.certificates), LL(m.revocations),
                      LL(m.crls), LL(m.given_up), LL(m.refused), LL(m.voided), LL(m.from_crl),
                      adopted, m.on_trust[0] == '\0' ? "nothing" : m.on_trust, new_log);
}
