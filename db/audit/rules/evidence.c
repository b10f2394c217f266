/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/rules/evidence.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "base/ossl.h"
#include "base/tlog/merkle.h"
#include "db/audit/der/der.h"
#include "db/audit/rules/signed.h"

enum { ID_DIGITS = 32, LINES_MAX = 50000 };

/* What a registrar signed for many. */
struct manifest {
    struct buf cms; /* empty: none yet */
    X509 *registrar;
    uint64_t registrations;
    struct merkle_hash root;
};

struct audit_evidence {
    struct manifest last;
};

struct audit_evidence *
audit_evidence_new(void)
{
    return mem_new(sizeof(struct audit_evidence));
}

static void
forget(struct manifest *m)
{
    buf_free(&m->cms);
    X509_free(m->registrar);
    *m = (struct manifest){0};
}

void
audit_evidence_free(struct audit_evidence *v)
{
    if (v != NULL) {
        forget(&v->last);
        mem_free(v);
    }
}

/* ---- an element of a batch ---- */

struct element {
    struct span manifest;
    uint64_t index;
    struct merkle_proof path;
    struct span document;
};

static int
element_read(struct span der, struct element *out, struct err *e)
{
    struct span all;
    struct span path;
    uint64_t version = 0;

    if (!audit_take(&der, DER_SEQUENCE, &all, NULL) || der.n != 0 ||
        !audit_take_number(&all, &version) || version != 1 ||
        !audit_take(&all, DER_OCTET_STRING, &out->manifest, NULL) ||
        !audit_take_number(&all, &out->index) || !audit_take(&all, DER_OCTET_STRING, &path, NULL) ||
        !audit_take(&all, DER_OCTET_STRING, &out->document, NULL) || all.n != 0 ||
        path.n % MERKLE_HASH != 0 || path.n > sizeof(out->path.hashes)) {
        return err_set(e, ERR_CRYPTO, "it is no element of a batch");
    }
    out->path.n = path.n / MERKLE_HASH;
    memcpy(out->path.hashes, path.p, path.n);
    return 0;
}

static int
manifest_read(struct span json, struct manifest *out, struct err *e)
{
    json_t *document = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
    const char *root = NULL;
    json_int_t n = 0;
    int version = 0;
    const bool good = json_unpack(document, "{s:i, s:{s:I, s:s !} !}", "version", &version, "batch",
                                  "registrations", &n, "root", &root) == 0 &&
                      version == 1 && n > 0 && n <= LINES_MAX &&
                      hex_parse(root, out->root.octets, sizeof(out->root.octets), e) == 0;

    json_decref(document);
    out->registrations = (uint64_t)n;
    return good ? 0 : err_set(e, ERR_CRYPTO, "what was signed is no manifest of a batch");
}

/* Once for all of its elements. */
static int
manifest_check(struct audit_evidence *v, struct span cms, X509 *registrar, struct err *e)
{
    CLEANUP(buf_free) struct buf json = BUF_INIT(LEAF_MAX);
    struct manifest *m = &v->last;

    if (m->registrar == registrar && span_equal(cms, buf_span(&m->cms))) {
        return 0;
    }
    forget(m);
    if (audit_signed_octets(cms, registrar, &json, e) != 0 ||
        manifest_read(buf_span(&json), m, e) != 0 || X509_up_ref(registrar) != 1) {
        return -1;
    }
    m->registrar = registrar;
    m->cms = BUF_INIT(LEAF_MAX);
    return buf_set(&m->cms, cms, e);
}

static int
batch_check(struct audit_evidence *v, struct span der, X509 *registrar, struct buf *document,
            struct err *e)
{
    struct element element = {0};
    struct merkle_hash leaf;

    if (element_read(der, &element, e) != 0 ||
        manifest_check(v, element.manifest, registrar, e) != 0) {
        return -1;
    }
    leaf = merkle_leaf(element.document);
    return merkle_verify_inclusion(element.index, v->last.registrations, &leaf, &element.path,
                                   &v->last.root, e) != 0
               ? err_wrap(e, "it is not of the batch that was signed")
               : buf_set(document, element.document, e);
}

