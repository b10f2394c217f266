/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/interop/conformance_rows.h"

#include "base/mem.h"

#define NONCE "01020304050607080910111213141516"

const struct row firsts[] = {
    {"pvno 1", PVNO, "020101", "error unsupportedVersion signature"},
    {"pvno 4", PVNO, "020104", "error unsupportedVersion signature"},
    {"pvno of five octets", PVNO, "02050100000000", "error unsupportedVersion signature"},
    {"sender is an rfc822Name", SENDER, "81056140622e63", "error badMessageCheck signature"},
    {"no senderKID", SENDER_KID, "", "error badMessageCheck signature"},
    {"senderKID that nobody has", SENDER_KID,
     "a2060404"
     "78787878",
     "error badMessageCheck signature"},
    {"no transactionID", TRANSACTION_ID, "", "error badDataFormat signature"},
    {"transactionID of 64 bits", TRANSACTION_ID,
     "a40a0408"
     "0102030405060708",
     "error badDataFormat signature"},
    {"no senderNonce", SENDER_NONCE, "", "error badSenderNonce signature"},
    {"senderNonce of 64 bits", SENDER_NONCE,
     "a50a0408"
     "0102030405060708",
     "error badSenderNonce signature"},
    {"recipNonce in a first message", SENDER_NONCE, "a5120410" NONCE "a6120410" NONCE,
     "error badRecipientNonce signature"},
    {"messageTime in 1999", TIME,
     "a011180f"
     "31393939303130313030303030305a",
     "error badTime mac"},
    {"messageTime in 2099", TIME,
     "a011180f"
     "32303939303130313030303030305a",
     "error badTime mac"},
    {"messageTime with a fraction", TIME, /* X.690 11.7: it is read */
     "a0151813"
     "31393939303130313030303030302e3132335a",
     "error badTime mac"},
    {"messageTime with a fraction that ends in 0", TIME,
     "a0141812"
     "31393939303130313030303030302e31305a",
     "error badDataFormat signature"},
    {"messageTime with a comma", TIME,
     "a0131811"
     "31393939303130313030303030302c315a",
     "error badDataFormat signature"},
    {"messageTime that is none", TIME,
     "a011180f"
     "32303236313334313030303030305a",
     "error badDataFormat signature"},
    {"protection without protectionAlg", ALGORITHM, "", "error badMessageCheck signature"},
    {"protectionAlg that nobody knows", ALGORITHM_OID, "06032a0304", "error badAlg signature"},
    {"PBM: 50 iterations", PBM_ITERATIONS, "020132", "error badAlg signature"},
    {"PBM: 99,999 iterations", PBM_ITERATIONS,
     "0203"
     "01869f",
     "error badAlg signature"},
    {"PBM: MD5", PBM_OWF, "06082a864886f70d0205", "error badAlg signature"},
    /* an unbounded loop while a row is locked; PBKDF2 has no bound of its own */
    {"OmniTrust-1989: 2^31-1 iterations", PBM_ITERATIONS, "02047fffffff", "error badAlg signature"},
    {"OmniTrust-1989: a negative count", PBM_ITERATIONS, "0201ff", "error badAlg signature"},
    {"OpenSSL-32372: PBKDF2 with 2^31-1 iterations", ALGORITHM,
     "a13d303b06092a864886f70d01050e302e" /* PBMAC1 { PBKDF2 { salt, count }, HMAC-SHA256 } */
     "301e06092a864886f70d01050c3011"
     "0409010203040506070809"
     "02047fffffff"
     "300c06082a864886f70d02090500",
     "error badAlg signature"},
    {"CVE-2024-36066: salt of 6 octets", PBM_SALT, "0406010203040506", "error badAlg signature"},
    /* protectionAlg whose parameters are of another type */
    {"CVE-2026-63076: PBM, parameters absent", ALGORITHM, "a10d300b06092a864886f67d07420d",
     "error badAlg signature"},
    {"CVE-2026-63076: PBM, parameters NULL", ALGORITHM, "a10f300d06092a864886f67d07420d0500",
     "error badAlg signature"},
    {"CVE-2026-63076: PBM, parameters INTEGER", ALGORITHM, "a110300e06092a864886f67d07420d020101",
     "error badAlg signature"},
    {"CVE-2026-63076: PBM, parameters OCTET STRING", ALGORITHM,
     "a110300e06092a864886f67d07420d040101", "error badAlg signature"},
    {"CVE-2026-63076: PBMAC1, parameters BOOLEAN", ALGORITHM,
     "a110300e06092a864886f70d01050e0101ff", "error badAlg signature"},
    {"CVE-2026-63076: ECDSA, parameters SEQUENCE", ALGORITHM, "a10e300c06082a8648ce3d0403023000",
     "error badAlg signature"},

    {"body of a type that does not exist", BODY, "bb023000", "error badDataFormat signature"},
    {"body is an INTEGER", CONTENT, "020100", "ip badDataFormat mac"},
    {"CVE-2026-40097: no request in it", CONTENT, "3000", "ip badRequest mac"},
    {"CVE-2026-40097: an empty request", REQUEST, "3000", "ip badDataFormat mac"},
    {"CVE-2026-40097: an empty template and no more", TEMPLATE, "3000", "ip badCertTemplate mac"},
    {"two requests", REQUEST, "=", "ip badRequest mac"},
    {"certReqId 1", CERT_REQ_ID, "020101", "ip badRequest mac"},
    {"certReqId -1", CERT_REQ_ID, "0201ff", "ip badRequest mac"},
    {"no proof of possession", POP, "", "ip badPOP mac"},
    {"raVerified", POP, "8000", "ip notAuthorized mac"},
    {"proof of possession by a subsequent message", POP, "a203810100", "ip badPOP mac"},
    {"proof of possession with another signature", POP ".1", "0309003006020101020101",
     "ip badPOP mac"},
    {"CVE-2025-9230: proof of possession in an EnvelopedData", POP,
     "a214a412"
     "0201023100300b06092a864886f70d010701",
     "ip badPOP mac"},
    {"certReqId that is not DER", CERT_REQ_ID, "02020000", "error badDataFormat signature"},
    {"no public key", PUBLIC_KEY, "", "ip badCertTemplate mac"},
    {"neither subject nor name", SUBJECT, "", "ip badCertTemplate mac"},
    {"another organization", SUBJECT, "a511300f310d300b060355040a0c044576696c",
     "ip notAuthorized mac"},
    {"another country", SUBJECT, "a50f300d310b3009060355040613025858", "ip notAuthorized mac"},
    {"template of version 1", SUBJECT, "800100", "ip badCertTemplate mac"},
    {"template with a serial number", SUBJECT, "810101", "ip badCertTemplate mac"},
    /* strings whose length is no multiple of their characters' */
    {"CVE-2026-7383: BMPString of three octets", SUBJECT, "a510300e310c300a06035504031e03004100",
     "ip badDataFormat mac"},
    {"CVE-2026-7383: UniversalString of five octets", SUBJECT,
     "a5123010310e300c06035504031c050000004100", "ip badDataFormat mac"},
    {"CVE-2026-34180: a name that ends in a head", SUBJECT, "a50830063104300206003000",
     "error badDataFormat signature"},
    /* a control, pkiArchiveOptions, with an EncryptedValue that lacks what would be read */
    {"CVE-2026-42767: EncryptedValue of nothing", TEMPLATE,
     "!30143012"
     "06092b0601050507050104"
     "a0053003030100",
     "ip badPOP mac"},
};
const size_t n_firsts = ARRAY_LEN(firsts);

