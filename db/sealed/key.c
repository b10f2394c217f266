/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sealed/key.h"

#include <stdio.h>
#include <string.h>

enum { NUMBER_OCTETS = 8, HEADER = 3 }; /* type, and a length of two octets */

static void
number_octets(int64_t number, uint8_t out[NUMBER_OCTETS])
{
    uint64_t rest = (uint64_t)number;

    for (size_t i = NUMBER_OCTETS; i > 0; i--) {
        out[i - 1] = (uint8_t)(rest & 0xff);
        rest >>= 8;
    }
}

static int
encode_one(const struct store_value *value, struct key *out, struct err *e)
{
    uint8_t number[NUMBER_OCTETS];
    struct span bytes = value->bytes;

    if (value->type == STORE_INT) {
        number_octets(value->number, number);
        bytes = span_of(number, sizeof(number));
    } else if (value->type == STORE_NULL) {
        bytes = (struct span){0};
    }
    if (bytes.n > sizeof(out->octets) || out->n + HEADER + bytes.n > sizeof(out->octets)) {
        return err_set(e, ERR_INPUT, "the key of a row has more than %d octets", SEALED_KEY_OCTETS);
    }
    out->octets[out->n++] = (uint8_t)value->type;
    out->octets[out->n++] = (uint8_t)(bytes.n >> 8);
    out->octets[out->n++] = (uint8_t)(bytes.n & 0xff);
    if (bytes.n > 0) {
        memcpy(out->octets + out->n, bytes.p, bytes.n);
    }
    out->n += bytes.n;
    return 0;
}

int
key_encode(const struct store_value *values, size_t n, struct key *out, struct err *e)
{
    out->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (encode_one(&values[i], out, e) != 0) {
            return -1;
        }
    }
    return 0;
}

static bool
decode_one(struct span *rest, struct store_value *out)
{
    struct span bytes;
    uint64_t number = 0;

    if (rest->n < HEADER || rest->p[0] > STORE_BLOB) {
        return false;
    }
    bytes = span_of(rest->p + HEADER, (size_t)rest->p[1] << 8 | rest->p[2]);
    if (bytes.n > rest->n - HEADER) {
        return false;
    }
    *out = (struct store_value){.type = (enum store_type)rest->p[0], .bytes = bytes};
    *rest = span_of(bytes.p + bytes.n, rest->n - HEADER - bytes.n);
    if (out->type != STORE_INT) {
        return out->type != STORE_NULL || bytes.n == 0;
    }
    for (size_t i = 0; i < bytes.n; i++) {
        number = number << 8 | bytes.p[i];
    }
    *out = store_int((int64_t)number);
    return bytes.n == NUMBER_OCTETS;
}

bool
key_decode(struct span octets, struct store_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!decode_one(&octets, &values[i])) {
            return false;
        }
    }
    return octets.n == 0;
}

static void
add_char(char out[KEY_TEXT_SIZE], size_t *n, char c)
{
    if (*n < KEY_TEXT_SIZE - 1) {
        out[(*n)++] = c;
        out[*n] = '\0';
    }
}

static void
add_value(const struct store_value *value, char out[KEY_TEXT_SIZE], size_t *n)
{
    static const char digits[] = "0123456789abcdef";
    char number[24];

    switch (value->type) {
    case STORE_NULL:
        break;
    case STORE_INT:
        (void)snprintf(number, sizeof(number), "%lld", (long long)value->number);
        for (const char *p = number; *p != '\0'; p++) {
            add_char(out, n, *p);
        }
        break;
    case STORE_TEXT:
        for (size_t i = 0; i < value->bytes.n; i++) {
            const uint8_t c = value->bytes.p[i];

            add_char(out, n, (char)(c > ' ' && c <= '~' ? c : '?'));
        }
        break;
    case STORE_BLOB:
        for (size_t i = 0; i < value->bytes.n; i++) {
            add_char(out, n, digits[value->bytes.p[i] >> 4]);
            add_char(out, n, digits[value->bytes.p[i] & 0xf]);
        }
        break;
    }
}

void
key_text(const struct store_value *values, size_t n, char out[KEY_TEXT_SIZE])
{
    size_t length = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            add_char(out, &length, '/');
        }
        add_value(&values[i], out, &length);
    }
}
