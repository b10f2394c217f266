/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registration.h - what an operator's registrar states about one network function, signed.
 *
 * A registration is a JSON document inside CMS SignedData. It is the only source of what a
 * certificate says: a request adds a public key and the wish for a profile. RA and CA each verify
 * it from its octets. Pure and thread-safe; struct registration is a value without pointers.
 *
 *   {"version":1, "nfInstanceId":"uuid", "nfTypes":["AMF"], "fqdns":["amf1.5gc.mnc..."],
 *    "homeDomain":"5gc.mnc012.mcc345.3gppnetwork.org", "country":"SE",
 *    "plmns":[{"mcc":"345","mnc":"12"}],
 *    "profiles":[{"name":"nf-tls","maxValidityDays":30}],
 *    "notBefore":"2026-11-23T00:00:00Z", "notAfter":"2026-12-23T00:00:00Z",
 *    "certificates":1, "proof":{"kind":"mac"}}
 *
 * May be missing: plmns (of SEPPs only), maxValidityDays, certificates.
 */
#pragma once

#include <time.h>

#include "base/ossl.h"
#include "ca/x509/profile/nf.h"
#include "ca/x509/profile/profile.h"

enum {
    REGISTRATION_MAX = 32 * 1024,      /* octets of the CMS */
    REGISTRATION_JSON_MAX = 16 * 1024, /* octets of the content */
    REGISTRATION_ID_SIZE = 33,         /* hex text with its NUL */
    REGISTRATION_PROFILES_MAX = 8,
    REGISTRATION_CERTIFICATES_MAX = 1000,
    REGISTRATION_DN_SIZE = 513,
};

enum proof_kind { PROOF_MAC, PROOF_CERTIFICATE, PROOF_VENDOR, PROOF_PUBLIC_KEY };

/* How the network function shows that it is the registered one. */
struct proof {
    enum proof_kind kind;
    uint8_t sha256[SHA256_SIZE];        /* certificate: of its DER; publicKey: of the SPKI's DER */
    char issuer[REGISTRATION_DN_SIZE];  /* vendor: RFC 2253 text, compared octet for octet with */
    char subject[REGISTRATION_DN_SIZE]; /*   name_text() of the certificate */
};

struct registered_profile {
    const struct profile *profile; /* of the set in nf_rules, which lives longer */
    int max_days;                  /* 0: as the profile says */
};

struct registration {
    struct nf_identity nf;
    struct registered_profile profiles[REGISTRATION_PROFILES_MAX];
    size_t n_profiles;
    time_t not_before; /* of the registration: when it may be used */
    time_t not_after;
    int certificates; /* number of initial certificates */
    struct proof proof;
    /* The live registration of the same network function that this one replaces on purpose, though
     * it is not used up or a certificate under it is live (R5); "": none. */
    char supersedes[REGISTRATION_ID_SIZE];
};

/* "mac", "certificate", "vendor", "publicKey" */
const char *proof_kind_name(enum proof_kind);

/* Strict: UTF-8 JSON, no duplicate or unknown member, every value checked. ERR_INPUT names the
 * member ("profiles[0].maxValidityDays: must be 1..1095"). `rules` may be NULL (strict). */
int registration_parse(struct span json, const struct nf_rules *rules, struct registration *out,
                       struct err *e);

/* How many octets at the begin of a reason of registration_parse() are the path of a member: 27 of
 * "profiles[0].maxValidityDays: must be 1..1095". 0 when the reason is about the whole. */
size_t registration_error_member(const char *text);

struct batch_manifests;
/* A signed registration that verified. Free with registration_signed_free(). */
struct registration_signed {
    char id[REGISTRATION_ID_SIZE]; /* lower hex of the first 16 octets of SHA-256(cms) */
    /* SHA-256 of the signed octets. Unlike the id it cannot be varied by somebody who has no key
     * (an ECDSA signature can): a content that was used up must not come back under another id. */
    uint8_t content_hash[SHA256_SIZE];
    struct buf cms;  /* the evidence in DER: the CMS, or a BatchElement (batch.h) */
    struct buf json; /* the signed octets */
    bool of_batch;
    X509 *signer; /* the registrar */
    struct registration content;
};
void registration_signed_free(struct registration_signed *);
DEFINE_CLEANUP(registration_signed_cleanup, struct registration_signed, registration_signed_free)

/*
 * Verifies CMS (DER, or PEM "CMS"/"PKCS7"): SignedData with attached content, exactly one signer,
 * no unsigned attributes, SHA-256 or better, and parses the content. `issuing` must have issued the
 * signer's certificate, which must be good for registrars (path.h) at time `at` under `root`. The
 * signer's certificate is taken from the CMS. Whether it is known and not revoked in the CA's own
 * record is the CA's to ask. The window of the registration is not checked here:
 * registration_allows(). Or a BatchElement (batch.h), whose manifest is signed like that;
 * `manifests` remembers those that verified, and may be NULL. ERR_INPUT for form, ERR_CRYPTO for a
 * signature that does not verify, ERR_DENIED for a signer who may not.
 */
struct registration_signed *registration_verify(struct span bytes, X509 *issuing, X509 *root,
                                                time_t at, const struct nf_rules *rules,
                                                struct batch_manifests *manifests, struct err *e)
    OWNED(registration_signed_free);

/* The registered profile of that name; NULL when the registration does not have it. */
const struct registered_profile *registration_profile(const struct registration *,
                                                      const char *name);
/* The window, both ends within it, is open at `now` and the profile registered. ERR_DENIED. */
int registration_allows(const struct registration *, const struct profile *, time_t now,
                        struct err *e);
/* Is the window closed at `now`? Then whether it ended (or has not begun), and `when`: that time,
 * and how far it is from `now`; ERR_VALUE_SIZE is enough. */
bool registration_is_closed(const struct registration *, time_t now, bool *ended, char *when,
                            size_t size);
/* Latest notAfter of a certificate under this profile that begins at not_before and is signed by
 * `issuer`: the earliest of registered days, profile's cap and issuer's end. */
int registration_not_after(const struct registration *, const struct profile *, time_t not_before,
                           X509 *issuer, time_t *out, struct err *e);

/* Does the certificate that protects the request belong to the registration? Kinds certificate
 * (fingerprint) and vendor (issuer and subject; the path to a vendor root is path.h's). ERR_DENIED,
 * also for the other kinds. */
int registration_matches_certificate(const struct registration *, X509 *, struct err *e);
/* Kind publicKey: the SPKI of the request's public key. ERR_DENIED, also for other kinds. */
int registration_matches_spki(const struct registration *, struct span spki, struct err *e);
