/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/db/issuance/scene.h"

#include <openssl/ec.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct store *
try_open(const char *dir, const uint8_t *key, struct err *e)
{
    CLEANUP(mem_cleanup) char *path = mem_printf("%s/ca.db", dir);
    const struct store_options options = {.path = path,
                                          .application = 0x6e664341,
                                          .schemas = {ledger_migrations, issuance_migrations},
                                          .seal_key = key == NULL ? (struct span){0}
                                                                  : span_of(key, STORE_KEY_SIZE)};

    return store_open(&options, e);
}

static struct store *
open_with(const char *dir, const uint8_t *key)
{
    struct err e = {0};
    struct store *store = try_open(dir, key, &e);

    if (store == NULL) {
        fail_msg("%s", e.text);
    }
    return store;
}

struct store *
scene_open(const char *dir)
{
    return open_with(dir, NULL);
}

void
scene_reopen(struct scene *s, const uint8_t *key)
{
    store_free(s->store);
    s->store = NULL;
    s->store = open_with(s->dir, key);
}

int
scene_try_reopen(struct scene *s, const uint8_t *key, struct err *e)
{
    store_free(s->store);
    s->store = try_open(s->dir, key, e);
    return s->store == NULL ? -1 : 0;
}

static int
do_state(struct store_db *db, void *arg, struct err *e)
{
    enum store_seal *state = arg;

    (void)e;
    *state = store_seal_state(db);
    return 0;
}

enum store_seal
scene_seal_state(struct scene *s)
{
    enum store_seal state = STORE_NO_KEY;
    struct err e = {0};

    assert_ok(verb_call(s->store, do_state, &state, &e), &e);
    return state;
}

int
do_pages(struct store_db *db, void *arg, struct err *e)
{
    uint64_t page = 0;
    uint64_t seen;
    bool over;

    (void)arg;
    return store_scrub(db, &page, UINT64_MAX, &seen, &over, e);
}

/* ---- verbs with their arguments ---- */

int
do_intend(struct store_db *db, void *arg, struct err *e)
{
    struct intend *i = arg;

    return issuance_intend(db, &i->intent, &i->outcome, e);
}

int
do_issue(struct store_db *db, void *arg, struct err *e)
{
    struct issue *i = arg;

    return issuance_issue(db, i->rid, i->certificate, NOW, &i->leaf, e);
}

int
do_abandon(struct store_db *db, void *arg, struct err *e)
{
    struct issue *i = arg;

    return issuance_abandon(db, i->rid, 25, "given up", "too old", WHEN, &i->leaf, e);
}

static void
take_open(void *arg, const struct issuance_request *row)
{
    struct find *f = arg;

    memcpy(f->open, row->rid, sizeof(f->open));
    f->is_found = true;
}

/* The oldest intent. */
static int
find_open(struct store_db *db, struct find *f, struct err *e)
{
    f->is_found = false;
    if (issuance_open_each(db, LATER, 1, take_open, f, e) != 0) {
        return -1;
    }
    return !f->is_found
               ? 0
               : issuance_find(db, span_of(f->open, sizeof(f->open)), &f->found, &f->is_found, e);
}

int
do_find(struct store_db *db, void *arg, struct err *e)
{
    struct find *f = arg;

    return f->rid.n == 0 ? find_open(db, f, e)
                         : issuance_find(db, f->rid, &f->found, &f->is_found, e);
}

int
do_register(struct store_db *db, void *arg, struct err *e)
{
    struct registering *r = arg;

    return issuance_register(db, &r->row, r->registrar, r->now, &r->outcome, e);
}

int
do_cancel(struct store_db *db, void *arg, struct err *e)
{
    struct registering *r = arg;

    const struct issuance_cancellation c = {.id = r->row.id,
                                            .registrar_der = REGISTRAR,
                                            .registrar = scene_serial(REGISTRAR),
                                            .cms = SPAN_LITERAL("cancel"),
                                            .signed_at = NOW,
                                            .when = WHEN};

    return issuance_cancel(db, &c, &r->row.leaf, &r->revoked, &r->outcome, e);
}

