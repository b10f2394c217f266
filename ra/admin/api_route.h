/* SPDX-License-Identifier: Apache-2.0 */
/* api_route.h - which command a request to the administrators' HTTPS door is. Pure. */
#pragma once

#include "base/http/message/parse.h"
#include "ra/admin/command.h"

/* The command, with its id and filter, and the status of its success; documents are the caller's to
 * take (api_take_batch() for an import). 0, or the status of the refusal with the reason in `e`:
 * 400, 404, 405, 415. On 405 *allow has the methods. */
int api_route_find(const struct http_request *, struct command_request *out, int *success,
                   const char **allow, struct err *e);

/* The body of an import: its first line is {"manifest":"<base64>"}, the others are the batch. */
int api_take_batch(struct span body, struct command_request *out, struct err *e);

/* The status of a command that was refused. */
int api_status_of(const struct err *e);
/* RFC 9457: {"type", "title", "status", "detail", "code", "member"}. */
json_t *api_problem(int status, const struct err *e);
