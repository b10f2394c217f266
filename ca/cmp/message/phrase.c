/* SPDX-License-Identifier: Apache-2.0 */
#include "ca/cmp/message/phrase.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define OF(failure) [1 + (failure)]

static const struct phrase_row rows[PHRASE_COUNT] = {
    /* ---- a failInfo's own: what is said when there is nothing particular to say ---- */
    OF(CMP_BAD_ALG) = {CMP_BAD_ALG, FAULT_NF,
                       "algorithm or its parameters are not accepted: "
                       "use one of RFC 9481 with the parameters of its RFC"},
    OF(CMP_BAD_MESSAGE_CHECK) = {CMP_BAD_MESSAGE_CHECK, FAULT_NF,
                                 "protection is missing or did not verify: "
                                 "check reference and secret, or key and certificate"},
    OF(CMP_BAD_REQUEST) = {CMP_BAD_REQUEST, FAULT_NF,
                           "this request is not supported or not expected now: "
                           "begin a new transaction, as RFC 9483 4 has it"},
    OF(CMP_BAD_TIME) = {CMP_BAD_TIME, FAULT_NF,
                        "messageTime is missing or too far from the time here: "
                        "set the clock"},
    OF(CMP_BAD_CERT_ID) = {CMP_BAD_CERT_ID, FAULT_NF,
                           "no certificate matches: "
                           "name the right one by issuer and serial number"},
    OF(CMP_BAD_DATA_FORMAT) = {CMP_BAD_DATA_FORMAT, FAULT_NF,
                               "message is not as RFC 9810 describes it: "
                               "mend the client"},
    OF(CMP_WRONG_AUTHORITY) = {CMP_WRONG_AUTHORITY, FAULT_NF,
                               "this is not the authority that was named: "
                               "name the issuing CA, or none"},
    OF(CMP_INCORRECT_DATA) = {CMP_INCORRECT_DATA, FAULT_NF,
                              "data of the requester is incorrect: "
                              "ask for what is registered"},
    OF(CMP_MISSING_TIME_STAMP) = {CMP_MISSING_TIME_STAMP, FAULT_NF,
                                  "a time stamp is missing: "
                                  "add it"},
    OF(CMP_BAD_POP) = {CMP_BAD_POP, FAULT_NF,
                       "proof of possession is missing or did not verify: "
                       "sign with the key that is asked for"},
    OF(CMP_CERT_REVOKED) = {CMP_CERT_REVOKED, FAULT_OPERATOR,
                            "the certificate is revoked: "
                            "have the operator register the network function anew"},
    OF(CMP_CERT_CONFIRMED) = {CMP_CERT_CONFIRMED, FAULT_NF,
                              "the certificate is confirmed already: "
                              "nothing is left to do in this transaction"},
    OF(CMP_WRONG_INTEGRITY) = {CMP_WRONG_INTEGRITY, FAULT_NF,
                               "this kind of protection is not accepted here: "
                               "protect as registered, the whole transaction alike"},
    OF(CMP_BAD_RECIPIENT_NONCE) = {CMP_BAD_RECIPIENT_NONCE, FAULT_NF,
                                   "recipNonce is not the one expected: "
                                   "repeat the senderNonce of the last answer"},
    OF(CMP_TIME_NOT_AVAILABLE) = {CMP_TIME_NOT_AVAILABLE, FAULT_PKI,
                                  "no trusted time is available: "
                                  "try again later"},
    OF(CMP_UNACCEPTED_POLICY) = {CMP_UNACCEPTED_POLICY, FAULT_NF,
                                 "the policy is not accepted: "
                                 "ask for none"},
    OF(CMP_UNACCEPTED_EXTENSION) = {CMP_UNACCEPTED_EXTENSION, FAULT_NF,
                                    "an extension is not accepted: "
                                    "leave it out"},
    OF(CMP_ADD_INFO_NOT_AVAILABLE) = {CMP_ADD_INFO_NOT_AVAILABLE, FAULT_NF,
                                      "issuer, serialNumber or reasonCode is missing: "
                                      "add it"},
    OF(CMP_BAD_SENDER_NONCE) = {CMP_BAD_SENDER_NONCE, FAULT_NF,
                                "senderNonce is missing or shorter than 128 bits: "
                                "send 16 new random octets in each message"},
    OF(CMP_BAD_CERT_TEMPLATE) = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                                 "the template is not accepted: "
                                 "ask for the registered names, a new key, and nothing else"},
    OF(CMP_SIGNER_NOT_TRUSTED) =
        {CMP_SIGNER_NOT_TRUSTED, FAULT_OPERATOR,
         "the certificate that signs has no valid path to a root trusted here: "
         "renew it, or ask the operator"},
    OF(CMP_TRANSACTION_ID_IN_USE) = {CMP_TRANSACTION_ID_IN_USE, FAULT_NF,
                                     "transactionID has been used already: "
                                     "begin again with 16 new random octets"},
    OF(CMP_UNSUPPORTED_VERSION) = {CMP_UNSUPPORTED_VERSION, FAULT_NF,
                                   "pvno is neither 2 nor 3: "
                                   "send cmp2000 (2)"},
    OF(CMP_NOT_AUTHORIZED) = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                              "the requester is not authorized for this: "
                              "have the operator register it"},
    OF(CMP_SYSTEM_UNAVAIL) = {CMP_SYSTEM_UNAVAIL, FAULT_PKI,
                              "not available now: "
                              "try again later"},
    OF(CMP_SYSTEM_FAILURE) = {CMP_SYSTEM_FAILURE, FAULT_PKI,
                              "the system failed: "
                              "try again later"},
    OF(CMP_DUPLICATE_CERT_REQ) = {CMP_DUPLICATE_CERT_REQ, FAULT_NF,
                                  "a certificate was issued to this key already: "
                                  "make a new key"},

    /* ---- form ---- */
    [PHRASE_FORM] = {CMP_BAD_DATA_FORMAT, FAULT_NF,
                     "{} is not as RFC 9810 describes it: "
                     "mend the client"},
    [PHRASE_BODY] = {CMP_BAD_REQUEST, FAULT_NF,
                     "body {} is not accepted here: "
                     "send ir, cr, kur, p10cr, rr or genm"},
    [PHRASE_UNPROTECTED] = {CMP_BAD_MESSAGE_CHECK, FAULT_NF,
                            "the message is not protected: "
                            "protect it with the registered secret, key or certificate"},
    [PHRASE_PROTECTION_ALG] = {CMP_BAD_ALG, FAULT_NF,
                               "protectionAlg is not accepted: "
                               "use PBMAC1, PasswordBasedMac or a signature of RFC 9481"},
    [PHRASE_PBM] = {CMP_BAD_ALG, FAULT_NF,
                    "PasswordBasedMac with {} are taken here: "
                    "set the client so"},
    [PHRASE_PBMAC1] = {CMP_BAD_ALG, FAULT_NF,
                       "PBMAC1 with {} are taken here: "
                       "set the client so"},
    [PHRASE_SENDER] = {CMP_BAD_MESSAGE_CHECK, FAULT_NF,
                       "sender is not a directoryName: "
                       "put the subject of the protection certificate there, or any name"},
    [PHRASE_NO_REFERENCE] = {CMP_BAD_MESSAGE_CHECK, FAULT_NF,
                             "senderKID is no reference: "
                             "put the registered reference there"},
    [PHRASE_NO_SIGNER] = {CMP_BAD_MESSAGE_CHECK, FAULT_NF,
                          "the first of extraCerts is not the certificate that signs: "
                          "send it there (RFC 9483 3.3)"},
    [PHRASE_NO_SENDER_KID] = {CMP_BAD_MESSAGE_CHECK, FAULT_NF,
                              "senderKID is missing: "
                              "send the key identifier of the certificate that signs"},
    [PHRASE_RECIPIENT] = {CMP_WRONG_AUTHORITY, FAULT_NF,
                          "recipient is none of us: "
                          "put the name of the RA or of the issuing CA there, or the empty name"},
    [PHRASE_TRANSACTION_ID] = {CMP_BAD_DATA_FORMAT, FAULT_NF,
                               "transactionID is missing or shorter than 128 bits: "
                               "send 16 random octets"},
    [PHRASE_FIRST_RECIP_NONCE] = {CMP_BAD_RECIPIENT_NONCE, FAULT_NF,
                                  "recipNonce in the first message of a transaction: "
                                  "leave it out"},
    [PHRASE_NO_RECIP_NONCE] = {CMP_BAD_RECIPIENT_NONCE, FAULT_NF,
                               "recipNonce is missing: "
                               "repeat the senderNonce of the last answer"},
    [PHRASE_NO_TIME] = {CMP_BAD_TIME, FAULT_NF,
                        "messageTime is missing: "
                        "send it"},
    [PHRASE_TIME_OFF] = {CMP_BAD_TIME, FAULT_NF,
                         "messageTime is {} the time here: "
                         "set the clock"},
    [PHRASE_WAIT_TIME] = {CMP_BAD_REQUEST, FAULT_NF,
                          "implicitConfirm with a confirmWaitTime, which is the server's to set: "
                          "leave that out"},
    [PHRASE_IMPLICIT_VALUE] = {CMP_BAD_DATA_FORMAT, FAULT_NF,
                               "implicitConfirm is not NULL: "
                               "send the value NULL"},
    [PHRASE_PATH_OPERATION] = {CMP_BAD_REQUEST, FAULT_NF,
                               "the path is for another operation: "
                               "post to /.well-known/cmp"},
    [PHRASE_PATH_PROFILE] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                             "certProfile is not the profile of the path: "
                             "name the same in both, or in one of them"},
    [PHRASE_PROFILE_NAME] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                             "certProfile names no profile: "
                             "name one that is registered, or none"},
    [PHRASE_NESTED] = {CMP_BAD_REQUEST, FAULT_NF,
                       "nested is not one message with its own transactionID and nonces: "
                       "wrap one, as in RFC 9483 5.2.2.1"},
    [PHRASE_GENM] = {CMP_BAD_REQUEST, FAULT_NF,
                     "genm asks for something else, or for several: "
                     "one of caCerts rootCaCert certReqTemplate crlStatusList"},

    /* ---- what a certificate is asked for with ---- */
    [PHRASE_ONE_REQUEST] = {CMP_BAD_REQUEST, FAULT_NF,
                            "not exactly one certificate is asked for: "
                            "ask for one in each transaction"},
    [PHRASE_CERT_REQ_ID] = {CMP_BAD_REQUEST, FAULT_NF,
                            "certReqId is not the one expected: "
                            "send 0, and -1 after p10cr (RFC 9483 4.1)"},
    [PHRASE_PKCS10_VERSION] = {CMP_BAD_DATA_FORMAT, FAULT_NF,
                               "version of the PKCS #10 request is not 0: "
                               "send 0 (RFC 2986 4.1)"},
    [PHRASE_TEMPLATE_VERSION] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                                 "version of the template is not v3: "
                                 "send 2, or none"},
    [PHRASE_TEMPLATE_SURPLUS] =
        {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
         "the template has serialNumber, signingAlg or a unique identifier: "
         "leave them out (RFC 4211 5)"},
    [PHRASE_NO_KEY] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                       "keys are not made here: "
                       "make one, and send its public half"},
    [PHRASE_NO_NAME] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                        "neither subject nor subjectAltName: "
                        "ask for the registered names"},
    [PHRASE_KEY_KIND] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                         "the public key is of a kind, a curve or a size that is not accepted: "
                         "use P-256, P-384 or RSA 3072"},
    [PHRASE_KEY_SIZE] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                         "the RSA key has fewer than 2048 bits, or more than 8192: "
                         "make one of 3072"},
    [PHRASE_KEY_EXPONENT] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                             "weak key: the RSA exponent must be odd, from 65537 to 2^64: "
                             "make a new key with 65537"},
    [PHRASE_KEY_FACTOR] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                           "weak key: the RSA modulus has a small factor: "
                           "make a new key"},
    [PHRASE_KEY_ROCA] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                         "weak key: its generator has the flaw ROCA (CVE-2017-15361): "
                         "make it elsewhere"},
    [PHRASE_KEY_CLOSE] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                          "weak key: the primes of the RSA modulus are too close: "
                          "make it elsewhere"},
    [PHRASE_KEY_PRIME] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                          "weak key: the RSA modulus is a prime or a power of one: "
                          "make it elsewhere"},
    [PHRASE_KEY_LISTED] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                           "weak key: it is on the list of keys that others know: "
                           "make a new one"},
    [PHRASE_SIGNER_LISTED] = {CMP_SIGNER_NOT_TRUSTED, FAULT_NF,
                              "the key that signs is on the list of keys that others know: "
                              "it proves nothing, get another"},
    [PHRASE_KEY_PROFILE] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                            "the profile does not take a key of this kind or size: "
                            "genm signKeyPairTypes tells which it takes"},
    [PHRASE_KEY_TAKEN] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                          "this key is certified to another network function: "
                          "make a new key"},
    [PHRASE_KEY_SAME] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                         "this is the key of the certificate that signs: "
                         "make a new key"},
    [PHRASE_KEY_REGISTERED] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                               "the request does not ask for the registered key that protects it: "
                               "ask for that one, and sign with it"},
    [PHRASE_SUBJECT] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                        "the subject is not the registered one: "
                        "ask for the registered C and O, or for no subject"},
    [PHRASE_ALT_NAME] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                         "a subjectAltName is asked for that is not registered: "
                         "ask for the registered FQDNs and nfInstanceId"},
    [PHRASE_EXTENSION] = {CMP_BAD_CERT_TEMPLATE, FAULT_NF,
                          "the profile does not give an extension that is asked for: "
                          "leave it out, or ask for less in it"},
    [PHRASE_NF_TYPE] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                        "an NF type that is asked for is not registered: "
                        "ask for the registered ones"},
    [PHRASE_OLD_CERT_FORM] = {CMP_BAD_DATA_FORMAT, FAULT_NF,
                              "oldCertID is there twice, or is not a name and a serial number: "
                              "send one, or none"},
    [PHRASE_OLD_CERT] = {CMP_BAD_CERT_ID, FAULT_NF,
                         "oldCertID is not the certificate that signs: "
                         "name that one, or leave the control out"},
    [PHRASE_UPDATE_NAMES] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                             "kur asks for another {}: "
                             "ask for what the old certificate has, or for nothing"},
    [PHRASE_NO_POP] = {CMP_BAD_POP, FAULT_NF,
                       "proof of possession is missing: "
                       "sign with the key that is asked for"},
    [PHRASE_POP_KIND] = {CMP_BAD_POP, FAULT_NF,
                         "proof of possession is not a signature without poposkInput: "
                         "sign certReq with the key that is asked for"},
    [PHRASE_RA_VERIFIED] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                            "raVerified is not accepted: "
                            "sign with the key that is asked for"},
    [PHRASE_POP] = {CMP_BAD_POP, FAULT_NF,
                    "proof of possession did not verify: "
                    "sign with the key that is asked for"},

    /* ---- who asks ---- */
    [PHRASE_PROOF] = {CMP_WRONG_INTEGRITY, FAULT_NF,
                      "the registration wants another proof: "
                      "protect with what is registered: a secret, a key or a certificate"},
    [PHRASE_NOT_REGISTERED] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                               "no live registration for this certificate: "
                               "have the operator register the network function"},
    [PHRASE_PROOF_SHARED] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                             "another registration that is live has the same proof: "
                             "have the operator cancel one of them"},
    [PHRASE_OTHER_CERTIFICATE] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                                  "the certificate that signs is not the registered one: "
                                  "sign with that, or have this one registered"},
    [PHRASE_NOT_OURS] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                         "{} is signed with a certificate of ours: "
                         "send ir where there is none yet"},
    [PHRASE_UPDATE_MAC] = {CMP_WRONG_INTEGRITY, FAULT_NF,
                           "a kur is signed: "
                           "sign with the key of the certificate that it updates"},
    [PHRASE_NO_TRANSACTION] = {CMP_BAD_REQUEST, FAULT_NF,
                               "{} without its transaction: "
                               "begin a new one"},
    [PHRASE_OTHER_PROTECTION] = {CMP_WRONG_INTEGRITY, FAULT_NF,
                                 "the transaction was begun with protection of another kind: "
                                 "protect each message as the first one"},
    [PHRASE_OTHER_CREDENTIALS] = {CMP_BAD_MESSAGE_CHECK, FAULT_NF,
                                  "the transaction was begun with other credentials: "
                                  "protect each message as the first one"},
    [PHRASE_SIGNED_ONLY] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                            "the profile is for signed requests only: "
                            "sign, or ask the operator for another profile"},
    [PHRASE_PROFILE] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                        "the network function is not registered for this profile: "
                        "ask for another, or have it registered"},
    [PHRASE_PROFILE_HELD] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                             "the signing certificate is of profile {}: "
                             "that one updates it, cr asks for another"},
    [PHRASE_NOT_OPEN] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                         "the registration begins at {} by the clock here: "
                         "come again then"},
    [PHRASE_MADE_BEFORE] = {CMP_BAD_TIME, FAULT_NF,
                            "made before the registration, which is of {}: "
                            "set the clock, and ask anew"},
    [PHRASE_ENDED] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                      "the registration ended at {} by the clock here: "
                      "ask the operator for a new one"},
    [PHRASE_CANCELLED] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                          "the registration was cancelled: "
                          "ask the operator for a new one"},
    [PHRASE_USED_UP] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                        "the registration's certificates were all issued: "
                        "renew one by kur, or ask the operator for more"},
    [PHRASE_UNWANTED] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                         "a certificate of this profile was rejected under this registration: "
                         "have the operator register it anew"},
    [PHRASE_SUPERSEDED] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                           "another registration took the place of this certificate's: "
                           "enrol under that one by ir"},
    [PHRASE_EARLY] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                      "too early: "
                      "this certificate may be updated from {} on"},
    [PHRASE_NO_REENROLMENT] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                               "{} is not accepted: "
                               "a certificate of this PKI is updated by kur"},
    [PHRASE_RENEWED] = {CMP_DUPLICATE_CERT_REQ, FAULT_NF,
                        "its renewal {} waits for a certConf: "
                        "confirm it, or ask with a newer messageTime"},
    [PHRASE_RENEWAL_WAITS] = {CMP_DUPLICATE_CERT_REQ, FAULT_NF,
                              "a renewal of this certificate waits for the approval of officers: "
                              "poll for it"},
    [PHRASE_SUCCESSOR] = {CMP_DUPLICATE_CERT_REQ, FAULT_NF,
                          "this certificate was renewed before: "
                          "sign with its successor {}"},
    [PHRASE_SUCCESSOR_REVOKED] = {CMP_DUPLICATE_CERT_REQ, FAULT_OPERATOR,
                                  "this certificate's successor {} is revoked: "
                                  "have the operator register it anew"},
    [PHRASE_TOO_OFTEN] = {CMP_SYSTEM_UNAVAIL, FAULT_NF,
                          "too many renewals were rejected or not confirmed: "
                          "the next is possible from {} on"},
    [PHRASE_BUDGET] = {CMP_SYSTEM_UNAVAIL, FAULT_OPERATOR,
                       "too many transactions were begun under this registration: "
                       "wait as Retry-After says"},

    /* ---- people ---- */
    [PHRASE_WAITING] = {CMP_NO_FAILURE, FAULT_NOBODY,
                        "waiting for approval: "
                        "poll on"},
    [PHRASE_NOT_APPROVED] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                             "rejected by an officer: "
                             "ask the operator"},
    [PHRASE_LATE_APPROVAL] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                              "not approved in time: "
                              "begin again, or ask the operator"},
    [PHRASE_ENDED_WAITING] = {CMP_NOT_AUTHORIZED, FAULT_OPERATOR,
                              "the registration ended while the request waited: "
                              "ask the operator for a new one"},

    /* ---- later messages ---- */
    [PHRASE_CERT_HASH] = {CMP_BAD_CERT_ID, FAULT_NF,
                          "certHash is not the hash of the certificate that was sent: "
                          "hash it as RFC 9810 5.3.18 says"},
    [PHRASE_CERT_STATUS] = {CMP_BAD_REQUEST, FAULT_NF,
                            "certConf is not one status, accepted or rejection: "
                            "confirm the one certificate"},
    [PHRASE_NOTHING_TO_CONFIRM] = {CMP_BAD_REQUEST, FAULT_NF,
                                   "nothing waits for a confirmation in this transaction: "
                                   "begin a new one"},
    [PHRASE_NOT_KEPT] = {CMP_CERT_CONFIRMED, FAULT_NF,
                         "the certificate was rejected, replaced or not confirmed in time: "
                         "it is revoked, begin anew"},
    [PHRASE_POLL_ID] = {CMP_BAD_REQUEST, FAULT_NF,
                        "pollReq is not for the one certReqId of the transaction: "
                        "send that of the request, or -1"},

    /* ---- revocation ---- */
    [PHRASE_REVOKE_MAC] = {CMP_WRONG_INTEGRITY, FAULT_NF,
                           "an rr is signed: "
                           "sign with the key of the certificate that it revokes"},
    [PHRASE_REVOKE_OTHERS] = {CMP_NOT_AUTHORIZED, FAULT_NF,
                              "rr for a certificate that is not the signer's: "
                              "name the certificate that signs, or ask the operator"},
    [PHRASE_REVOKE_UNKNOWN] = {CMP_BAD_CERT_ID, FAULT_NF,
                               "rr for a certificate that was not issued here: "
                               "name it by issuer and serial number"},
    [PHRASE_REVOKE_KEY] = {CMP_BAD_CERT_ID, FAULT_NF,
                           "rr names another key than the certificate's: "
                           "name its own, or none"},
    [PHRASE_REVOKE_AGAIN] = {CMP_CERT_REVOKED, FAULT_NF,
                             "the certificate is revoked already: "
                             "nothing is left to do"},
    [PHRASE_REVOKE_EXPIRED] = {CMP_BAD_CERT_ID, FAULT_NF,
                               "the certificate has expired: "
                               "nothing is left to do"},

    /* ---- ours ---- */
    [PHRASE_GIVEN_UP] = {CMP_SYSTEM_FAILURE, FAULT_PKI,
                         "the system gave this request up: "
                         "send a new one"},
    [PHRASE_LONG_CRL] = {CMP_SYSTEM_FAILURE, FAULT_PKI,
                         "the CRL is too long for a CMP message: "
                         "get it from its distribution point"},
};