int
do_confirm(struct store_db *db, void *arg, struct err *e)
{
    struct confirming *c = arg;

    return issuance_confirm(db, &c->c, &c->leaf, &c->revoked, &c->outcome, e);
}

int
do_refuse(struct store_db *db, void *arg, struct err *e)
{
    struct refusing *r = arg;

    return issuance_refuse(db, &r->r, &r->leaf, &r->outcome, e);
}

int
do_revoke(struct store_db *db, void *arg, struct err *e)
{
    struct revoking *r = arg;

    return issuance_revoke(db, r->serial, SUPERSEDED, "uid 0", WHEN, &r->leaf, &r->outcome, e);
}

int
do_count(struct store_db *db, void *arg, struct err *e)
{
    return issuance_count(db, arg, e);
}

static int
do_size(struct store_db *db, void *arg, struct err *e)
{
    return ledger_size(db, arg, e);
}

uint64_t
scene_leaves(struct store *store)
{
    uint64_t size = 0;
    struct err e = {0};

    assert_ok(verb_call(store, do_size, &size, &e), &e);
    return size;
}

/* ---- a scene: an RA, a registrar, one registration ---- */

enum {
    CERTIFICATE = 184,
    TBS = 3,
    TBS_N = 165,
    SERIAL = 13,
    SPKI = 77,
    SPKI_N = 91,
    POINT = SPKI + 26,
    POINT_N = 65,
    NUMBERS = 256,
};

/* SEQUENCE { tbs { [0] { 2 }, serialNumber, ecdsa-with-SHA256, {}, validity, {}, a key of P-256 },
 * ecdsa-with-SHA256, no signature } */
static const uint8_t MODEL[CERTIFICATE] =
    "\x30\x81\xb5"
    "\x30\x81\xa2\xa0\x03\x02\x01\x02\x02\x10................"
    "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
    "\x30\x00\x30\x1e\x17\x0d"
    "260101000000Z\x17\x0d"
    "270101000000Z\x30\x00"
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00................................................................."
    "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x03\x02\x00";

static uint8_t all[NUMBERS][CERTIFICATE];

/* The key of certificate n is (n + 1) G. */
static void
write_point(uint8_t n, uint8_t *out)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *k = BN_new();

    assert_int_equal(BN_set_word(k, (BN_ULONG)n + 1), 1);
    assert_int_equal(EC_POINT_mul(group, point, k, NULL, NULL, NULL), 1);
    assert_int_equal(
        EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out, POINT_N, NULL),
        POINT_N);
    BN_free(k);
    EC_POINT_free(point);
    EC_GROUP_free(group);
}

/* The store's thread asks, too. */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_certificates(void)
{
    for (size_t n = 0; n < NUMBERS; n++) {
        uint8_t *c = all[n];

        memcpy(c, MODEL, CERTIFICATE);
        memset(c + SERIAL, 0, ISSUANCE_SERIAL_SIZE);
        c[SERIAL] = 0x40;
        c[SERIAL + 1] = (uint8_t)n;
        write_point((uint8_t)n, c + POINT);
    }
}

struct span
scene_certificate(uint8_t n)
{
    assert_int_equal(pthread_once(&once, make_certificates), 0);
    return span_of(all[n], CERTIFICATE);
}

struct span
scene_certificate_of(struct span rid)
{
    return scene_certificate(rid.p[0]);
}

struct span
scene_tbs(struct span certificate)
{
    return span_of(certificate.p + TBS, TBS_N);
}

struct span
scene_serial(struct span certificate)
{
    return span_of(certificate.p + SERIAL, ISSUANCE_SERIAL_SIZE);
}

