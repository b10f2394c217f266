/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/serial.h"

#include "base/ossl.h"

enum { TIME_SIZE = 4 };

int
serial_new(uint8_t out[SERIAL_SIZE], time_t at, struct err *e)
{
    if (random_bytes(out + TIME_SIZE, SERIAL_SIZE - TIME_SIZE, e) != 0) {
        return err_wrap(e, "serial number");
    }
    for (int i = 0; i < TIME_SIZE; i++) {
        out[i] = (uint8_t)((uint64_t)at >> 8 * (TIME_SIZE - 1 - i));
    }
    serial_shape(out);
    return 0;
}

void
serial_shape(uint8_t serial[SERIAL_SIZE])
{
    serial[0] = (uint8_t)(0x40 | (serial[0] & 0x3f));
}

bool
serial_is_shaped(const uint8_t serial[SERIAL_SIZE])
{
    return (serial[0] & 0xc0) == 0x40;
}

struct span
serial_of(const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);

    return span_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial));
}
