/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <limits.h>
#include <openssl/asn1.h>
#include <stdio.h>
#include <string.h>

size_t
text_character(struct span octets, uint32_t *code)
{
    unsigned long value = 0;
    int n = octets.n == 0
                ? 0
                : UTF8_getc(octets.p, octets.n > INT_MAX ? INT_MAX : (int)octets.n, &value);

    *code = (uint32_t)value;
    return n > 0 ? (size_t)n : 0;
}

bool
text_is_visible(uint32_t code)
{
    static const struct {
        uint32_t first;
        uint32_t last;
    } hidden[] = {
        {0x0000, 0x001f},      {0x007f, 0x009f}, {0x00ad, 0x00ad}, {0x061c, 0x061c},
        {0x200b, 0x200f},      {0x2028, 0x202e}, {0x2060, 0x206f}, {0xd800, 0xdfff},
        {0xfdd0, 0xfdef},      {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
        {0xf0000, 0x7fffffff},
    };

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        if (code >= hidden[i].first && code <= hidden[i].last) {
            return false;
        }
    }
    return (code & 0xfffe) != 0xfffe; /* Unicode 23.7: the last two of each plane are none */
}

void
text_show(struct span octets, char *out)
{
    while (octets.n > 0) {
        uint32_t code = 0;
        size_t n = text_character(octets, &code);

        if (n > 0 && text_is_visible(code)) {
            memcpy(out, octets.p, n);
            out += n;
        } else {
            n = n > 0 ? n : 1;
            for (size_t i = 0; i < n; i++) {
                out += snprintf(out, TEXT_SHOWN_SIZE(1), "\\x%02x", octets.p[i]);
            }
        }
        octets = span_of(octets.p + n, octets.n - n);
    }
    *out = '\0';
}
