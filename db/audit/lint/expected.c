/* SPDX-License-Identifier: Apache-2.0 */
#include "db/audit/lint/expected.h"

#include <string.h>

#include "base/conf.h"
#include "base/file.h"
#include "base/ossl.h"

/* expected.conf, as it is built in (db/CMakeLists.txt). */
extern const unsigned char lint_expected[];
extern const size_t lint_expected_size;

enum { HOUR = 60 * 60, DAY = 24 * HOUR };
#define HASH_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ---- what stands in the files ---- */

/* libconfuse wants to write to defaults of lists, and does not. */
static char none[] = "{}";
static char signing[] = "{digitalSignature}";
static char any_key[] = "{P-256, P-384, RSA-2048}";

/* An operator's file has the options of nfpki-profiles.conf(5), of which not all can be seen in a
 * certificate; ours has the class besides. */
static cfg_opt_t profile_options[] = {
    CFG_STR("class", "nf", CFGF_NONE),
    CFG_BOOL("enabled", cfg_true, CFGF_NONE),
    CFG_STR_LIST("key_usage", signing, CFGF_NONE),
    CFG_STR_LIST("extended_key_usage", none, CFGF_NONE),
    CFG_STR_LIST("policies", none, CFGF_NONE),
    CFG_STR_LIST("nf_types", none, CFGF_NONE),
    CFG_BOOL("server", cfg_false, CFGF_NONE),
    CFG_BOOL("wildcard", cfg_false, CFGF_NONE),
    CFG_BOOL("plmns", cfg_false, CFGF_NONE),
    CFG_STR_LIST("keys", any_key, CFGF_NONE),
    CFG_INT("max_validity_days", 0, CFGF_NONE),
    CFG_INT("max_validity_hours", 0, CFGF_NONE),
    CFG_INT("validity_days", 0, CFGF_NONE),
    CFG_INT("validity_hours", 0, CFGF_NONE),
    CFG_STR("assurance", "mac", CFGF_NONE),
    CFG_INT("approvals", 0, CFGF_NONE),
    CFG_BOOL("implicit_confirm", cfg_true, CFGF_NONE),
    CFG_BOOL("no_rev_avail", cfg_false, CFGF_NONE),
    CFG_STR("unknown_extensions", "drop", CFGF_NONE),
    CFG_STR("unregistered_names", "refuse", CFGF_NONE),
    CFG_STR_LIST("ignored", none, CFGF_NONE),
    CFG_BOOL("extra_dns_nf_type", cfg_false, CFGF_NONE),
    CFG_BOOL("lab", cfg_false, CFGF_NONE),
    CFG_END(),
};
static cfg_opt_t extension_options[] = {
    CFG_STR("oid", "", CFGF_NONE),
    CFG_BOOL("critical", cfg_false, CFGF_NONE),
    CFG_END(),
};
static cfg_opt_t purpose_options[] = {
    CFG_STR("oid", "", CFGF_NONE),
    CFG_STR("group", "", CFGF_NONE),
    CFG_STR_LIST("key_usage", none, CFGF_NONE),
    CFG_STR("nf_type", "", CFGF_NONE),
    CFG_END(),
};
static cfg_opt_t class_options[] = {
    CFG_STR_LIST("subject", none, CFGF_NONE),
    CFG_STR_LIST("subject_must", none, CFGF_NONE),
    CFG_STR_LIST("must", none, CFGF_NONE),
    CFG_STR_LIST("may", none, CFGF_NONE),
    CFG_STR_LIST("names", none, CFGF_NONE),
    CFG_INT("max_validity_days", 0, CFGF_NONE),
    CFG_END(),
};
static cfg_opt_t own_options[] = {
    CFG_SEC("extension", extension_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("purpose", purpose_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("class", class_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_SEC("profile", profile_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};
static cfg_opt_t operator_options[] = {
    CFG_SEC("profile", profile_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

struct lint_table {
    cfg_t *own;
    size_t n;
    struct {
        char hash[2 * SHA256_SIZE + 1];
        cfg_t *file;
    } operators[LINT_FILES_MAX];
};

void
lint_table_free(struct lint_table *t)
{
    if (t == NULL) {
        return;
    }
    if (t->own != NULL) {
        conf_free(t->own);
    }
    for (size_t i = 0; i < t->n; i++) {
        conf_free(t->operators[i].file);
    }
    mem_free(t);
}

struct lint_table *
lint_table_new(struct err *e)
{
    CLEANUP(lint_table_cleanup) struct lint_table *t = mem_new(sizeof(*t));

    t->own =
        conf_parse("expected.conf", span_of(lint_expected, lint_expected_size), own_options, e);
    return t->own == NULL ? NULL : TAKE(t);
}

int
lint_table_add(struct lint_table *t, const char *path, struct err *e)
{
    uint8_t hash[SHA256_SIZE];
    cfg_t *file;

    if (t->n == LINT_FILES_MAX) {
        return err_set(e, ERR_INPUT, "%s: at most %d files of profiles", path, LINT_FILES_MAX);
    }
    file = conf_load(path, operator_options, hash, e);
    if (file == NULL) {
        return -1;
    }
    hex_format(span_of(hash, sizeof(hash)), t->operators[t->n].hash);
    t->operators[t->n++].file = file;
    return 0;
}

int
lint_table_hash(const struct lint_table *t, uint8_t out[SHA256_SIZE], struct err *e)
{
    struct span parts[1 + LINT_FILES_MAX] = {span_of(lint_expected, lint_expected_size)};

    for (size_t i = 0; i < t->n; i++) {
        parts[1 + i] = span_str(t->operators[i].hash);
    }
    return sha256_parts(parts, 1 + t->n, out, e);
}

/* ---- what is asked ---- */

static cfg_t *
file_find(const struct lint_table *t, const char *file, struct err *e)
{
    if (file == NULL || strcmp(file, HASH_OF_NOTHING) == 0) {
        return t->own;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->operators[i].hash, file) == 0) {
            return t->operators[i].file;
        }
    }
    (void)err_set(e, ERR_NOTFOUND,
                  "the file of profiles with SHA-256 %s is not here: give it with --profiles",
                  file);
    return NULL;
}

int
lint_table_find(const struct lint_table *t, const char *file, const char *name,
                struct lint_profile *out, struct err *e)
{
    cfg_t *in = file_find(t, file, e);

    *out = (struct lint_profile){.table = t};
    if (in == NULL) {
        return -1;
    }
    out->profile = cfg_gettsec(in, "profile", name);
    if (out->profile != NULL) {
        /* An operator's file cannot say what it is of. */
        out->class =
            cfg_gettsec(t->own, "class", in == t->own ? cfg_getstr(out->profile, "class") : "nf");
    }
    /* What stands under no file is not of a network function, and the other way round. */
    if (out->profile == NULL || lint_profile_is_nf(out) != (file != NULL)) {
        return err_set(e, ERR_DENIED, "profile %s is not in the table", name);
    }
    return 0;
}

bool
lint_has(cfg_t *section, const char *option, const char *text)
{
    for (unsigned i = 0; i < cfg_size(section, option); i++) {
        if (strcmp(cfg_getnstr(section, option, i), text) == 0) {
            return true;
        }
    }
    return false;
}

bool
lint_profile_is_nf(const struct lint_profile *p)
{
    return strcmp(cfg_title(p->class), "nf") == 0;
}

time_t
lint_profile_longest(const struct lint_profile *p)
{
    const time_t most = (time_t)cfg_getint(p->class, "max_validity_days") * DAY;
    const time_t own = (time_t)cfg_getint(p->profile, "max_validity_hours") * HOUR +
                       (time_t)cfg_getint(p->profile, "max_validity_days") * DAY;

    return own > 0 && own < most ? own : most;
}

static cfg_t *
by_oid(const struct lint_table *t, const char *kind, const char *oid)
{
    for (unsigned i = 0; i < cfg_size(t->own, kind); i++) {
        cfg_t *section = cfg_getnsec(t->own, kind, i);

        if (strcmp(cfg_getstr(section, "oid"), oid) == 0) {
            return section;
        }
    }
    return NULL;
}

cfg_t *
lint_table_extension(const struct lint_table *t, const char *oid)
{
    return by_oid(t, "extension", oid);
}

cfg_t *
lint_table_purpose(const struct lint_table *t, const char *oid)
{
    return by_oid(t, "purpose", oid);
}

const char *
lint_table_purpose_oid(const struct lint_table *t, const char *text)
{
    cfg_t *section = cfg_gettsec(t->own, "purpose", text);

    return section == NULL ? text : cfg_getstr(section, "oid");
}

const char *
lint_table_extension_oid(const struct lint_table *t, const char *name)
{
    cfg_t *section = cfg_gettsec(t->own, "extension", name);

    return section == NULL ? "" : cfg_getstr(section, "oid");
}