const struct phrase_row *
phrase_row(enum phrase phrase)
{
    assert(phrase > PHRASE_NONE && phrase < PHRASE_COUNT);
    return &rows[phrase];
}

enum phrase
phrase_of_failure(enum cmp_failure failure)
{
    return failure >= 0 && (int)failure < CMP_FAILURE_COUNT ? (enum phrase)(1 + (int)failure)
                                                            : phrase_of_failure(CMP_SYSTEM_FAILURE);
}

const char *
phrase_text(enum phrase phrase)
{
    return phrase_row(phrase)->text;
}

void
phrase_format(enum phrase phrase, const char *value, char out[PHRASE_SIZE])
{
    const char *text = phrase_text(phrase);
    const char *hole = strstr(text, PHRASE_HOLE);

    if (hole == NULL) {
        (void)snprintf(out, PHRASE_SIZE, "%s", text);
    } else {
        (void)snprintf(out, PHRASE_SIZE, "%.*s%s%s", (int)(hole - text), text, value,
                       hole + strlen(PHRASE_HOLE));
    }
}

void
phrase_tell(enum cmp_failure failure, const struct err *e, char out[PHRASE_SIZE])
{
    const bool known = e->said > PHRASE_NONE && e->said < PHRASE_COUNT &&
                       phrase_row((enum phrase)e->said)->failure == failure;

    phrase_format(known ? (enum phrase)e->said : phrase_of_failure(failure), e->value, out);
}

static enum err_code
code_of(enum phrase_fault fault)
{
    switch (fault) {
    case FAULT_NF:
        return ERR_INPUT;
    case FAULT_PKI:
        return ERR_BUSY;
    case FAULT_NOBODY:
    case FAULT_OPERATOR:
        break;
    }
    return ERR_DENIED;
}

int
phrase_say(enum cmp_failure *failure, enum phrase phrase, struct err *e)
{
    *failure = phrase_row(phrase)->failure;
    e->said = (int)phrase;
    return -1;
}

int
phrase_refuse_text(enum cmp_failure *failure, enum phrase phrase, struct err *e, const char *fmt,
                   ...)
{
    char text[sizeof(e->text)];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    (void)err_set(e, code_of(phrase_row(phrase)->fault), "%s", text);
    return phrase_say(failure, phrase, e);
}

int
phrase_value(struct err *e, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(e->value, sizeof(e->value), fmt, ap);
    va_end(ap);
    return -1;
}
