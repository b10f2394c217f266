/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message is decoded by walking over it once without copying, and accepted only when encoding
 * the result gives the same octets: every rule of DER then holds without being written down here.
 */
#include "ca/link/msg.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/ossl.h"

/* Their tags: 0 and 1 were fields of version 1. */
enum field {
    FIELD_BODY = 2,
    FIELD_ROOT,
    FIELD_SOFTWARE,
    FIELD_FAIL_INFO,
    FIELD_PHRASE,
    FIELD_CHECK_AFTER,
    FIELD_BACKDATE,
    FIELD_CHECKPOINT,
    FIELD_LOG_KEY,
    N_FIELDS,
};

enum { NEVER, ALWAYS, MAYBE };

/* Which fields a type has (PROTOCOL.md, "Messages"). */
struct shape {
    enum link_type type;
    const char *name;
    bool request;
    size_t id_min;
    size_t id_max;
    size_t body_max;
    uint8_t has[N_FIELDS];
};

static const struct shape shapes[] = {
    {LINK_HELLO, "HELLO", true, 0, 0, 0, {[FIELD_CHECKPOINT] = MAYBE}},
    {LINK_SUBMIT,
     "SUBMIT",
     true,
     LINK_RID_SIZE,
     LINK_RID_SIZE,
     LINK_SUBMIT_MAX,
     {[FIELD_BODY] = ALWAYS}},
    {LINK_REGISTER,
     "REGISTER",
     true,
     LINK_RID_SIZE,
     LINK_RID_SIZE,
     LINK_REGISTER_MAX,
     {[FIELD_BODY] = ALWAYS}},
    {LINK_CANCEL,
     "CANCEL",
     true,
     LINK_REGISTRATION_SIZE,
     LINK_REGISTRATION_SIZE,
     LINK_CANCEL_MAX,
     {[FIELD_BODY] = ALWAYS}},
    {LINK_ROLE, "ROLE", true, LINK_RID_SIZE, LINK_RID_SIZE, 0, {NEVER}},
    {LINK_REPORT,
     "REPORT",
     true,
     LINK_RID_SIZE,
     LINK_RID_SIZE,
     LINK_REPORT_MAX,
     {[FIELD_BODY] = ALWAYS}},
    {LINK_REPORTED, "REPORTED", false, LINK_RID_SIZE, LINK_RID_SIZE, 0, {NEVER}},
    {LINK_WELCOME,
     "WELCOME",
     false,
     0,
     LINK_PROFILES_SIZE,
     LINK_CERTIFICATE_MAX,
     {[FIELD_BODY] = ALWAYS,
      [FIELD_ROOT] = ALWAYS,
      [FIELD_SOFTWARE] = MAYBE,
      [FIELD_BACKDATE] = MAYBE,
      [FIELD_CHECKPOINT] = ALWAYS,
      [FIELD_LOG_KEY] = ALWAYS}},
    {LINK_ISSUED,
     "ISSUED",
     false,
     LINK_RID_SIZE,
     LINK_RID_SIZE,
     LINK_CERTIFICATE_MAX,
     {[FIELD_BODY] = ALWAYS}},
    {LINK_CONFIRMED, "CONFIRMED", false, LINK_RID_SIZE, LINK_RID_SIZE, 0, {NEVER}},
    {LINK_REFUSED,
     "REFUSED",
     false,
     LINK_REGISTRATION_SIZE,
     LINK_RID_SIZE,
     0,
     {[FIELD_FAIL_INFO] = ALWAYS, [FIELD_PHRASE] = ALWAYS}},
    {LINK_REGISTERED, "REGISTERED", false, LINK_RID_SIZE, LINK_RID_SIZE, 0, {NEVER}},
    {LINK_CANCELLED,
     "CANCELLED",
     false,
     LINK_REGISTRATION_SIZE,
     LINK_REGISTRATION_SIZE,
     0,
     {NEVER}},
    {LINK_BUSY, "BUSY", false, LINK_REGISTRATION_SIZE, LINK_RID_SIZE, 0, {NEVER}},
    {LINK_WAITING,
     "WAITING",
     false,
     LINK_RID_SIZE,
     LINK_RID_SIZE,
     0,
     {[FIELD_PHRASE] = ALWAYS, [FIELD_CHECK_AFTER] = ALWAYS}},
    {LINK_REVOKED, "REVOKED", false, LINK_RID_SIZE, LINK_RID_SIZE, 0, {NEVER}},
    {LINK_ROLE_IS, "ROLE_IS", false, LINK_RID_SIZE, LINK_RID_SIZE, 0, {[FIELD_PHRASE] = ALWAYS}},
    {LINK_DEFERRED,
     "DEFERRED",
     false,
     LINK_RID_SIZE,
     LINK_RID_SIZE,
     0,
     {[FIELD_FAIL_INFO] = ALWAYS, [FIELD_PHRASE] = ALWAYS, [FIELD_CHECK_AFTER] = ALWAYS}},
    {LINK_CHECKPOINT, "CHECKPOINT", false, 0, 0, 0, {[FIELD_CHECKPOINT] = ALWAYS}},
};

