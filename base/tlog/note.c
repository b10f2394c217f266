/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tlog/note.h"

#include <string.h>

#include "base/ossl.h"
#include "base/text.h"

static const char dash[] = NOTE_DASH;

/* UTF-8 without ASCII control characters but line breaks. */
static int
check_characters(struct span octets, struct err *e)
{
    while (octets.n > 0) {
        uint32_t code;
        const size_t n = text_character(octets, &code);

        if (n == 0) {
            return err_set(e, ERR_INPUT, "signed note: not UTF-8");
        }
        if ((code < ' ' && code != '\n') || code == 0x7f) {
            return err_set(e, ERR_INPUT, "signed note: a control character");
        }
        octets = span_of(octets.p + n, octets.n - n);
    }
    return 0;
}

/* Unicode's spaces, whose UTF-8 has two octets or three. */
static bool
is_space(uint32_t code)
{
    return code == ' ' || code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 ||
           code == 0x202f || code == 0x205f || code == 0x3000;
}

bool
note_is_name(struct span name)
{
    bool good = name.n > 0;

    while (good && name.n > 0) {
        uint32_t code;
        const size_t n = text_character(name, &code);

        good = n > 0 && !is_space(code) && code != '+';
        name = span_of(name.p + n, name.n - n);
    }
    return good;
}

static int
parse_line(struct span line, struct note_line *out, struct err *e)
{
    const size_t begin = sizeof(dash) - 1;
    const uint8_t *space;

    if (line.n <= begin || memcmp(line.p, dash, begin) != 0) {
        return err_set(e, ERR_INPUT, "signed note: a signature line without its dash");
    }
    line = span_of(line.p + begin, line.n - begin);
    space = memchr(line.p, ' ', line.n);
    if (space == NULL || space + 1 == line.p + line.n) {
        return err_set(e, ERR_INPUT, "signed note: a signature line without a signature");
    }
    out->name = span_of(line.p, (size_t)(space - line.p));
    out->encoded = span_of(space + 1, line.n - out->name.n - 1);
    return note_is_name(out->name)
               ? 0
               : err_set(e, ERR_INPUT, "signed note: a signature line whose name is none");
}

/* Behind the last empty line. NULL: there is none. */
static const uint8_t *
find_signatures(struct span octets)
{
    for (size_t at = octets.n; at >= 2; at--) {
        if (octets.p[at - 1] == '\n' && octets.p[at - 2] == '\n') {
            return octets.p + at;
        }
    }
    return NULL;
}

int
note_parse(struct span octets, struct note *note, struct err *e)
{
    const uint8_t *end = octets.p + octets.n;
    const uint8_t *line;

    if (octets.n == 0 || octets.n > NOTE_MAX) {
        return err_set(e, ERR_INPUT, "signed note: %zu octets, allowed are 1 to %d", octets.n,
                       NOTE_MAX);
    }
    if (check_characters(octets, e) != 0) {
        return -1;
    }
    line = find_signatures(octets);
    if (line == NULL || line == end) {
        return err_set(e, ERR_INPUT, "signed note: no signature");
    }
    note->text = span_of(octets.p, (size_t)(line - octets.p) - 1);
    note->n = 0;
    while (line < end) {
        const uint8_t *stop = memchr(line, '\n', (size_t)(end - line));

        if (stop == NULL) {
            return err_set(e, ERR_INPUT, "signed note: the last line has no line break");
        }
        if (note->n == NOTE_SIGNATURES_MAX) {
            return err_set(e, ERR_INPUT, "signed note: more than %d signatures",
                           NOTE_SIGNATURES_MAX);
        }
        if (parse_line(span_of(line, (size_t)(stop - line)), &note->lines[note->n++], e) != 0) {
            return -1;
        }
        line = stop + 1;
    }
    return 0;
}

int
note_line_decode(const struct note_line *line, struct buf *out, struct err *e)
{
    CLEANUP(mem_cleanup)
    char *copy = mem_printf("%.*s", (int)line->encoded.n, (const char *)line->encoded.p);

    if (base64_parse(copy, out, e) != 0) {
        return err_wrap(e, "signed note: signature line");
    }
    return out->n > NOTE_KEY_ID
               ? 0
               : err_set(e, ERR_INPUT, "signed note: a signature line without a signature");
}

/* ---- keys and signatures as text ---- */

char *
note_key_split(struct span text, struct buf *typed, struct err *e)
{
    CLEANUP(mem_cleanup) char *copy = NULL;
    char *id;
    const char *encoded;
    size_t n;

    if (text.n == 0 || text.n > NOTE_KEY_MAX || memchr(text.p, '\0', text.n) != NULL) {
        (void)err_set(e, ERR_INPUT, "not a verifier key: %zu octets", text.n);
        return NULL;
    }
    copy = mem_printf("%.*s", (int)text.n, (const char *)text.p);
    n = strlen(copy);
    if (copy[n - 1] == '\n') {
        copy[n - 1] = '\0';
    }
    id = strchr(copy, '+');
    encoded = id == NULL ? NULL : strchr(id + 1, '+');
    if (encoded == NULL) {
        (void)err_set(e, ERR_INPUT, "not a verifier key: no \"origin+keyid+key\"");
        return NULL;
    }
    if (base64_parse(encoded + 1, typed, e) != 0) {
        (void)err_wrap(e, "verifier key");
        return NULL;
    }
    *id = '\0';
    return TAKE(copy);
}

char *
note_key_format(const char *name, const uint8_t id[NOTE_KEY_ID], uint8_t type, struct span key)
{
    CLEANUP(buf_free) struct buf typed = BUF_INIT(key.n + 1);
    CLEANUP(mem_cleanup) char *encoded = NULL;
    char hex[2 * NOTE_KEY_ID + 1];
    struct err never;

    (void)buf_append(&typed, span_of(&type, 1), &never);
    (void)buf_append(&typed, key, &never);
    encoded = base64_dup(buf_span(&typed));
    hex_format(span_of(id, NOTE_KEY_ID), hex);
    return mem_printf("%s+%s+%s\n", name, hex, encoded);
}

bool
note_key_is(struct span text, const char *formatted)
{
    const struct span wanted = span_str(formatted);

    return span_equal(text, wanted) || span_equal(text, span_of(wanted.p, wanted.n - 1));
}

char *
note_line_format(const char *name, const uint8_t id[NOTE_KEY_ID], struct span signature)
{
    CLEANUP(buf_free) struct buf all = BUF_INIT(signature.n + NOTE_KEY_ID);
    CLEANUP(mem_cleanup) char *encoded = NULL;
    struct err never;

    (void)buf_append(&all, span_of(id, NOTE_KEY_ID), &never);
    (void)buf_append(&all, signature, &never);
    encoded = base64_dup(buf_span(&all));
    return mem_printf(NOTE_DASH "%s %s\n", name, encoded);
}
