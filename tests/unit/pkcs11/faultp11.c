/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A PKCS #11 module in front of SoftHSM for tests. The environment variable FAULTP11 says what goes
 * wrong; it is read at every call, so that a test can change it, and may hold several words:
 *   final-try   C_GetTokenInfo sets CKF_USER_PIN_FINAL_TRY
 *   locked      C_GetTokenInfo sets CKF_USER_PIN_LOCKED
 *   no-login    C_Login ends the process: it must not be called
 *   bad-sign    C_Sign gives a signature with one bit flipped
 *   sign-fails  C_Sign gives CKR_DEVICE_ERROR
 *   hang        C_Sign does not come back
 *   slow        C_Sign takes two milliseconds, in which the process waits, as for a token far away
 *   stands:F    when the file $FAULTP11_FILE is there, C_Sign does not come back, and C_Login not
 *               before it has gone
 *   no-random   C_GenerateRandom gives CKR_DEVICE_REMOVED
 *   wrong:C:T   C_GetAttributeValue flips a bit of attribute T (hex) of objects of class C (hex)
 *   utf-8       C_GetTokenInfo has a serial number and a model with other letters than ASCII's
 *   latin-1     the same, but in no UTF-8, and with a control character
 *   proxy       C_GetInfo says what p11-kit's proxy says
 *   vendor      library, slot and token say that a vendor has made them
 *   half-soft   the same, but a token that is initialised says that it is SoftHSM's
 *   stuck       C_GenerateRandom gives the same octet again and again
 *   allows      C_SetAttributeValue says that it did what it did not do
 *   other-mac   C_Sign gives another HMAC to a fresh process of nfpki-ceremony
 *   unreadable  C_GetAttributeValue does not tell the class of an object
 *   gone:C:T    C_GetAttributeValue does not know attribute T of objects of class C
 *   to-change   C_GetTokenInfo sets CKF_USER_PIN_TO_BE_CHANGED
 *   full        C_GetTokenInfo calls every token initialised
 *   short-sign  C_Sign gives one octet less than there are
 *   fails:F     function F gives CKR_DEVICE_ERROR
 *   later:F     the same while the file $FAULTP11_FILE is there
 *   dies:F      function F, C_DestroyObject, ends the process, with the exit status 77
 *   allows:F    function F says CKR_OK and does nothing; for C_SetAttributeValue and
 *               C_GetAttributeValue followed by :T, for C_SignInit by :M, attribute and mechanism
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <p11-kit/pkcs11.h>

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST ours;

static int
wanted(const char *fault)
{
    const char *faults = getenv("FAULTP11");

    return faults != NULL && strstr(faults, fault) != NULL;
}

/* Is this one of the words? */
static int
is_word(const char *word)
{
    const char *faults = getenv("FAULTP11");
    size_t n = strlen(word);

    while (faults != NULL && *faults != '\0') {
        size_t length = strcspn(faults, " ");

        if (length == n && strncmp(faults, word, n) == 0) {
            return 1;
        }
        faults += length + (faults[length] == ' ' ? 1 : 0);
    }
    return 0;
}

/* The file of such a word is there. */
static int
stands(const char *word)
{
    const char *path = getenv("FAULTP11_FILE");

    return is_word(word) && path != NULL && access(path, F_OK) == 0;
}

static int
fails(const char *function)
{
    char word[64];

    (void)snprintf(word, sizeof(word), "later:%s", function);
    if (stands(word)) {
        return 1;
    }
    (void)snprintf(word, sizeof(word), "fails:%s", function);
    return is_word(word);
}

static int
allows(const char *function)
{
    char word[64];

    (void)snprintf(word, sizeof(word), "allows:%s", function);
    return is_word(word);
}

static int
allows_type(const char *function, unsigned long type)
{
    char word[64];

    (void)snprintf(word, sizeof(word), "allows:%s:%lx", function, type);
    return is_word(word);
}

/* Functions that do nothing but fail where they must. */
#define FAILING(name, parameters, arguments)                                                       \
    static CK_RV name##_or_fail parameters                                                         \
    {                                                                                              \
        return fails(#name) ? CKR_DEVICE_ERROR : real->name arguments;                             \
    }

FAILING(C_OpenSession,
        (CK_SLOT_ID slot, CK_FLAGS flags, void *context, CK_NOTIFY notify, CK_SESSION_HANDLE *out),
        (slot, flags, context, notify, out))
FAILING(C_FindObjectsInit, (CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n),
        (session, template, n))
FAILING(C_FindObjects,
        (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *out, CK_ULONG max, CK_ULONG *n),
        (session, out, max, n))
FAILING(C_GenerateKeyPair,
        (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *public,
         CK_ULONG n_public, CK_ATTRIBUTE *private, CK_ULONG n_private, CK_OBJECT_HANDLE *out,
         CK_OBJECT_HANDLE *out_private),
        (session, mechanism, public, n_public, private, n_private, out, out_private))
FAILING(C_GenerateKey,
        (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_ATTRIBUTE *template, CK_ULONG n,
         CK_OBJECT_HANDLE *out),
        (session, mechanism, template, n, out))
FAILING(C_GetSlotList, (CK_BBOOL present, CK_SLOT_ID *out, CK_ULONG *n), (present, out, n))
FAILING(C_InitToken, (CK_SLOT_ID slot, unsigned char *pin, CK_ULONG n, unsigned char *label),
        (slot, pin, n, label))
FAILING(C_InitPIN, (CK_SESSION_HANDLE session, unsigned char *pin, CK_ULONG n), (session, pin, n))
FAILING(C_Logout, (CK_SESSION_HANDLE session), (session))
FAILING(C_Initialize, (void *arguments), (arguments))

FAILING(C_CreateObject,
        (CK_SESSION_HANDLE session, CK_ATTRIBUTE *template, CK_ULONG n, CK_OBJECT_HANDLE *out),
        (session, template, n, out))

static CK_RV
destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    if (is_word("dies:C_DestroyObject")) {
        _exit(77);
    }
    return fails("C_DestroyObject") ? CKR_DEVICE_ERROR : real->C_DestroyObject(session, object);
}

