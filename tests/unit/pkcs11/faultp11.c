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
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
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

static CK_RV
get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = real->C_GetTokenInfo(slot, info);

    if (wanted("final-try")) {
        info->flags |= CKF_USER_PIN_FINAL_TRY;
    }
    if (wanted("locked")) {
        info->flags |= CKF_USER_PIN_LOCKED;
    }
    return rv;
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, unsigned char *pin, CK_ULONG n)
{
    if (wanted("no-login")) {
        _exit(99);
    }
    return real->C_Login(session, user, pin, n);
}

static CK_RV
sign(CK_SESSION_HANDLE session, unsigned char *data, CK_ULONG n, unsigned char *out,
     CK_ULONG *n_out)
{
    CK_RV rv;

    while (wanted("hang")) {
        (void)pause();
    }
    if (wanted("sign-fails")) {
        return CKR_DEVICE_ERROR;
    }
    rv = real->C_Sign(session, data, n, out, n_out);
    if (rv == CKR_OK && wanted("bad-sign")) {
        out[*n_out - 1] ^= 1;
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
    ours.C_GetTokenInfo = get_token_info;
    ours.C_Login = login;
    ours.C_Sign = sign;
    *list = &ours;
    return CKR_OK;
}
