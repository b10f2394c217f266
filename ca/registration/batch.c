/* SPDX-License-Identifier: Apache-2.0 */
/* The file: lines, their tree, the manifest about it, and the evidence of each line. */
#include "ca/registration/batch.h"

#include <assert.h>
#include <jansson.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "ca/x509/der.h"

enum { LEVELS = BATCH_PATH_MAX + 1 };

struct level {
    struct merkle_hash *hashes;
    size_t n;
};

/* Where an nfInstanceId stands; kept in a tree of search.h. */
struct owner {
    char nf_instance[NF_INSTANCE_ID_SIZE];
    size_t i;
};

struct batch {
    struct span *lines;
    size_t n;
    struct level levels[LEVELS]; /* level 0 has the hashes of the lines */
    void *owners;
};

DEFINE_CLEANUP(json_cleanup, json_t, json_decref)

static void
destroy(struct batch **p)
{
    struct batch *b = *p;

    if (b != NULL) {
        for (size_t l = 0; l < LEVELS; l++) {
            mem_free(b->levels[l].hashes);
        }
        tdestroy(b->owners, mem_free);
        mem_free(b->lines);
        mem_free(b);
        *p = NULL;
    }
}

void
batch_free(struct batch *b)
{
    destroy(&b);
}

static int
split(struct batch *b, struct span text, struct err *e)
{
    const uint8_t *p = text.p;
    const uint8_t *end = text.p + text.n;
    size_t capacity = 0;

    while (p < end) {
        const uint8_t *feed = memchr(p, '\n', (size_t)(end - p));
        size_t n = (size_t)((feed == NULL ? end : feed) - p);

        if (n == 0) {
            return err_set(e, ERR_INPUT, "registrations[%zu]: empty line", b->n);
        }
        if (n > REGISTRATION_JSON_MAX) {
            return err_set(e, ERR_INPUT, "registrations[%zu]: longer than %d octets", b->n,
                           REGISTRATION_JSON_MAX);
        }
        if (b->n == BATCH_REGISTRATIONS_MAX) {
            return err_set(e, ERR_INPUT, "more than %d registrations: make several batches",
                           (int)BATCH_REGISTRATIONS_MAX);
        }
        b->lines = mem_grow(b->lines, &capacity, b->n + 1, sizeof(b->lines[0]));
        b->lines[b->n++] = span_of(p, n);
        p += n + 1;
    }
    return b->n > 0 ? 0 : err_set(e, ERR_INPUT, "no registration: one is expected on each line");
}

/* All full subtrees, level by level: what merkle_prove_inclusion() asks for. */
static void
grow_tree(struct batch *b)
{
    struct level *below = &b->levels[0];

    below->hashes = mem_zalloc(b->n, sizeof(below->hashes[0]));
    below->n = b->n;
    for (size_t i = 0; i < b->n; i++) {
        below->hashes[i] = merkle_leaf(b->lines[i]);
    }
    for (size_t l = 1; l < LEVELS && below->n > 1; l++) {
        struct level *level = &b->levels[l];

        level->n = below->n / 2;
        level->hashes = mem_zalloc(level->n, sizeof(level->hashes[0]));
        for (size_t i = 0; i < level->n; i++) {
            level->hashes[i] = merkle_node(&below->hashes[2 * i], &below->hashes[2 * i + 1]);
        }
        below = level;
    }
}

struct batch *
batch_new(struct span text, struct err *e)
{
    CLEANUP(destroy) struct batch *b = mem_new(sizeof(*b));

    if (text.n > BATCH_OCTETS_MAX) {
        (void)err_set(e, ERR_INPUT, "more than %d MiB: make several batches",
                      (int)(BATCH_OCTETS_MAX / 1024 / 1024));
        return NULL;
    }
    if (split(b, text, e) != 0) {
        return NULL;
    }
    grow_tree(b);
    return TAKE(b);
}

size_t
batch_count(const struct batch *b)
{
    return b->n;
}

struct span
batch_document(const struct batch *b, size_t i)
{
    assert(i < b->n);
    return b->lines[i];
}

struct merkle_hash
batch_root(const struct batch *b)
{
    struct merkle_edge edge = {0};
    struct err e = {0};

    for (size_t i = 0; i < b->n; i++) {
        if (merkle_append(&edge, &b->levels[0].hashes[i], NULL, NULL, &e) != 0) {
            abort(); /* it can fail in `completed` only, and there is none */
        }
    }
    return merkle_root(&edge);
}

char *
batch_manifest_format(const struct batch *b)
{
    const struct merkle_hash root = batch_root(b);
    CLEANUP(mem_cleanup) char *hex = hex_dup(span_of(root.octets, sizeof(root.octets)));

    return mem_printf("{\"version\":1,\"batch\":{\"registrations\":%zu,\"root\":\"%s\"}}\n", b->n,
                      hex);
}

static int
compare_owners(const void *a, const void *b)
{
    const struct owner *left = a;
    const struct owner *right = b;

    return strcmp(left->nf_instance, right->nf_instance);
}

int
batch_check(struct batch *b, size_t i, const struct nf_rules *rules, struct err *e)
{
    struct registration r;
    struct owner *owner;
    struct owner *const *found;
    char *reason;

    assert(i < b->n);
    if (registration_parse(b->lines[i], rules, &r, e) != 0) {
        reason = mem_strdup(e->text);
        (void)err_set(e, ERR_INPUT, "registrations[%zu]%s%s", i,
                      registration_error_member(reason) > 0 ? "." : ": ", reason);
        mem_free(reason);
        return -1;
    }
    owner = mem_new(sizeof(*owner));
    memcpy(owner->nf_instance, r.nf.instance_id, sizeof(owner->nf_instance));
    owner->i = i;
    found = tsearch(owner, &b->owners, compare_owners);
    if (found == NULL) {
        abort(); /* out of memory */
    }
    if (*found != owner) {
        mem_free(owner);
        return err_set(e, ERR_INPUT,
                       "registrations[%zu].nfInstanceId: the same as in registrations[%zu]", i,
                       (*found)->i);
    }
    return 0;
}

