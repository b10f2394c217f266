/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/fault.h"

#include <assert.h>

static const struct {
    int status;
    const char *reason;
    const char *clause;
} faults[HTTP_FAULTS] = {
    [HTTP_FAULT_NONE] = {0, "", ""},
    [HTTP_FAULT_BARE_LF] = {400, "a line that ends with LF alone", "RFC 9112 2.2"},
    [HTTP_FAULT_BARE_CR] = {400, "a CR without its LF", "RFC 9112 2.2"},
    [HTTP_FAULT_NUL] = {400, "a NUL in the header", "RFC 9110 5.5"},
    [HTTP_FAULT_FOLD] = {400, "a header line that begins with whitespace", "RFC 9112 5.2"},
    [HTTP_FAULT_EMPTY_LINES] = {400, "more than one empty line before a request", "RFC 9112 2.2"},
    [HTTP_FAULT_REQUEST_LINE] = {400, "a request line of another form", "RFC 9112 3"},
    [HTTP_FAULT_TARGET] = {400, "a target that is neither a path nor an http or https URL",
                           "RFC 9112 3.2"},
    [HTTP_FAULT_TARGET_CHARACTER] = {400, "a character that no path or query here has",
                                     "RFC 3986 6.2.2"},
    [HTTP_FAULT_TARGET_LENGTH] = {414, "a path or query of more than 256 octets", "RFC 9112 3"},
    [HTTP_FAULT_METHOD] = {405, "a method that nothing here takes", "RFC 9110 15.5.6"},
    [HTTP_FAULT_VERSION] = {505, "a version other than HTTP/1.0 and HTTP/1.1", "RFC 9110 15.6.6"},
    [HTTP_FAULT_FIELD] = {400, "a field line without a plain name, colon and value",
                          "RFC 9112 5.1"},
    [HTTP_FAULT_HEADER_SIZE] = {431, "a header of more than 8 KiB or 64 lines", "RFC 6585 5"},
    [HTTP_FAULT_NO_HOST] = {400, "HTTP/1.1 without Host", "RFC 9112 3.2"},
    [HTTP_FAULT_HOSTS] = {400, "more than one Host", "RFC 9112 3.2"},
    [HTTP_FAULT_TYPE] = {400, "more than one Content-Type, or one that is too long",
                         "RFC 9110 5.3"},
    [HTTP_FAULT_EXPECT] = {417, "an Expect other than 100-continue", "RFC 9110 10.1.1"},
    [HTTP_FAULT_LENGTH] = {400, "a Content-Length that is not one decimal number", "RFC 9112 6.3"},
    [HTTP_FAULT_LENGTHS] = {400, "more than one Content-Length", "RFC 9112 6.3"},
    [HTTP_FAULT_NO_LENGTH] = {411, "a POST without Content-Length and without chunks",
                              "RFC 9112 6.3"},
    [HTTP_FAULT_FRAMINGS] = {400, "Content-Length and Transfer-Encoding together", "RFC 9112 6.1"},
    [HTTP_FAULT_CODING] = {501, "a transfer coding other than chunked", "RFC 9112 6.1"},
    [HTTP_FAULT_CODINGS] = {400, "more than one Transfer-Encoding", "RFC 9112 6.1"},
    [HTTP_FAULT_CODING_1_0] = {400, "Transfer-Encoding in HTTP/1.0", "RFC 9112 6.1"},
    [HTTP_FAULT_CHUNK] = {400, "a chunk that is not a hexadecimal size, its octets and CRLF",
                          "RFC 9112 7.1"},
    [HTTP_FAULT_IGNORED] = {400,
                            "more than 256 octets of empty line, chunk extensions and trailers",
                            "RFC 9112 7.1.1"},
    [HTTP_FAULT_CONTENT] = {400, "content in a request other than POST", "RFC 9110 9.3.1"},
    [HTTP_FAULT_CONTENT_SIZE] = {413, "more content than is taken", "RFC 9110 15.5.14"},
};

int
http_fault_status(enum http_fault fault)
{
    assert(fault < HTTP_FAULTS);
    return faults[fault].status;
}

const char *
http_fault_reason(enum http_fault fault)
{
    assert(fault < HTTP_FAULTS);
    return faults[fault].reason;
}

const char *
http_fault_clause(enum http_fault fault)
{
    assert(fault < HTTP_FAULTS);
    return faults[fault].clause;
}
