/* SPDX-License-Identifier: Apache-2.0 */
#include "pkcs11/service/door.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "pkcs11/client/protocol.h"

int
door_open(const char *path, struct err *e)
{
    CLEANUP(fd_cleanup) int other = unix_connect(path, false, e);

    if (other >= 0) {
        return err_set(e, ERR_BUSY, "%s: another process listens there", path);
    }
    return unix_listen(path, 0660, e);
}

void
door_turn_away(int fd, const struct err *why)
{
    CLEANUP(buf_free) struct buf frame = BUF_INIT(SIGNER_FRAME_HEAD + SIGNER_ANSWER_MAX);
    const struct signer_frame failed = {
        .type = SIGNER_FAILED, .detail = (uint8_t)why->code, .bytes = span_str(why->text)};
    struct err ignored = {0};

    /* Into an empty socket: it need not be waited for. */
    if (signer_frame_encode(&failed, &frame, &ignored) == 0) {
        (void)frame_write(fd, buf_span(&frame), 0, &ignored);
    }
    (void)close(fd);
}

int
door_accept(int door, uid_t client, int *fd, struct unix_peer *who, struct err *e)
{
    *fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    if (*fd < 0) {
        return 0;
    }
    if (unix_peer(*fd, who, e) != 0) {
        (void)close(*fd);
        *fd = -1;
        return -1;
    }
    if (who->uid != client) {
        (void)err_set(e, ERR_DENIED, "user %u may not use this signer", (unsigned)who->uid);
        door_turn_away(*fd, e);
        *fd = -1;
        return -1;
    }
    return 0;
}
