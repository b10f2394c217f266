/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/x509/profile/cert_policy.h"

#include <stdlib.h>
#include <string.h>

#define ENTERPRISES "1.3.6.1.4.1."

enum { ARC_END = 1 << 28, ARC_DIGITS_MAX = 9 };

/* One arc and the dot behind it: "0", or digits without a leading 0. */
static int
take_arc(const char **rest, struct err *e)
{
    size_t n = strspn(*rest, "0123456789");

    if (n == 0 || (n > 1 && (*rest)[0] == '0') || ((*rest)[n] != '.' && (*rest)[n] != '\0')) {
        return err_set(e, ERR_INPUT, "not decimal numbers with dots between them");
    }
    if (n > ARC_DIGITS_MAX || strtol(*rest, NULL, 10) >= ARC_END) {
        return err_set(e, ERR_INPUT, "an arc of 2^28 or more, which not everybody can read");
    }
    *rest += n;
    if (**rest == '.') {
        (*rest)++;
        return **rest != '\0' ? 0 : err_set(e, ERR_INPUT, "nothing behind the last dot");
    }
    return 0;
}

int
cert_policy_check(const char *dotted, struct err *e)
{
    const char *rest = dotted + sizeof(ENTERPRISES) - 1;
    size_t arcs = 0;

    if (strncmp(dotted, ENTERPRISES, sizeof(ENTERPRISES) - 1) != 0) {
        return err_set(e, ERR_INPUT,
                       "policy '%.40s': not below " ENTERPRISES "<your enterprise number>", dotted);
    }
    if (strlen(dotted) >= CERT_POLICY_SIZE) {
        return err_set(e, ERR_INPUT, "policy '%.40s': longer than %d characters", dotted,
                       CERT_POLICY_SIZE - 1);
    }
    while (*rest != '\0' || arcs == 0) {
        if (take_arc(&rest, e) != 0) {
            return err_wrap(e, "policy '%.40s'", dotted);
        }
        arcs++;
    }
    return arcs >= 2 ? 0
                     : err_set(e, ERR_INPUT,
                               "policy '%.40s': an enterprise number alone is no policy", dotted);
}

int
cert_policies_take(const char *const *texts, size_t n, const char *out[CERT_POLICIES_MAX],
                   struct err *e)
{
    if (n > CERT_POLICIES_MAX) {
        return err_set(e, ERR_INPUT, "at most %d policies", CERT_POLICIES_MAX);
    }
    for (size_t i = 0; i < CERT_POLICIES_MAX; i++) {
        out[i] = NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if (cert_policy_check(texts[i], e) != 0) {
            return -1;
        }
        for (size_t k = 0; k < i; k++) {
            /* RFC 5280 4.2.1.4: MUST NOT appear more than once */
            if (strcmp(texts[k], texts[i]) == 0) {
                return err_set(e, ERR_INPUT, "policy '%.40s': stands there twice", texts[i]);
            }
        }
        out[i] = texts[i];
    }
    return 0;
}