/* ---- evidence ---- */

static int
get_hash(void *arg, unsigned level, uint64_t index, struct merkle_hash *out, struct err *e)
{
    const struct batch *b = arg;

    (void)e;
    /* merkle.h asks for full subtrees of the tree of b->n leaves only, and grow_tree() made all. */
    assert(level < LEVELS && index < b->levels[level].n);
    *out = b->levels[level].hashes[index];
    return 0;
}

int
batch_element(const struct batch *b, struct span manifest, size_t i, struct buf *out, struct err *e)
{
    CLEANUP(buf_free) struct buf path = BUF_INIT(BATCH_PATH_MAX * MERKLE_HASH);
    struct der der = DER_WRITER(out, e);
    struct merkle_proof proof;
    struct batch copy = *b; /* get_hash() only reads */

    if (merkle_prove_inclusion(i, b->n, get_hash, &copy, &proof, e) != 0) {
        return -1;
    }
    for (size_t k = 0; k < proof.n; k++) {
        if (buf_append(&path, span_of(proof.hashes[k].octets, MERKLE_HASH), e) != 0) {
            return -1;
        }
    }
    der_begin(&der, DER_SEQUENCE);
    der_put_uint(&der, 1);
    der_put(&der, DER_OCTET_STRING, manifest);
    der_put_uint(&der, i);
    der_put(&der, DER_OCTET_STRING, buf_span(&path));
    der_put(&der, DER_OCTET_STRING, b->lines[i]);
    der_end(&der);
    return der_finish(&der);
}

bool
batch_is_element(struct span bytes)
{
    struct err e = {0};
    struct span content;
    uint8_t tag;

    /* A ContentInfo begins with the identifier of its type. */
    return der_take(&bytes, &tag, &content, NULL, &e) == 0 && tag == DER_SEQUENCE &&
           content.n > 0 && content.p[0] == DER_INTEGER;
}

/* A number of at most 4 octets in shortest form. */
static int
small_number(struct span content, uint64_t *out, struct err *e)
{
    *out = 0;
    if (content.n == 0 || content.n > 4 || (content.p[0] & 0x80) != 0 ||
        (content.n > 1 && content.p[0] == 0 && (content.p[1] & 0x80) == 0)) {
        return err_set(e, ERR_INPUT, "batch element: a number is not in DER or too large");
    }
    for (size_t i = 0; i < content.n; i++) {
        *out = *out << 8 | content.p[i];
    }
    return 0;
}

int
batch_element_parse(struct span der, struct batch_element *out, struct err *e)
{
    struct span content;
    struct span version;
    struct span index;
    struct span path;
    uint64_t number;

    memset(out, 0, sizeof(*out));
    if (der_expect(&der, DER_SEQUENCE, "batch element", &content, e) != 0 ||
        der_empty(der, "batch element", e) != 0 ||
        der_expect(&content, DER_INTEGER, "version", &version, e) != 0 ||
        small_number(version, &number, e) != 0 ||
        der_expect(&content, DER_OCTET_STRING, "manifest", &out->manifest, e) != 0 ||
        der_expect(&content, DER_INTEGER, "index", &index, e) != 0 ||
        small_number(index, &out->index, e) != 0 ||
        der_expect(&content, DER_OCTET_STRING, "path", &path, e) != 0 ||
        der_expect(&content, DER_OCTET_STRING, "document", &out->document, e) != 0 ||
        der_empty(content, "batch element", e) != 0) {
        return -1;
    }
    if (number != 1 || out->manifest.n > BATCH_MANIFEST_MAX || path.n % MERKLE_HASH != 0 ||
        path.n > (size_t)BATCH_PATH_MAX * MERKLE_HASH) {
        return err_set(e, ERR_INPUT, "batch element: another version, or a part is too long");
    }
    out->path.n = path.n / MERKLE_HASH;
    memcpy(out->path.hashes, path.p, path.n);
    return 0;
}

/* ---- the manifest ---- */

int
batch_manifest_parse(struct span json, struct batch_manifest *out, struct err *e)
{
    json_error_t why;
    CLEANUP(json_cleanup)
    json_t *document = json_loadb((const char *)json.p, json.n, JSON_REJECT_DUPLICATES, &why);
    const char *root;
    json_int_t n;
    int version;

    memset(out, 0, sizeof(*out));
    if (document == NULL) {
        return err_set(e, ERR_INPUT, "manifest: JSON, line %d column %d: %s", why.line, why.column,
                       why.text);
    }
    if (json_unpack_ex(document, &why, JSON_STRICT, "{s:i, s:{s:I, s:s !} !}", "version", &version,
                       "batch", "registrations", &n, "root", &root) != 0) {
        return err_set(e, ERR_INPUT, "manifest: %s", why.text);
    }
    if (version != 1) {
        return err_set(e, ERR_INPUT, "version: must be 1");
    }
    if (n < 1 || n > BATCH_REGISTRATIONS_MAX) {
        return err_set(e, ERR_INPUT, "batch.registrations: must be 1..%d",
                       (int)BATCH_REGISTRATIONS_MAX);
    }
    if (hex_parse(root, out->root.octets, sizeof(out->root.octets), e) != 0) {
        return err_set(e, ERR_INPUT, "batch.root: must be 64 hexadecimal digits");
    }
    out->registrations = (uint64_t)n;
    return 0;
}
