/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/submission.h"

#include "base/tlog/queue_head.h"
#include "ca/cmp/message/der.h"
#include "ca/cmp/message/msg.h"
#include "ca/cmp/queue_entry.h"

enum { VERSION = 2, DER_OCTET_STRING = 0x04, SIGN_BIT = 0x80 };

/* An OCTET STRING of so many octets. */
struct field {
    const char *name;
    struct span *value;
    size_t min, max;
};

enum { BEFORE_INDEX = 2, FIELDS = 6 };

/* In their order; the index stands behind the first two. */
static void
fields_of(struct cmp_submission *s, struct field out[FIELDS])
{
    const struct field fields[FIELDS] = {
        {"message", &s->message, 1, CMP_MESSAGE_MAX},
        {"entry", &s->entry, 1, CMP_QUEUE_ENTRY_MAX},
        {"path", &s->path, 0, QUEUE_HEAD_PATH_MAX},
        {"head", &s->head, 1, QUEUE_HEAD_TEXT_MAX},
        {"signature", &s->signature, 1, CMP_HEAD_SIGNATURE_MAX},
        {"certificate", &s->certificate, 1, CMP_RA_CERTIFICATE_MAX},
    };

    for (size_t i = 0; i < FIELDS; i++) {
        out[i] = fields[i];
    }
}

static int
check_field(const struct field *f, struct err *e)
{
    return f->value->n >= f->min && f->value->n <= f->max
               ? 0
               : err_set(e, ERR_INPUT, "%s of %zu octets, allowed are %zu to %zu", f->name,
                         f->value->n, f->min, f->max);
}

static int
check_index(uint64_t index, struct err *e)
{
    return index < QUEUE_HEAD_SIZE_MAX
               ? 0
               : err_set(e, ERR_INPUT, "index is not 0 to %d", QUEUE_HEAD_SIZE_MAX - 1);
}

/* ---- writing ---- */

static int
put_number(struct buf *out, uint64_t value, struct err *e)
{
    const uint8_t octets[2] = {0, (uint8_t)value}; /* 255 at most; the sign has a bit of its own */
    const size_t n = value < SIGN_BIT ? 1 : 2;

    return der_append(out, DER_INTEGER, span_of(octets + 2 - n, n), e);
}

static int
put_fields(const struct field *f, size_t n, struct buf *out, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (check_field(&f[i], e) != 0 || der_append(out, DER_OCTET_STRING, *f[i].value, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
cmp_submission_encode(const struct cmp_submission *submission, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf content = BUF_INIT(CMP_NESTED_MAX);
    struct cmp_submission s = *submission;
    struct field f[FIELDS];

    fields_of(&s, f);
    if (put_number(&content, VERSION, e) != 0 || put_fields(f, BEFORE_INDEX, &content, e) != 0 ||
        check_index(s.index, e) != 0 || put_number(&content, s.index, e) != 0 ||
        put_fields(f + BEFORE_INDEX, FIELDS - BEFORE_INDEX, &content, e) != 0) {
        return err_wrap(e, "submission");
    }
    buf_truncate(out, 0);
    return der_append(out, DER_SEQUENCE, buf_span(&content), e);
}

/* ---- reading ---- */

/* A number that is not negative, in as few octets as can be. */
static int
take_number(struct span *in, const char *name, uint64_t *out, struct err *e)
{
    struct der d;

    if (!der_next(in, &d) || d.tag != DER_INTEGER || d.content.n == 0 || d.content.n > 2 ||
        d.content.p[0] >= SIGN_BIT ||
        (d.content.n == 2 && d.content.p[0] == 0 && d.content.p[1] < SIGN_BIT)) {
        return err_set(e, ERR_INPUT, "%s is not a small number in DER", name);
    }
    *out = d.content.p[0];
    if (d.content.n == 2) {
        *out = *out << 8 | d.content.p[1];
    }
    return 0;
}

static int
take_fields(struct span *in, const struct field *f, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct der d;

        if (!der_next(in, &d) || d.tag != DER_OCTET_STRING) {
            return err_set(e, ERR_INPUT, "%s is not an OCTET STRING in DER", f[i].name);
        }
        *f[i].value = d.content;
        if (check_field(&f[i], e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
cmp_submission_decode(struct span der, struct cmp_submission *out, struct err *e)
{
    struct der whole;
    struct field f[FIELDS];
    uint64_t version;

    fields_of(out, f);
    if (!der_only(der, DER_SEQUENCE, &whole)) {
        return err_set(e, ERR_INPUT, "submission: not one SEQUENCE in DER");
    }
    if (take_number(&whole.content, "version", &version, e) != 0) {
        return err_wrap(e, "submission");
    }
    if (version != VERSION) {
        return err_set(e, ERR_INPUT, "submission: version is not %d", VERSION);
    }
    if (take_fields(&whole.content, f, BEFORE_INDEX, e) != 0 ||
        take_number(&whole.content, "index", &out->index, e) != 0 ||
        check_index(out->index, e) != 0 ||
        take_fields(&whole.content, f + BEFORE_INDEX, FIELDS - BEFORE_INDEX, e) != 0) {
        return err_wrap(e, "submission");
    }
    return whole.content.n == 0 ? 0 : err_set(e, ERR_INPUT, "submission: octets behind it");
}

bool
cmp_submission_is(struct span der)
{
    struct der whole;

    return der_only(der, DER_SEQUENCE, &whole) && whole.content.n > 0 &&
           whole.content.p[0] == DER_INTEGER;
}
