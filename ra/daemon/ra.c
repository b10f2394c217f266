/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/ra.h"

#include <event2/event.h>

#include "base/log.h"

bool
ra_store_is_lost(const struct err *why)
{
    return why->code == ERR_STORE || why->code == ERR_STALE;
}

void
ra_fail(struct ra *ra, const struct err *why)
{
    if (!ra->failed) {
        log_err(LOG_ERROR, "store-failed", why,
                why->code == ERR_STALE
                    ? "stopping; another start is no use, see nfpki-ra(8), A file that somebody "
                      "else wrote"
                    : "stopping; start again when its reason is gone");
        ra->status = err_exit_status(why->code);
    }
    ra->failed = true;
    (void)event_base_loopbreak(ra->base);
}