enum {
    TAG_SEQUENCE = 0x30,
    TAG_INTEGER = 0x02,
    TAG_ENUMERATED = 0x0a,
    TAG_OCTETS = 0x04,
    TAG_CONTEXT = 0x80,
};

static const struct shape *
shape_of(enum link_type type)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        if (shapes[i].type == type) {
            return &shapes[i];
        }
    }
    return NULL;
}

const char *
link_type_name(enum link_type type)
{
    const struct shape *shape = shape_of(type);

    return shape == NULL ? "?" : shape->name;
}

bool
link_type_is_request(enum link_type type)
{
    const struct shape *shape = shape_of(type);

    return shape != NULL && shape->request;
}

static int
check_presence(const struct shape *shape, const bool there[N_FIELDS], struct err *e)
{
    for (size_t i = 0; i < N_FIELDS; i++) {
        if ((shape->has[i] == ALWAYS && !there[i]) || (shape->has[i] == NEVER && there[i])) {
            return err_set(e, ERR_INPUT, "link: %s %s field [%zu]", shape->name,
                           there[i] ? "has the surplus" : "lacks the", i);
        }
    }
    return 0;
}

static bool
is_phrase(struct span phrase)
{
    if (phrase.n == 0 || phrase.n > LINK_PHRASE_MAX) {
        return false;
    }
    for (size_t i = 0; i < phrase.n; i++) {
        if (phrase.p[i] < 0x20 || phrase.p[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

static bool
is_id_size(const struct shape *shape, size_t n)
{
    return n == shape->id_min || n == shape->id_max;
}

static bool
is_note(uint8_t presence, struct span note, size_t max)
{
    return presence == NEVER || (note.n <= max && (note.n > 0 || presence == MAYBE));
}

/* The values of the fields that the type has; the presence of the others is judged elsewhere. */
static int
check_values(const struct shape *shape, const struct link_message *m, struct err *e)
{
    const char *wrong = NULL;

    if (!is_id_size(shape, m->id.n)) {
        wrong = "id";
    } else if (shape->has[FIELD_BODY] == ALWAYS &&
               (m->body.n == 0 || m->body.n > shape->body_max)) {
        wrong = "body";
    } else if (shape->has[FIELD_ROOT] == ALWAYS &&
               (m->root.n == 0 || m->root.n > LINK_CERTIFICATE_MAX)) {
        wrong = "root";
    } else if (shape->has[FIELD_FAIL_INFO] == ALWAYS && m->fail_info > LINK_FAIL_INFO_MAX) {
        wrong = "failInfo";
    } else if (shape->has[FIELD_PHRASE] == ALWAYS && !is_phrase(m->phrase)) {
        wrong = "phrase";
    } else if (shape->has[FIELD_CHECK_AFTER] == ALWAYS &&
               (m->check_after == 0 || m->check_after > LINK_CHECK_AFTER_MAX)) {
        wrong = "checkAfter";
    } else if (shape->has[FIELD_BACKDATE] == MAYBE && m->backdate > LINK_BACKDATE_MAX) {
        wrong = "backdate";
    } else if (!is_note(shape->has[FIELD_CHECKPOINT], m->checkpoint, LINK_CHECKPOINT_MAX)) {
        wrong = "checkpoint";
    } else if (!is_note(shape->has[FIELD_LOG_KEY], m->log_key, LINK_LOG_KEY_MAX)) {
        wrong = "logKey";
    }
    if (wrong != NULL) {
        return err_set(e, ERR_INPUT, "link: %s: %s is out of its limits", shape->name, wrong);
    }
    return 0;
}

/* There is room for every message whose values check_values() lets through. */
static void
append(struct buf *out, struct span bytes)
{
    struct err e = {0};
    int result = buf_append(out, bytes, &e);

    assert(result == 0);
}

static void
put(struct buf *out, unsigned tag, struct span content)
{
    uint8_t head[6] = {(uint8_t)tag};
    size_t n = 1;

    if (content.n < 0x80) {
        head[n++] = (uint8_t)content.n;
    } else {
        unsigned octets = content.n > 0xffff ? 3 : content.n > 0xff ? 2 : 1;

        head[n++] = (uint8_t)(0x80 | octets);
        for (unsigned i = octets; i > 0; i--) {
            head[n++] = (uint8_t)(content.n >> (8 * (i - 1)));
        }
    }
    append(out, span_of(head, n));
    append(out, content);
}

/* A positive INTEGER or ENUMERATED in as few octets as hold it. */
static void
put_number(struct buf *out, unsigned tag, uint64_t value)
{
    uint8_t octets[9] = {0};
    size_t first = 0;

    for (size_t i = 0; i < 8; i++) {
        octets[8 - i] = (uint8_t)(value >> (8 * i));
    }
    while (first < 8 && octets[first] == 0 && (octets[first + 1] & 0x80) == 0) {
        first++;
    }
    put(out, tag, span_of(octets + first, sizeof(octets) - first));
}

static void
put_field(struct buf *out, enum field field, const struct link_message *m)
{
    unsigned tag = TAG_CONTEXT | (unsigned)field;

    switch (field) {
    case FIELD_BODY:
        put(out, tag, m->body);
        return;
    case FIELD_ROOT:
        put(out, tag, m->root);
        return;
    case FIELD_SOFTWARE:
        if (m->software) {
            put(out, tag, span_of(NULL, 0));
        }
        return;
    case FIELD_FAIL_INFO:
        put_number(out, tag, m->fail_info);
        return;
    case FIELD_PHRASE:
        put(out, tag, m->phrase);
        return;
    case FIELD_CHECK_AFTER:
        put_number(out, tag, m->check_after);
        return;
    case FIELD_BACKDATE:
        if (m->backdate > 0) {
            put_number(out, tag, m->backdate);
        }
        return;
    case FIELD_CHECKPOINT:
        if (m->checkpoint.n > 0) {
            put(out, tag, m->checkpoint);
        }
        return;
    case FIELD_LOG_KEY:
        put(out, tag, m->log_key);
        return;
    case N_FIELDS:
        break;
    }
    abort(); /* no such field: whoever calls counts below N_FIELDS */
}

int
link_encode(const struct link_message *m, struct buf *out, struct err *e)
{
    const struct shape *shape = shape_of(m->type);
    CLEANUP(buf_free) struct buf content = BUF_INIT(LINK_FRAME_MAX);
    CLEANUP(buf_free) struct buf whole = BUF_INIT(LINK_FRAME_MAX);

    if (shape == NULL) {
        return err_set(e, ERR_INPUT, "link: no message type %d", (int)m->type);
    }
    if (check_values(shape, m, e) != 0) {
        return -1;
    }
    put_number(&content, TAG_INTEGER, LINK_VERSION);
    put_number(&content, TAG_ENUMERATED, (uint64_t)m->type);
    put(&content, TAG_OCTETS, m->id);
    for (size_t i = 0; i < N_FIELDS; i++) {
        if (shape->has[i] != NEVER) {
            put_field(&content, (enum field)i, m);
        }
    }
    put(&whole, TAG_SEQUENCE, buf_span(&content));
    return buf_append(out, buf_span(&whole), e);
}

/* Takes one TLV with a short tag from the front of `rest`. */
static int
take(struct span *rest, unsigned *tag, struct span *content, struct err *e)
{
    const unsigned char *p = rest->p;
    long length = 0;
    int number = 0;
    int class = 0;
    int form;

    if (rest->n < 2 || rest->n > LINK_FRAME_MAX || (rest->p[0] & 0x1f) == 0x1f) {
        return err_set(e, ERR_INPUT, "link: cut off");
    }
    form = ASN1_get_object(&p, &length, &number, &class, (long)rest->n);
    if ((form & 0x80) != 0 || (form & 1) != 0 || length < 0) {
        return ossl_err(e, ERR_INPUT, "link: not DER");
    }
    *tag = rest->p[0];
    *content = span_of(p, (size_t)length);
    rest->n -= (size_t)(p - rest->p) + (size_t)length;
    rest->p = p + length;
    return 0;
}

static int
take_expected(struct span *rest, unsigned expected, struct span *content, struct err *e)
{
    unsigned tag;

    if (take(rest, &tag, content, e) != 0) {
        return -1;
    }
    if (tag != expected) {
        return err_set(e, ERR_INPUT, "link: tag %02x where %02x belongs", tag, expected);
    }
    return 0;
}

static int
number_of(struct span content, uint64_t *out, struct err *e)
{
    uint64_t value = 0;

    if (content.n == 0 || content.n > 8 || (content.p[0] & 0x80) != 0) {
        return err_set(e, ERR_INPUT, "link: a number out of range");
    }
    for (size_t i = 0; i < content.n; i++) {
        value = value << 8 | content.p[i];
    }
    *out = value;
    return 0;
}

static int
set_field(struct link_message *m, enum field field, struct span content, struct err *e)
{
    uint64_t value = 0;

    switch (field) {
    case FIELD_BODY:
        m->body = content;
        return 0;
    case FIELD_ROOT:
        m->root = content;
        return 0;
    case FIELD_SOFTWARE:
        m->software = true;
        return 0;
    case FIELD_FAIL_INFO:
        if (number_of(content, &value, e) != 0) {
            return -1;
        }
        m->fail_info = value > LINK_FAIL_INFO_MAX ? LINK_FAIL_INFO_MAX + 1 : (unsigned)value;
        return 0;
    case FIELD_PHRASE:
        m->phrase = content;
        return 0;
    case FIELD_CHECK_AFTER:
        if (number_of(content, &value, e) != 0) {
            return -1;
        }
        m->check_after = value > LINK_CHECK_AFTER_MAX ? LINK_CHECK_AFTER_MAX + 1 : (uint32_t)value;
        return 0;
    case FIELD_BACKDATE:
        if (number_of(content, &value, e) != 0) {
            return -1;
        }
        m->backdate = value > LINK_BACKDATE_MAX ? LINK_BACKDATE_MAX + 1 : (uint32_t)value;
        return 0;
    case FIELD_CHECKPOINT:
        m->checkpoint = content;
        return 0;
    case FIELD_LOG_KEY:
        m->log_key = content;
        return 0;
    case N_FIELDS:
        break;
    }
    abort(); /* no such field: whoever calls counts below N_FIELDS */
}

static int
decode_fields(struct span rest, struct link_message *out, bool there[N_FIELDS], struct err *e)
{
    while (rest.n > 0) {
        struct span content;
        unsigned tag;

        if (take(&rest, &tag, &content, e) != 0) {
            return -1;
        }
        if (tag < TAG_CONTEXT + FIELD_BODY || tag >= TAG_CONTEXT + N_FIELDS ||
            there[tag - TAG_CONTEXT]) {
            return err_set(e, ERR_INPUT, "link: unexpected field with tag %02x", tag);
        }
        there[tag - TAG_CONTEXT] = true;
        if (set_field(out, (enum field)(tag - TAG_CONTEXT), content, e) != 0) {
            return -1;
        }
    }
    return 0;
}

int
link_decode(struct span der, struct link_message *out, struct err *e)
{
    CLEANUP(buf_free) struct buf again = BUF_INIT(LINK_FRAME_MAX);
    const struct shape *shape;
    bool there[N_FIELDS] = {false};
    struct span rest = der;
    struct span body;
    struct span content;
    uint64_t version;
    uint64_t type;

    memset(out, 0, sizeof(*out));
    if (take_expected(&rest, TAG_SEQUENCE, &body, e) != 0 ||
        take_expected(&body, TAG_INTEGER, &content, e) != 0 ||
        number_of(content, &version, e) != 0) {
        return -1;
    }
    if (version != LINK_VERSION) {
        return err_set(e, ERR_INPUT, "link: version %llu, this program speaks %d",
                       (unsigned long long)version, LINK_VERSION);
    }
    if (take_expected(&body, TAG_ENUMERATED, &content, e) != 0 ||
        number_of(content, &type, e) != 0) {
        return -1;
    }
    shape = type > UINT8_MAX ? NULL : shape_of((enum link_type)type);
    if (shape == NULL) {
        return err_set(e, ERR_INPUT, "link: unknown message type %llu", (unsigned long long)type);
    }
    out->type = shape->type;
    if (take_expected(&body, TAG_OCTETS, &out->id, e) != 0 ||
        decode_fields(body, out, there, e) != 0 || check_presence(shape, there, e) != 0 ||
        link_encode(out, &again, e) != 0) {
        return -1;
    }
    if (!span_equal(der, buf_span(&again))) {
        return err_set(e, ERR_INPUT, "link: %s is not in canonical form", shape->name);
    }
    return 0;
}
