/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/json.h"

#include "base/ossl.h"
#include "db/audit/der/certificate.h"
#include "db/audit/story/message.h"
#include "db/audit/story/print.h"

static json_t *
text_or_null(const char *text)
{
    return text == NULL || text[0] == '\0' ? json_null() : json_string(text);
}

static json_t *
message_json(const struct story_message *m)
{
    return m->octets > 0 ? json_pack("{s:s, s:b, s:s, s:I}", "sha256", m->sha256, "there", 1,
                                     "body", m->body, "octets", (json_int_t)m->octets)
                         : json_pack("{s:s, s:b, s:s}", "sha256", m->sha256, "there", 0, "reason",
                                     m->why.text);
}

/* {"index", "leaf": the object itself, "proof": the audit path from the leaf up, "message": what it
 * names} */
static json_t *
leaf_json(struct mirror *mirror, const struct story_leaf *leaf)
{
    struct span body = leaf_body(leaf->leaf);
    json_t *path = json_array();
    struct story_message message;

    for (size_t i = 0; i < leaf->proof.n; i++) {
        CLEANUP(mem_cleanup)
        char *hash = base64_dup(span_of(leaf->proof.hashes[i].octets, MERKLE_HASH));

        (void)json_array_append_new(path, json_string(hash));
    }
    return json_pack("{s:I, s:o, s:o, s:o*}", "index", (json_int_t)leaf->index, "leaf",
                     json_loadb((const char *)body.p, body.n, JSON_REJECT_DUPLICATES, NULL),
                     "proof", path, "message",
                     story_message(mirror, leaf, &message) ? message_json(&message) : NULL);
}

static int
certificate_json(const struct leaf *issued, json_t **value, struct err *e)
{
    CLEANUP(x509_cleanup) X509 *certificate = audit_certificate(issued, e);
    CLEANUP(audit_summary_free) struct audit_summary summary = {0};

    if (certificate == NULL || audit_summarize(certificate, &summary, e) != 0) {
        return -1;
    }
    *value = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "serial",
                       leaf_text(issued, "serial"), "subject", summary.subject, "issuer",
                       summary.issuer, "names", summary.names, "notBefore", summary.not_before,
                       "notAfter", summary.not_after, "key", summary.key, "sha256", summary.sha256);
    if (*value == NULL) {
        return err_set(e, ERR_CRYPTO, "the names in the certificate are not UTF-8");
    }
    return 0;
}

int
story_json(FILE *out, const struct basis *basis, struct mirror *mirror, const struct story *story,
           struct err *e)
{
    const struct story_leaf *issued = story_find(story, LEAF_ISSUED);
    CLEANUP(json_cleanup)
    json_t *root = json_pack(
        "{s:o, s:o, s:o, s:o, s:o}", "checkpoint",
        json_basis(basis->checkpoint, basis->key, basis->given), "serial",
        text_or_null(story->names.serial), "rid", text_or_null(story->names.rid), "registration",
        text_or_null(story->names.registration), "registrar", text_or_null(story->names.registrar));
    json_t *leaves = json_array();
    json_t *certificate = NULL;

    for (size_t i = 0; i < story->n; i++) {
        (void)json_array_append_new(leaves, leaf_json(mirror, &story->leaves[i]));
    }
    if (story->registrar.leaf != NULL) {
        (void)json_object_set_new(root, "registrarCertificate",
                                  leaf_json(mirror, &story->registrar));
    }
    (void)json_object_set_new(root, "leaves", leaves);
    if (story->status[0] != '\0') {
        (void)json_object_set_new(root, "status", json_string(story->status));
    }
    if (issued != NULL && story->names.serial[0] != '\0') {
        if (certificate_json(issued->leaf, &certificate, e) != 0) {
            return -1;
        }
        (void)json_object_set_new(root, "certificate", certificate);
    }
    return json_say(out, root, e);
}