/* What is signed in a CMS, by whomever. */
static int
content_read(struct span der, struct buf *document, struct err *e)
{
    const unsigned char *p = der.p;
    CLEANUP(cms_cleanup) CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
    ASN1_OCTET_STRING **content = cms == NULL ? NULL : CMS_get0_content(cms);

    if (content == NULL || *content == NULL) {
        return ossl_err(e, ERR_CRYPTO, "it is no CMS that has what is signed");
    }
    return buf_set(document,
                   span_of(ASN1_STRING_get0_data(*content), (size_t)ASN1_STRING_length(*content)),
                   e);
}

int
audit_evidence_document(const struct leaf *leaf, struct buf *document, struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    const char *batch = leaf_text(leaf, "batch");
    const char *text = batch != NULL ? batch : leaf_text(leaf, "cms");
    struct element element = {0};

    if (text == NULL) {
        return err_set(e, ERR_CRYPTO, "it has no evidence");
    }
    if (base64_parse(text, &der, e) != 0) {
        return -1;
    }
    if (batch == NULL) {
        return content_read(buf_span(&der), document, e);
    }
    return element_read(buf_span(&der), &element, e) != 0 ? -1
                                                          : buf_set(document, element.document, e);
}

/* ---- what the document says ---- */

static bool
is_text(const json_t *at, const char *name, const char *said)
{
    const char *text = json_string_value(json_object_get(at, name));

    return said == NULL ? text == NULL : text != NULL && strcasecmp(text, said) == 0;
}

static bool
is_time(const json_t *at, const char *name, const char *said)
{
    const char *text = json_string_value(json_object_get(at, name));
    time_t signed_time;
    time_t leaf_time;
    struct err e;

    return text != NULL && time_parse(text, &signed_time, &e) == 0 &&
           time_parse(said, &leaf_time, &e) == 0 && signed_time == leaf_time;
}

static bool
fits(const json_t *d, const struct leaf *leaf)
{
    const json_t *certificates = json_object_get(d, "certificates");
    const json_int_t n = certificates == NULL ? 1 : json_integer_value(certificates);

    return is_text(d, "nfInstanceId", leaf_text(leaf, "nfInstanceId")) &&
           is_text(json_object_get(d, "proof"), "kind", leaf_text(leaf, "proof")) &&
           is_text(d, "supersedes", leaf_text(leaf, "supersedes")) &&
           is_time(d, "notBefore", leaf_text(leaf, "notBefore")) &&
           is_time(d, "notAfter", leaf_text(leaf, "notAfter")) &&
           n == leaf_int(leaf, "certificates", -1);
}

static int
document_check(struct span content, const struct leaf *leaf, struct err *e)
{
    json_t *document = json_loadb((const char *)content.p, content.n, JSON_REJECT_DUPLICATES, NULL);
    const bool good = document != NULL && fits(document, leaf);

    json_decref(document);
    return good ? 0
                : err_set(e, ERR_CRYPTO, "the registrar signed something else than the leaf says");
}

/* Its evidence names it: by all of its SHA-256, and by the first half. */
static int
name_check(struct span evidence, const struct leaf *leaf, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];

    if (sha256(evidence, hash, e) != 0) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), hex);
    return strcmp(hex, leaf_text(leaf, "sha256")) == 0 &&
                   strlen(leaf_text(leaf, "registration")) == ID_DIGITS &&
                   strncmp(hex, leaf_text(leaf, "registration"), ID_DIGITS) == 0
               ? 0
               : err_set(e, ERR_CRYPTO, "it is under the name of other octets");
}

int
audit_evidence_check(struct audit_evidence *v, const struct leaf *leaf, X509 *registrar,
                     struct err *e)
{
    CLEANUP(buf_free) struct buf der = BUF_INIT(LEAF_MAX);
    CLEANUP(buf_free) struct buf document = BUF_INIT(LEAF_MAX);
    const char *batch = leaf_text(leaf, "batch");
    int result = base64_parse(batch != NULL ? batch : leaf_text(leaf, "cms"), &der, e);

    if (result == 0) {
        result = name_check(buf_span(&der), leaf, e);
    }
    if (result == 0) {
        result = batch != NULL ? batch_check(v, buf_span(&der), registrar, &document, e)
                               : audit_signed_octets(buf_span(&der), registrar, &document, e);
    }
    if (result == 0) {
        result = document_check(buf_span(&document), leaf, e);
    }
    return result == 0 ? 0
                       : err_wrap(e, "the REGISTRATION %s by serial %s",
                                  leaf_text(leaf, "registration"), leaf_text(leaf, "registrar"));
}
