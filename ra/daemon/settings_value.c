/* SPDX-License-Identifier: Apache-2.0 */
#include "ra/daemon/settings_value.h"

#include <string.h>

#include "base/http/address.h"

void
settings_list_clear(struct settings_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        mem_free(list->items[i]);
    }
    list->n = 0;
}

char *
settings_path(const cfg_t *section, const char *value)
{
    const char *slash = section->filename == NULL ? NULL : strrchr(section->filename, '/');

    if (value[0] == '/' || slash == NULL) {
        return mem_strdup(value);
    }
    return mem_printf("%.*s/%s", (int)(slash - section->filename), section->filename, value);
}

int
settings_list_read(cfg_t *section, const char *option, bool paths, struct settings_list *out,
                   struct err *e)
{
    unsigned n = cfg_size(section, option);

    if (n > SETTINGS_LIST_MAX) {
        return conf_fault(section, option, e, "option '%s' has more than %d values", option,
                          (int)SETTINGS_LIST_MAX);
    }
    for (unsigned i = 0; i < n; i++) {
        const char *value = cfg_getnstr(section, option, i);

        if (value == NULL || value[0] == '\0') {
            return conf_fault(section, option, e, "option '%s' has an empty value", option);
        }
        out->items[out->n++] = paths ? settings_path(section, value) : mem_strdup(value);
    }
    return 0;
}

int
settings_addresses_read(cfg_t *section, const char *option, struct settings_list *out,
                        struct err *e)
{
    if (settings_list_read(section, option, false, out, e) != 0) {
        return -1;
    }
    for (size_t i = 0; i < out->n; i++) {
        struct err why;
        struct addrinfo *info = http_address_parse(out->items[i], &why);

        if (info == NULL) {
            return conf_fault(section, option, e, "option '%s': %s", option, why.text);
        }
        freeaddrinfo(info);
    }
    return 0;
}