const struct row signed_firsts[] = {
    {"sender is not the subject of the certificate", SENDER,
     "a411300f310d300b06035504030c044576696c", "error badMessageCheck signature"},
    {"senderKID is not the key identifier", SENDER_KID,
     "a2060404"
     "78787878",
     "error badMessageCheck signature"},
    {"signature with SHA-1", ALGORITHM, "a10b300906072a8648ce3d0401", "error badAlg signature"},
    {"signature with MD5 and RSA", ALGORITHM, "a10f300d06092a864886f70d0101040500",
     "error badAlg signature"},
    {"signature of DSA", ALGORITHM, "a10d300b0609608648016503040302", "error badAlg signature"},
    {"signature said to be of another digest", ALGORITHM, "a10c300a06082a8648ce3d040303",
     "error badMessageCheck signature"},
    {"signed: certReqId 1", CERT_REQ_ID, "020101", "ip badRequest signature"},
    {"signed: no proof of possession", POP, "", "ip badPOP signature"},
};
const size_t n_signed_firsts = ARRAY_LEN(signed_firsts);

const struct row laters[] = {
    {"certConf: no recipNonce", RECIP_NONCE, "", "error badRecipientNonce signature"},
    {"certConf: recipNonce that was not ours", RECIP_NONCE, "a6120410" NONCE,
     "error badRecipientNonce mac"},
    {"certConf: no transactionID", TRANSACTION_ID, "", "error badDataFormat signature"},
    {"certConf: of another transaction", TRANSACTION_ID, "a4120410" NONCE,
     "error badRequest signature"},
    {"certConf: no senderNonce", SENDER_NONCE, "", "error badSenderNonce signature"},
    {"certConf: hash of another certificate", CERT_HASH,
     "0404"
     "01020304",
     "error badCertId mac"},
    {"certConf: certReqId 1", CONFIRM_ID, "020101", "error badRequest mac"},
    {"certConf: two CertStatus", CERT_STATUS, "=", "error badRequest mac"},
    {"CVE-2026-40097: certConf: an empty CertStatus", CERT_STATUS, "3000",
     "error badDataFormat mac"},
    {"certConf: status that does not exist", CERT_STATUS ".2", "3003020163",
     "error badDataFormat mac"},
};
const size_t n_laters = ARRAY_LEN(laters);
