/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ca/registration/members.h"

#include <string.h>

#include "ca/registration/registration.h"
#include "tests/support/test.h"

/* The members of a good document; a test replaces one of them. */
static const char *const members[][2] = {
    {"version", "1"},
    {"nfInstanceId", "\"9C5B94B1-35ad-49bb-b118-8e8fc24abf80\""},
    {"nfTypes", "[\"AMF\",\"SMF\"]"},
    {"fqdns", "[\"amf1.5gc.mnc012.mcc345.3gppnetwork.org\"]"},
    {"homeDomain", "\"5gc.mnc012.mcc345.3gppnetwork.org\""},
    {"country", "\"SE\""},
    {"profiles", "[{\"name\":\"nf-tls\",\"maxValidityDays\":30},"
                 "{\"name\":\"nf-tls-client\",\"maxValidityDays\":1095}]"},
    {"notBefore", "\"2026-09-21T00:00:00Z\""},
    {"notAfter", "\"2026-10-21T00:00:00Z\""},
    {"certificates", "3"},
    {"proof", "{\"kind\":\"mac\"}"},
};

struct buf
members_json(const char *key, const char *value)
{
    struct buf out = BUF_INIT(REGISTRATION_JSON_MAX);
    struct err e = {0};
    const char *comma = "";
    bool known = key == NULL;

    assert_ok(buf_append_str(&out, "{", &e), &e);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *text = members[i][1];
        CLEANUP(mem_cleanup) char *member = NULL;

        if (key != NULL && strcmp(key, members[i][0]) == 0) {
            known = true;
            text = value;
        }
        if (text != NULL) {
            member = mem_printf("%s\"%s\":%s", comma, members[i][0], text);
            assert_ok(buf_append_str(&out, member, &e), &e);
            comma = ",";
        }
    }
    if (!known) {
        CLEANUP(mem_cleanup) char *member = mem_printf(",\"%s\":%s", key, value);

        assert_ok(buf_append_str(&out, member, &e), &e);
    }
    assert_ok(buf_append_str(&out, "}", &e), &e);
    return out;
}
