/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/acknowledge/believed.h"

#include <stdio.h>
#include <string.h>

#include "ca/registration/acknowledgement.h"
#include "ca/registration/envelope.h"
#include "ca/restore/approvals.h"
#include "ca/x509/serial.h"

struct believing {
    struct acknowledgement text; /* as the leaf has it */
    char *written;
    struct plan_approval approvals[2];
};

static void
believing_free(struct believing *b)
{
    plan_approval_free(&b->approvals[0]);
    plan_approval_free(&b->approvals[1]);
    mem_free(b->written);
}

/* "" when it is missing. */
static const char *
text_of(const struct leaf *leaf, const char *name)
{
    const char *text = leaf_text(leaf, name);

    return text == NULL ? "" : text;
}

static bool
is_hex_of(const char *text, struct span octets)
{
    CLEANUP(mem_cleanup) char *hex = hex_dup(octets);

    return strcmp(text, hex) == 0;
}

/* What must have been signed, but for its time: the line, and the leaves before this one. */
static int
read_leaf(const struct ca *ca, struct store_db *db, const struct leaf *leaf, uint64_t index,
          struct acknowledgement *t, struct err *e)
{
    const char *serial = text_of(leaf, "serial");
    uint8_t log[SHA256_SIZE];

    (void)snprintf(t->origin, sizeof(t->origin), "%s", ca->conf.log_origin);
    (void)snprintf(t->reason, sizeof(t->reason), "%s", text_of(leaf, "reason"));
    t->leaves = index;
    t->line = (uint64_t)leaf_int(leaf, "line", 0);
    t->object = text_of(leaf, "object")[0];
    t->number = (uint64_t)leaf_int(leaf, "number", 0);
    t->has_serial = serial[0] != '\0';
    if (ledger_root(db, index, t->root, e) != 0 || sha256(signer_spki(ca->log), log, e) != 0 ||
        hex_parse(text_of(leaf, "key"), t->key, sizeof(t->key), e) != 0 ||
        hex_parse(text_of(leaf, "sha256"), t->hash, sizeof(t->hash), e) != 0) {
        return -1;
    }
    t->of_log = memcmp(log, t->key, sizeof(log)) == 0;
    return t->has_serial ? hex_parse(serial, t->serial, sizeof(t->serial), e) : 0;
}

/* Both have the text that the first one's time, and which signer of the key it says, make of the
 * leaf. */
static int
take_text(struct believing *b, const struct leaf *leaf, struct err *e)
{
    struct acknowledgement said;
    uint8_t hash[SHA256_SIZE];

    if (acknowledgement_parse(buf_span(&b->approvals[0].text), &said, e) != 0) {
        return -1;
    }
    b->text.time = said.time;
    b->text.signer = said.signer;
    b->written = acknowledgement_format(&b->text);
    if (sha256(span_str(b->written), hash, e) != 0) {
        return -1;
    }
    return span_equal(buf_span(&b->approvals[0].text), span_str(b->written)) &&
                   span_equal(buf_span(&b->approvals[1].text), span_str(b->written)) &&
                   is_hex_of(text_of(leaf, "plan"), span_of(hash, sizeof(hash)))
               ? 0
               : err_set(e, ERR_DENIED, "what was signed is another text than this leaf has");
}

static int
take_approval(const struct ca *ca, const struct leaf *leaf, const char *officer, const char *cms,
              struct plan_approval *out, struct err *e)
{
    CLEANUP(buf_free) struct buf octets = BUF_INIT(ENVELOPE_MAX);

    if (base64_parse(text_of(leaf, cms), &octets, e) != 0 ||
        plan_approval_open(buf_span(&octets), ACKNOWLEDGEMENT_KIND, &ca->policy, leaf_time(leaf),
                           out, e) != 0) {
        return -1;
    }
    return is_hex_of(text_of(leaf, officer), serial_of(out->officer))
               ? 0
               : err_set(e, ERR_DENIED, "%s is not who signed", officer);
}

static int
believe(struct believing *b, const struct ca *ca, struct store_db *db, const struct leaf *leaf,
        uint64_t index, struct err *e)
{
    return read_leaf(ca, db, leaf, index, &b->text, e) != 0 ||
                   take_approval(ca, leaf, "officer", "cms", &b->approvals[0], e) != 0 ||
                   take_approval(ca, leaf, "secondOfficer", "secondCms", &b->approvals[1], e) !=
                       0 ||
                   take_text(b, leaf, e) != 0
               ? -1
               : plan_approvals_check_before(db, b->approvals, index, e);
}

int
acknowledged_believe(const struct ca *ca, struct store_db *db, const struct leaf *leaf,
                     uint64_t index, struct err *e)
{
    CLEANUP(believing_free) struct believing b = {0};

    if (believe(&b, ca, db, leaf, index, e) == 0) {
        return 0;
    }
    if (e->code == ERR_INPUT || e->code == ERR_CRYPTO || e->code == ERR_DENIED) {
        e->code = ERR_STALE;
        (void)err_wrap(e,
                       "leaf %llu: ACKNOWLEDGED, and not by two officers: somebody wrote ca.db, "
                       "nfpki-ca(8), Journals",
                       (unsigned long long)index);
    }
    return -1;
}
