/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
#define SUB_DELIMS "!$&'()*+,;="

/* Our paths need no escapes; one spelling of each path is enough. */
static enum http_fault
take_path(const char *text, size_t n, struct http_request *out)
{
    if (n > HTTP_PATH_MAX) {
        return HTTP_FAULT_TARGET_LENGTH;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~' || strchr("%?#\\", text[i]) != NULL) {
            return HTTP_FAULT_TARGET_CHARACTER;
        }
    }
    memcpy(out->path, text, n);
    out->path[n] = '\0';
    return HTTP_FAULT_NONE;
}

/* No escapes here either: ids, names and numbers need none. */
static enum http_fault
take_query(const char *text, struct http_request *out)
{
    size_t n = strlen(text);

    if (n > HTTP_QUERY_MAX) {
        return HTTP_FAULT_TARGET_LENGTH;
    }
    for (size_t i = 0; i < n; i++) {
        if (isalnum((unsigned char)text[i]) == 0 && strchr("-_=&", text[i]) == NULL) {
            return HTTP_FAULT_TARGET_CHARACTER;
        }
    }
    memcpy(out->query, text, n + 1);
    return HTTP_FAULT_NONE;
}

/* Escapes are its reader's. */
static enum http_fault
take_form(const char *text, struct http_request *out)
{
    if (strlen(text) > HTTP_FORM_MAX) {
        return HTTP_FAULT_TARGET_LENGTH;
    }
    if (text[strspn(text, UNRESERVED SUB_DELIMS ":@/?%")] != '\0') {
        return HTTP_FAULT_TARGET_CHARACTER;
    }
    out->form = text;
    return HTTP_FAULT_NONE;
}

/* host [ ":" port ]: a name, an address, or an IPv6 address in brackets; no userinfo (RFC 9110
 * 4.2.4) and no empty host (4.2.1). What stands at text[n] is of no host. */
static bool
is_authority(const char *text, size_t n)
{
    size_t host;

    if (text[0] == '[') {
        host = 1 + strspn(text + 1, UNRESERVED SUB_DELIMS ":");
        if (host == 1 || text[host] != ']') {
            return false;
        }
        host++;
    } else {
        host = strspn(text, UNRESERVED SUB_DELIMS "%");
    }
    if (host == 0 || n > HTTP_AUTHORITY_MAX) {
        return false;
    }
    return host == n ||
           (text[host] == ':' && host + 1 + strspn(text + host + 1, "0123456789") >= n);
}

/* The path of an absolute form, perhaps empty; NULL when the text is none. */
static const char *
behind_authority(const char *text)
{
    const char *authority = strncasecmp(text, "http://", 7) == 0    ? text + 7
                            : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                                    : NULL;
    size_t n = authority == NULL ? 0 : strcspn(authority, "/?#");

    return authority != NULL && is_authority(authority, n) ? authority + n : NULL;
}

enum http_fault
http_target_parse(const char *text, enum http_queries queries, struct http_request *out)
{
    const char *path = text[0] == '/' ? text : behind_authority(text);
    size_t n;
    enum http_fault fault;

    if (path == NULL) {
        return HTTP_FAULT_TARGET;
    }
    out->is_absolute = path != text;
    n = queries != HTTP_QUERY_NONE ? strcspn(path, "?") : strlen(path);
    if (path[0] == '/') {
        fault = take_path(path, n, out);
    } else if (n == 0) {
        fault = take_path("/", 1, out); /* RFC 9110 4.2.3: an empty path is "/" */
    } else {
        fault = HTTP_FAULT_TARGET_CHARACTER;
    }
    if (fault != HTTP_FAULT_NONE || path[n] == '\0') {
        return fault;
    }
    return queries == HTTP_QUERY_FORM ? take_form(path + n + 1, out)
                                      : take_query(path + n + 1, out);
}
