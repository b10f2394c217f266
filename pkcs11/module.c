/* SPDX-License-Identifier: Apache-2.0 */
/* Invariant: what is in `open_modules` is initialised; a handle of dlopen is never given back. */
#include "pkcs11/module.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "pkcs11/ckr.h"

enum { SLOTS_MAX = 256 };

struct module {
    char *path;
    const CK_FUNCTION_LIST *functions;
    char description[TOKEN_LABEL_SIZE + 8];
    bool software;
    struct module *next;
};

static struct module *open_modules;

/* The fixed-width texts of PKCS #11 are padded with blanks and not terminated (PKCS #11 v2.40 3.1).
 */
static struct span
unpad(const unsigned char *text, size_t n)
{
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == '\0')) {
        n--;
    }
    return span_of(text, n);
}

#define SHOW(field, out)                                                                           \
    do {                                                                                           \
        _Static_assert(sizeof(out) >= TEXT_SHOWN_SIZE(sizeof(field)), #field);                     \
        text_show(unpad((field), sizeof(field)), (out));                                           \
    } while (0)

/* Names of software, in texts that modules, slots and tokens have about themselves. */
static bool
names_software(const char *text)
{
    static const char *const names[] = {
        "softhsm",       "Implementation of PKCS11", /* SoftHSM: description of the library */
        "Gnome Keyring", "Mozilla Foundation",       /* NSS */
        "NSS 3",         "p11-kit-trust",            /* certificates only */
        "Kryoptic",      "SW   TPM",                 /* swtpm */
        "MOCK",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcasestr(text, names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

int
module_err(const struct module *m, CK_RV rv, const char *function, const char *token, struct err *e)
{
    (void)ckr_err(e, rv, function, m->path, token);
    return -1;
}

static int
check_path(const char *path, struct err *e)
{
    struct stat st;

    if (path[0] != '/') {
        return err_set(e, ERR_DENIED, "PKCS #11 module '%s': give the absolute path", path);
    }
    if (stat(path, &st) != 0) {
        return err_errno(e, errno == ENOENT ? ERR_NOTFOUND : ERR_IO, errno, "PKCS #11 module %s",
                         path);
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & S_IWOTH) != 0) {
        return err_set(e, ERR_DENIED,
                       "PKCS #11 module %s: must be a regular file that only its owner can write",
                       path);
    }
    for (const struct module *m = open_modules; m != NULL; m = m->next) {
        if (strcmp(m->path, path) == 0) {
            return err_set(e, ERR_CONFLICT, "PKCS #11 module %s is open already", path);
        }
    }
    return 0;
}

static const CK_FUNCTION_LIST *
load(const char *path, struct err *e)
{
    CK_C_GetFunctionList get = NULL;
    CK_FUNCTION_LIST *functions = NULL;
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    void *symbol;
    CK_RV rv;

    if (library == NULL) {
        (void)err_set(e, ERR_TOKEN, "%s", dlerror());
        return NULL;
    }
    symbol = dlsym(library, "C_GetFunctionList");
    if (symbol == NULL) {
        (void)err_set(e, ERR_TOKEN, "%s is no PKCS #11 module: no C_GetFunctionList", path);
        return NULL;
    }
    /* ISO C has no cast from void * to a function; POSIX says that the bytes are the same. */
    memcpy(&get, &symbol, sizeof(get));
    rv = get(&functions);
    if (rv != CKR_OK || functions == NULL) {
        (void)ckr_err(e, rv, "C_GetFunctionList", path, NULL);
        return NULL;
    }
    if (functions->version.major != 2) {
        (void)err_set(e, ERR_TOKEN, "%s speaks Cryptoki %d.%d; 2.x is needed", path,
                      functions->version.major, functions->version.minor);
        return NULL;
    }
    return functions;
}

static int
describe(struct module *m, struct err *e)
{
    CK_INFO info = {0};
    char manufacturer[TOKEN_LABEL_SIZE];
    char description[TOKEN_LABEL_SIZE];
    CK_RV rv = m->functions->C_GetInfo(&info);

    if (rv != CKR_OK) {
        return module_err(m, rv, "C_GetInfo", NULL, e);
    }
    SHOW(info.manufacturerID, manufacturer);
    SHOW(info.libraryDescription, description);
    (void)snprintf(m->description, sizeof(m->description), "%s %d.%d",
                   description[0] == '\0' ? manufacturer : description, info.libraryVersion.major,
                   info.libraryVersion.minor);
    m->software = names_software(manufacturer) || names_software(description);
    return 0;
}

struct module *
module_open(const char *path, const char *config, struct err *e)
{
    CK_C_INITIALIZE_ARGS arguments = {.flags = CKF_OS_LOCKING_OK};
    const CK_FUNCTION_LIST *functions;
    struct module *m;
    CK_RV rv;

    if (check_path(path, e) != 0) {
        return NULL;
    }
    if (config != NULL && setenv("SOFTHSM2_CONF", config, 1) != 0) {
        (void)err_errno(e, ERR_IO, errno, "setenv SOFTHSM2_CONF");
        return NULL;
    }
    functions = load(path, e);
    if (functions == NULL) {
        return NULL;
    }
    rv = functions->C_Initialize(&arguments);
    if (rv != CKR_OK) {
        (void)ckr_err(e, rv, "C_Initialize", path, NULL);
        return NULL;
    }
    m = mem_new(sizeof(*m));
    m->path = mem_strdup(path);
    m->functions = functions;
    m->next = open_modules;
    open_modules = m;
    if (describe(m, e) != 0) {
        module_close(m);
        return NULL;
    }
    return m;
}

void
module_close(struct module *m)
{
    struct module **link = &open_modules;

    if (m == NULL) {
        return;
    }
    while (*link != m) {
        link = &(*link)->next;
    }
    *link = m->next;
    (void)m->functions->C_Finalize(NULL);
    mem_free(m->path);
    mem_free(m);
}

const CK_FUNCTION_LIST *
module_functions(const struct module *m)
{
    return m->functions;
}

const char *
module_description(const struct module *m)
{
    return m->description;
}

static int
list_slots(struct module *m, CK_SLOT_ID slots[SLOTS_MAX], CK_ULONG *n, struct err *e)
{
    /* The call with NULL makes the module look again: SoftHSM adds a slot after C_InitToken only
     * then (PKCS #11 v2.40 5.5, C_GetSlotList). */
    CK_RV rv = m->functions->C_GetSlotList(CK_TRUE, NULL, n);

    if (rv == CKR_OK) {
        *n = SLOTS_MAX;
        rv = m->functions->C_GetSlotList(CK_TRUE, slots, n);
    }
    if (rv != CKR_OK) {
        return module_err(m, rv, "C_GetSlotList", NULL, e);
    }
    return 0;
}

/* Behind a proxy the slot has the module's names. */
static bool
is_software_slot(struct module *m, CK_SLOT_ID slot)
{
    CK_SLOT_INFO info = {0};
    char description[TEXT_SHOWN_SIZE(sizeof(info.slotDescription))];
    char manufacturer[TOKEN_LABEL_SIZE];

    if (m->functions->C_GetSlotInfo(slot, &info) != CKR_OK) {
        return false;
    }
    SHOW(info.slotDescription, description);
    SHOW(info.manufacturerID, manufacturer);
    return names_software(description) || names_software(manufacturer);
}

/* `label` and `serial` are the token's octets, in `info`. */
static int
token_info(struct module *m, CK_SLOT_ID slot, CK_TOKEN_INFO *info, struct token *out, struct err *e)
{
    CK_RV rv;

    *info = (CK_TOKEN_INFO){0};
    rv = m->functions->C_GetTokenInfo(slot, info);
    if (rv != CKR_OK) {
        return module_err(m, rv, "C_GetTokenInfo", NULL, e);
    }
    *out = (struct token){.slot = slot,
                          .flags = info->flags,
                          .pin_min = info->ulMinPinLen,
                          .pin_max = info->ulMaxPinLen};
    SHOW(info->label, out->label);
    SHOW(info->serialNumber, out->serial);
    SHOW(info->model, out->model);
    SHOW(info->manufacturerID, out->manufacturer);
    (void)snprintf(out->firmware, sizeof(out->firmware), "%u.%u", info->firmwareVersion.major,
                   info->firmwareVersion.minor);
    out->software = m->software || is_software_slot(m, slot) || names_software(out->manufacturer) ||
                    names_software(out->model);
    return 0;
}

static bool
is_called(struct span octets, const char *shown, const char *wanted)
{
    return span_equal(octets, span_str(wanted)) || strcmp(shown, wanted) == 0;
}

static void
append_seen(char *seen, size_t size, const struct token *t)
{
    size_t used = strlen(seen);
    int n = snprintf(seen + used, size - used, "%s'%s' serial %s", used == 0 ? "" : ", ", t->label,
                     t->serial);

    if (n < 0 || (size_t)n >= size - used) {
        seen[used] = '\0'; /* those before it must do */
    }
}

int
module_find_token(struct module *m, const char *label, const char *serial, struct token *out,
                  struct err *e)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = 0;
    size_t found = 0;
    char seen[200] = "";
    bool any_serial = serial == NULL || serial[0] == '\0';

    if (list_slots(m, slots, &n, e) != 0) {
        return -1;
    }
    for (CK_ULONG i = 0; i < n; i++) {
        struct token t = {0};
        CK_TOKEN_INFO info;

        /* A slot that cannot be read is not the one we look for; it must not stop the search. */
        if (token_info(m, slots[i], &info, &t, e) != 0 || (t.flags & CKF_TOKEN_INITIALIZED) == 0) {
            continue;
        }
        append_seen(seen, sizeof(seen), &t);
        if (is_called(unpad(info.label, sizeof(info.label)), t.label, label) &&
            (any_serial ||
             is_called(unpad(info.serialNumber, sizeof(info.serialNumber)), t.serial, serial))) {
            *out = t;
            found++;
        }
    }
    if (found == 0) {
        return err_set(e, ERR_NOTFOUND, "no token '%s'%s%s in %s; it has: %s", label,
                       any_serial ? "" : " with serial ", any_serial ? "" : serial, m->path,
                       seen[0] == '\0' ? "none" : seen);
    }
    if (found > 1) {
        return err_set(e, ERR_CONFLICT, "%zu tokens '%s' in %s: name the serial; it has: %s", found,
                       label, m->path, seen);
    }
    return 0;
}

int
module_find_free(struct module *m, struct token *out, struct err *e)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = 0;
    CK_TOKEN_INFO info;

    if (list_slots(m, slots, &n, e) != 0) {
        return -1;
    }
    for (CK_ULONG i = 0; i < n; i++) {
        if (token_info(m, slots[i], &info, out, e) == 0 &&
            (out->flags & CKF_TOKEN_INITIALIZED) == 0) {
            return 0;
        }
    }
    return err_set(e, ERR_NOTFOUND, "no uninitialised token in %s: insert a fresh one", m->path);
}

static int
check_pin(const struct token *t, const char *which, struct span pin, struct err *e)
{
    if (pin.n == 0 || pin.n < t->pin_min || (t->pin_max > 0 && pin.n > t->pin_max)) {
        return err_set(e, ERR_INPUT, "the %s PIN has %zu octets; this token takes %lu to %lu",
                       which, pin.n, t->pin_min, t->pin_max);
    }
    return 0;
}

/* C_InitPIN as the security officer (PKCS #11 v2.40 5.6). */
static int
set_user_pin(struct module *m, const struct token *t, struct span so_pin, struct span user_pin,
             struct err *e)
{
    CLEANUP(buf_free) struct buf so = BUF_SECRET(256);
    CLEANUP(buf_free) struct buf user = BUF_SECRET(256);
    CK_SESSION_HANDLE session = 0;
    const char *function = "C_OpenSession";
    CK_RV rv;

    if (buf_set(&so, so_pin, e) != 0 || buf_set(&user, user_pin, e) != 0) {
        return -1;
    }
    rv = m->functions->C_OpenSession(t->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
                                     &session);
    if (rv != CKR_OK) {
        return module_err(m, rv, function, t->label, e);
    }
    function = "C_Login (security officer)";
    rv = m->functions->C_Login(session, CKU_SO, so.p, so.n);
    if (rv == CKR_OK) {
        function = "C_InitPIN";
        rv = m->functions->C_InitPIN(session, user.p, user.n);
        (void)m->functions->C_Logout(session);
    }
    (void)m->functions->C_CloseSession(session);
    return rv == CKR_OK ? 0 : module_err(m, rv, function, t->label, e);
}

int
module_init_token(struct module *m, const char *label, struct span so_pin, struct span user_pin,
                  struct token *out, struct err *e)
{
    CLEANUP(buf_free) struct buf so = BUF_SECRET(256);
    unsigned char padded[TOKEN_LABEL_OCTETS];
    struct token fresh = {0};
    struct err ignored = {0};
    CK_RV rv;

    if (label[0] == '\0' || strlen(label) > TOKEN_LABEL_OCTETS) {
        return err_set(e, ERR_INPUT, "the token label '%s' must have 1 to 32 octets", label);
    }
    if (module_find_token(m, label, NULL, out, &ignored) == 0 || ignored.code == ERR_CONFLICT) {
        return err_set(e, ERR_CONFLICT, "a token '%s' is there already in %s", label, m->path);
    }
    if (module_find_free(m, &fresh, e) != 0 ||
        check_pin(&fresh, "security officer's", so_pin, e) != 0 ||
        check_pin(&fresh, "user", user_pin, e) != 0 || buf_set(&so, so_pin, e) != 0) {
        return -1;
    }
    memset(padded, ' ', sizeof(padded));
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): CK_TOKEN_INFO.label is blank padded */
    memcpy(padded, label, strlen(label));
    rv = m->functions->C_InitToken(fresh.slot, so.p, so.n, padded);
    if (rv != CKR_OK) {
        return module_err(m, rv, "C_InitToken", label, e);
    }
    if (module_find_token(m, label, NULL, out, e) != 0 ||
        set_user_pin(m, out, so_pin, user_pin, e) != 0) {
        return err_wrap(e, "token '%s' was initialised but is not usable", label);
    }
    return module_find_token(m, label, out->serial, out, e);
}
