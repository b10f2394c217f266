/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http/message/condition.h"

#include <stdio.h>
#include <string.h>

void
http_date_format(time_t when, char out[HTTP_DATE_MAX + 1])
{
    struct tm tm = {0};

    if (gmtime_r(&when, &tm) == NULL ||
        strftime(out, HTTP_DATE_MAX + 1, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0) {
        (void)snprintf(out, HTTP_DATE_MAX + 1, "Thu, 01 Jan 1970 00:00:00 GMT");
    }
}

bool
http_date_parse(const char *text, time_t *out)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT", /* IMF-fixdate */
        "%a, %d-%b-%y %H:%M:%S GMT", /* RFC 850; %a takes the long name of a day too */
        "%a %b %d %H:%M:%S %Y",      /* asctime() */
    };

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);

        if (end != NULL && *end == '\0') {
            *out = timegm(&tm);
            return true;
        }
    }
    return false;
}

/* entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE, where a comma may stand inside; compared weakly (RFC
 * 9110 8.8.3.2). What is no list matches nothing. */
static bool
matches(const char *list, const char *etag)
{
    const size_t n = strlen(etag);

    for (const char *p = list + strspn(list, " \t,"); *p != '\0'; p += strspn(p, " \t,")) {
        size_t length;

        if (strncmp(p, "W/", 2) == 0) {
            p += 2;
        }
        if (*p++ != '"') {
            return false;
        }
        length = strcspn(p, "\"");
        if (p[length] == '\0') {
            return false;
        }
        if (length == n && memcmp(p, etag, n) == 0) {
            return true;
        }
        p += length + 1;
    }
    return false;
}

bool
http_is_unchanged(const struct http_request *request, const char *etag, time_t last_modified,
                  time_t now)
{
    time_t since;

    if (request->has_if_none_match) {
        return strcmp(request->if_none_match, "*") == 0 || matches(request->if_none_match, etag);
    }
    return last_modified != 0 && http_date_parse(request->if_modified_since, &since) &&
           since <= now && last_modified <= since;
}