struct octets
scene_octets(uint8_t n)
{
    struct octets o = {.rid = {n}, .serial = {0x40, n}};
    struct err e = {0};

    assert_ok(sha256(span_of(scene_certificate(n).p + SPKI, SPKI_N), o.key, &e), &e);
    return o;
}

struct intend
scene_officer(const struct octets *o, const char *profile)
{
    return (struct intend){.intent = {.rid = span_of(o->rid, sizeof(o->rid)),
                                      .profile = profile,
                                      .evidence = SPAN_LITERAL("PKCS #10"),
                                      .spki_sha256 = span_of(o->key, sizeof(o->key)),
                                      .serial = span_of(o->serial, sizeof(o->serial)),
                                      .tbs = SPAN_LITERAL("TBS"),
                                      .not_before = NOW - 300,
                                      .judged = NOW,
                                      .not_after = LATER,
                                      .now = NOW,
                                      .date = NOW - 300}};
}

struct intend
scene_nf(const struct octets *o, const char *registration, struct span transaction_id)
{
    struct intend i = scene_officer(o, "nf-tls");

    i.intent.registration = registration;
    i.intent.nf_instance = UUID_1;
    i.intent.certificates = 2;
    i.intent.ra_der = RA;
    i.intent.transaction_id = transaction_id;
    i.intent.queue_sequence = 7;
    i.intent.queue_previous = span_of(o->key, sizeof(o->key));
    return i;
}

void
scene_issue(struct store *store, uint8_t n, const char *profile, struct span der)
{
    const struct octets o = scene_octets(n);
    struct intend i = scene_officer(&o, profile);
    struct issue done = {.rid = i.intent.rid, .certificate = der};
    struct err e = {0};

    i.intent.tbs = scene_tbs(der);
    assert_ok(verb_call(store, do_intend, &i, &e), &e);
    assert_int_equal(i.outcome, ISSUANCE_DONE);
    assert_ok(verb_call(store, do_issue, &done, &e), &e);
}

struct registering
scene_registration(const char *uuid, const char *cms, int certificates)
{
    struct registering r = {.registrar = REGISTRAR, .now = NOW};
    uint8_t hash[SHA256_SIZE];
    struct err e = {0};

    r.row.cms = BUF_INIT(256);
    r.row.json = BUF_INIT(256);
    r.row.registrar = BUF_INIT(20);
    assert_ok(buf_append_str(&r.row.cms, cms, &e), &e);
    assert_ok(buf_append_str(&r.row.json, cms, &e), &e);
    assert_ok(buf_append(&r.row.registrar, scene_serial(REGISTRAR), &e), &e);
    assert_ok(sha256(buf_span(&r.row.cms), hash, &e), &e);
    hex_format(span_of(hash, 16), r.row.id);
    (void)snprintf(r.row.nf_instance, sizeof(r.row.nf_instance), "%s", uuid);
    r.row.proof = "mac";
    r.row.not_before = NOW - 10;
    r.row.not_after = LATER;
    r.row.certificates = certificates;
    return r;
}

int
scene_setup(void **state)
{
    struct scene *s = mem_zalloc(1, sizeof(*s));
    struct registering r = scene_registration(UUID_1, "first", 2);
    struct err e = {0};

    s->dir = tmpdir_new();
    s->store = scene_open(s->dir);
    scene_issue(s->store, 200, "ra-cmp", RA);
    scene_issue(s->store, 201, "registrar", REGISTRAR);
    assert_ok(verb_call(s->store, do_register, &r, &e), &e);
    assert_int_equal(r.outcome, ISSUANCE_DONE);
    (void)snprintf(s->id, sizeof(s->id), "%s", r.row.id);
    issuance_registration_free(&r.row);
    *state = s;
    return 0;
}

int
scene_teardown(void **state)
{
    struct scene *s = *state;

    store_free(s->store);
    tmpdir_remove(s->dir);
    mem_free(s);
    return 0;
}