static CK_RV
sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (fails("C_SignInit")) {
        return CKR_DEVICE_ERROR;
    }
    return allows_type("C_SignInit", mechanism->mechanism)
               ? CKR_OK
               : real->C_SignInit(session, mechanism, key);
}

static CK_RV
set_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a, CK_ULONG n)
{
    return is_word("allows") || allows_type("C_SetAttributeValue", a->type)
               ? CKR_OK
               : real->C_SetAttributeValue(session, object, a, n);
}

static CK_RV
copy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template, CK_ULONG n,
            CK_OBJECT_HANDLE *out)
{
    return allows("C_CopyObject") ? CKR_OK : real->C_CopyObject(session, object, template, n, out);
}

static CK_RV
wrap_key(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE wrapping,
         CK_OBJECT_HANDLE key, unsigned char *out, CK_ULONG *n)
{
    return allows("C_WrapKey") ? CKR_OK
                               : real->C_WrapKey(session, mechanism, wrapping, key, out, n);
}

/* Blank padded, as all texts of PKCS #11. */
static void
put(unsigned char *field, size_t size, const char *text)
{
    memset(field, ' ', size);
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
    memcpy(field, text, strlen(text) < size ? strlen(text) : size);
}

static CK_RV
get_info(CK_INFO *info)
{
    CK_RV rv = fails("C_GetInfo") ? CKR_DEVICE_ERROR : real->C_GetInfo(info);

    if (wanted("proxy")) {
        put(info->manufacturerID, sizeof(info->manufacturerID), "PKCS#11 Kit");
        put(info->libraryDescription, sizeof(info->libraryDescription), "PKCS#11 Kit Proxy Module");
    }
    if (wanted("vendor") || wanted("half-soft")) {
        put(info->manufacturerID, sizeof(info->manufacturerID), "Vendor");
        put(info->libraryDescription, sizeof(info->libraryDescription), "Vendor HSM");
    }
    return rv;
}

static CK_RV
get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    CK_RV rv = real->C_GetSlotInfo(slot, info);

    if (wanted("vendor") || wanted("half-soft")) {
        put(info->manufacturerID, sizeof(info->manufacturerID), "Vendor");
        put(info->slotDescription, sizeof(info->slotDescription), "Slot 1");
    }
    return rv;
}

static CK_RV
get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = fails("C_GetTokenInfo") ? CKR_DEVICE_ERROR : real->C_GetTokenInfo(slot, info);

    if (wanted("to-change")) {
        info->flags |= CKF_USER_PIN_TO_BE_CHANGED;
    }
    if (wanted("full")) {
        info->flags |= CKF_TOKEN_INITIALIZED;
    }
    if (wanted("final-try")) {
        info->flags |= CKF_USER_PIN_FINAL_TRY;
    }
    if (wanted("locked")) {
        info->flags |= CKF_USER_PIN_LOCKED;
    }
    if (wanted("utf-8")) {
        put(info->serialNumber, sizeof(info->serialNumber), "N\xc2\xba 4711 \xc3\xa9");
        put(info->model, sizeof(info->model), "Mod\xc3\xa8le 3");
    }
    if (wanted("latin-1")) {
        put(info->serialNumber, sizeof(info->serialNumber), "N\xba 4711\x1b[31m");
        put(info->model, sizeof(info->model), "Mod\xe8le 3");
    }
    if (wanted("vendor") || (wanted("half-soft") && (info->flags & CKF_TOKEN_INITIALIZED) == 0)) {
        put(info->manufacturerID, sizeof(info->manufacturerID), "Vendor");
        put(info->model, sizeof(info->model), "Model 3");
    }
    return rv;
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n)
{
    if (wanted("no-login")) {
        _exit(99);
    }
    while (stands("stands:C_Login")) {
        (void)usleep(10000);
    }
    return real->C_Login(session, user, pin, n);
}

