/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/serve/route.h"

#include <stdio.h>
#include <string.h>

static bool
ends(const char *text, size_t n, const char *suffix)
{
    return n > strlen(suffix) && strncmp(text + n - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static bool
take_list(const char *name, struct route *route)
{
    static const struct {
        const char *suffix;
        enum route_format format;
    } formats[] = {{".csv", ROUTE_CSV}, {".jsonl", ROUTE_JSONL}};
    char noun[32];
    size_t n = strlen(name);

    route->kind = ROUTE_LIST;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (route->format == ROUTE_HTML && ends(name, n, formats[i].suffix)) {
            route->format = formats[i].format;
            n -= strlen(formats[i].suffix);
        }
    }
    if (n >= sizeof(noun)) {
        return false;
    }
    (void)snprintf(noun, sizeof(noun), "%.*s", (int)n, name);
    route->noun = noun_find(noun);
    return route->noun != NULL;
}

static bool
take_what(const char *text, struct route *route)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:";
    size_t n = strlen(text);

    if (route->kind == ROUTE_SHOW && ends(text, n, ".json")) {
        route->format = ROUTE_JSON;
        n -= strlen(".json");
    }
    if (n == 0 || n > ROUTE_WHAT_MAX || strspn(text, plain) < n) {
        return false;
    }
    (void)snprintf(route->what, sizeof(route->what), "%.*s", (int)n, text);
    return true;
}

bool
route_parse(const char *path, struct route *route)
{
    static const struct {
        const char *folder;
        enum route_kind kind;
        enum route_format format;
    } folders[] = {{"/show/", ROUTE_SHOW, ROUTE_HTML},
                   {"/explain/", ROUTE_EXPLAIN, ROUTE_HTML},
                   {"/prove/", ROUTE_PROVE, ROUTE_PROOF}};

    *route = (struct route){.kind = ROUTE_REPORT};
    if (strcmp(path, "/") == 0) {
        return true;
    }
    if (strcmp(path, "/help") == 0 || strcmp(path, "/show") == 0) {
        route->kind = path[1] == 'h' ? ROUTE_HELP : ROUTE_SHOW;
        return true;
    }
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        const size_t n = strlen(folders[i].folder);

        if (strncmp(path, folders[i].folder, n) == 0) {
            route->kind = folders[i].kind;
            route->format = folders[i].format;
            return take_what(path + n, route);
        }
    }
    return path[0] == '/' && take_list(path + 1, route);
}
