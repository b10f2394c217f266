/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/ossl.h"
#include "pkcs11/key.h"
#include "pkcs11/key_public.h"

/* Template of one half: the policy's rows, then CKA_ID and CKA_LABEL. */
static size_t
make_template(const struct key_policy *policy, enum key_algorithm algorithm, enum key_half half,
              uint8_t id[KEY_ID_SIZE], char *label, CK_ATTRIBUTE out[KEY_TEMPLATE_MAX + 2])
{
    size_t n = key_policy_template(policy, algorithm, half, out);

    out[n++] = (CK_ATTRIBUTE){CKA_ID, id, KEY_ID_SIZE};
    out[n++] = (CK_ATTRIBUTE){CKA_LABEL, label, strlen(label)};
    return n;
}

/* CKA_LABEL is for people and never looked up, but it is in the template (ceremony inventory). */
static int
check_label(struct session *session, CK_OBJECT_HANDLE object, const char *half, const char *label,
            struct err *e)
{
    char value[KEY_LABEL_MAX + 1];
    CK_ATTRIBUTE a = {CKA_LABEL, value, sizeof(value)};
    CK_RV rv = module_functions(session_module(session))
                   ->C_GetAttributeValue(session_handle(session), object, &a, 1);

    if (rv != CKR_OK || a.ulValueLen > sizeof(value)) {
        (void)session_err(session, rv, "C_GetAttributeValue", e);
        e->code = ERR_TOKEN;
        return err_wrap(e, "the %s key has no readable CKA_LABEL", half);
    }
    if (!span_equal(span_of(value, a.ulValueLen), span_str(label))) {
        return err_set(e, ERR_TOKEN, "token '%s': the %s key has another CKA_LABEL than '%s'",
                       session_token(session)->label, half, label);
    }
    return 0;
}

int
key_generate(struct session *session, const struct key_policy *policy, enum key_algorithm algorithm,
             const char *label, uint8_t id[KEY_ID_SIZE], struct buf *spki, struct err *e)
{
    CK_MECHANISM mechanism = {key_generation_mechanism(algorithm), NULL, 0};
    CK_ATTRIBUTE private[KEY_TEMPLATE_MAX + 2];
    CK_ATTRIBUTE public[KEY_TEMPLATE_MAX + 2];
    CK_OBJECT_HANDLE private_key = 0;
    CK_OBJECT_HANDLE public_key = 0;
    char label_copy[KEY_LABEL_MAX + 1];
    size_t n_private;
    size_t n_public;
    struct span id_span = span_of(id, KEY_ID_SIZE);
    CK_RV rv;

    if (label[0] == '\0' || strlen(label) > KEY_LABEL_MAX) {
        return err_set(e, ERR_INPUT, "the key label '%s' must have 1 to %d octets", label,
                       KEY_LABEL_MAX);
    }
    (void)snprintf(label_copy, sizeof(label_copy), "%s", label);
    /* Random: the public key is not known yet, and CKA_MODIFIABLE=FALSE forbids setting it later.
     */
    if (random_bytes(id, KEY_ID_SIZE, e) != 0) {
        return -1;
    }
    n_private = make_template(policy, algorithm, KEY_PRIVATE, id, label_copy, private);
    n_public = make_template(policy, algorithm, KEY_PUBLIC, id, label_copy, public);
    rv = module_functions(session_module(session))
             ->C_GenerateKeyPair(session_handle(session), &mechanism, public, n_public, private,
                                 n_private, &public_key, &private_key);
    if (rv != CKR_OK) {
        return session_err(session, rv, "C_GenerateKeyPair", e);
    }
    if (key_policy_check(session, policy, algorithm, KEY_PRIVATE, private_key, id_span, NULL, NULL,
                         e) != 0 ||
        key_policy_check(session, policy, algorithm, KEY_PUBLIC, public_key, id_span, NULL, NULL,
                         e) != 0 ||
        check_label(session, private_key, "private", label, e) != 0 ||
        check_label(session, public_key, "public", label, e) != 0) {
        return -1;
    }
    return key_public_read(session, algorithm, public_key, spki, e);
}

int
key_sync(const char *token_directory, struct err *e)
{
    return token_directory == NULL ? 0 : file_sync_tree(token_directory, e);
}