/* Is this process the one that nfpki-ceremony starts to look for a key? */
static int
is_fresh_process(void)
{
    char line[256] = {0};
    FILE *file = fopen("/proc/self/cmdline", "re");
    size_t n = file == NULL ? 0 : fread(line, 1, sizeof(line) - 1, file);

    if (file != NULL) {
        (void)fclose(file);
    }
    return memmem(line, n, "--self-check", 12) != NULL;
}

static CK_RV
sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG n, unsigned char *out,
     CK_ULONG *n_out)
{
    CK_RV rv;

    int hangs = wanted("hang") || stands("stands:C_Sign");

    while (hangs) {
        (void)pause();
    }
    if (wanted("sign-fails")) {
        return CKR_DEVICE_ERROR;
    }
    if (allows("C_Sign")) {
        return CKR_OK;
    }
    if (is_word("slow")) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 2000 * 1000}, NULL);
    }
    rv = real->C_Sign(session, data, n, out, n_out);
    if (rv == CKR_OK && wanted("short-sign")) {
        (*n_out)--;
    }
    if (rv == CKR_OK && wanted("bad-sign")) {
        out[*n_out - 1] ^= 1;
    }
    if (rv == CKR_OK && *n_out == 32 && wanted("other-mac") && is_fresh_process()) {
        out[31] ^= 1;
    }
    return rv;
}

static CK_RV
generate_random(CK_SESSION_HANDLE session, unsigned char *out, CK_ULONG n)
{
    if (wanted("stuck")) {
        memset(out, 7, n);
        return CKR_OK;
    }
    return wanted("no-random") ? CKR_DEVICE_REMOVED : real->C_GenerateRandom(session, out, n);
}

/* Is FAULTP11 exactly "fault:class:type" for this object and attribute? */
static int
hits(const char *fault, CK_OBJECT_CLASS class, CK_ATTRIBUTE_TYPE type)
{
    char text[64];
    const char *faults = getenv("FAULTP11");

    (void)snprintf(text, sizeof(text), "%s:%lx:%lx", fault, class, type);
    return faults != NULL && strcmp(faults, text) == 0;
}

static CK_RV
get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *a, CK_ULONG n)
{
    CK_OBJECT_CLASS class = 0;
    CK_ATTRIBUTE asked = {CKA_CLASS, &class, sizeof(class)};
    CK_RV rv = real->C_GetAttributeValue(session, object, &asked, 1);

    if (fails("C_GetAttributeValue")) {
        return CKR_DEVICE_ERROR;
    }
    if (rv != CKR_OK || (wanted("unreadable") && a[0].type == CKA_CLASS)) {
        return rv != CKR_OK ? rv : CKR_ATTRIBUTE_SENSITIVE;
    }
    if (allows_type("C_GetAttributeValue", a->type)) {
        return CKR_OK;
    }
    rv = real->C_GetAttributeValue(session, object, a, n);
    for (CK_ULONG i = 0; i < n; i++) {
        if (hits("gone", class, a[i].type)) {
            a[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
            rv = CKR_ATTRIBUTE_TYPE_INVALID;
        } else if (hits("wrong", class, a[i].type) && rv == CKR_OK && a[i].pValue != NULL &&
                   a[i].ulValueLen > 0) {
            *(unsigned char *)a[i].pValue ^= 1;
        }
    }
    return rv;
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    void *library = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_NODELETE);
    CK_RV (*get)(CK_FUNCTION_LIST **) = NULL;
    void *symbol = library == NULL ? NULL : dlsym(library, "C_GetFunctionList");

    if (symbol == NULL) {
        return CKR_GENERAL_ERROR;
    }
    memcpy(&get, &symbol, sizeof(get));
    if (get(&real) != CKR_OK) {
        return CKR_GENERAL_ERROR;
    }
    ours = *real;
    ours.C_GetInfo = get_info;
    ours.C_GetSlotInfo = get_slot_info;
    ours.C_GetTokenInfo = get_token_info;
    ours.C_Login = login;
    ours.C_Sign = sign;
    ours.C_SignInit = sign_init;
    ours.C_CreateObject = C_CreateObject_or_fail;
    ours.C_DestroyObject = destroy_object;
    ours.C_SetAttributeValue = set_attribute_value;
    ours.C_CopyObject = copy_object;
    ours.C_WrapKey = wrap_key;
    ours.C_OpenSession = C_OpenSession_or_fail;
    ours.C_FindObjectsInit = C_FindObjectsInit_or_fail;
    ours.C_FindObjects = C_FindObjects_or_fail;
    ours.C_GenerateKeyPair = C_GenerateKeyPair_or_fail;
    ours.C_GenerateKey = C_GenerateKey_or_fail;
    ours.C_GetSlotList = C_GetSlotList_or_fail;
    ours.C_InitToken = C_InitToken_or_fail;
    ours.C_InitPIN = C_InitPIN_or_fail;
    ours.C_Logout = C_Logout_or_fail;
    ours.C_Initialize = C_Initialize_or_fail;
    ours.C_GenerateRandom = generate_random;
    ours.C_GetAttributeValue = get_attribute_value;
    *list = &ours;
    return CKR_OK;
}
