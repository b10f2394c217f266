/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pkcs11/signer/scene.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/der_text.h"

enum { PART_MAX = 4096 };

static struct buf
part(const char *text)
{
    struct buf b = BUF_INIT(PART_MAX);

    der_text(text, &b);
    return b;
}

struct policy *
scene_policy(enum policy_purpose purpose)
{
    struct policy *p = mem_zalloc(1, sizeof(*p));

    p->purpose = purpose;
    p->algorithm = KEY_P256;
    p->spki = part(SCENE_KEY("ff"));
    p->issuer_name = part(SCENE_ISSUER);
    p->issuer_ski = part(SCENE_SKI);
    p->issuer_not_before = SCENE_FROM;
    p->issuer_not_after = SCENE_TO;
    p->certificates = purpose == POLICY_CERTIFICATE_AUTHORITY;
    p->crls = purpose == POLICY_CERTIFICATE_AUTHORITY;
    p->max_validity = SCENE_VALIDITY;
    p->max_crl_validity = SCENE_VALIDITY;
    p->key_usage = 1;
    p->origin = mem_strdup("log.example");
    p->sender_name = part(SCENE_NAME("RA"));
    p->bodies = 1U << 1 | 1U << 3;
    return p;
}

static const char *
given(const char *text, const char *right)
{
    return text == NULL ? right : text;
}

void
scene_certificate(const struct scene_certificate *c, struct buf *out)
{
    CLEANUP(mem_cleanup)
    char *extensions = mem_printf(
        "%s%s%s%s%s%s%s%s", given(c->key_usage, SCENE_CRITICAL("551d0f", "03{07 80}")),
        given(c->basic_constraints, ""),
        given(c->authority_key, SCENE_EXTENSION("551d23", SCENE_AKI(SCENE_SKI))),
        given(c->purposes, SCENE_EXTENSION("551d25", "30{06{2b06010505070301}}")),
        given(c->policies, ""), given(c->names, SCENE_CRITICAL("551d11", "30{82{'amf.example'}}")),
        given(c->points,
              SCENE_EXTENSION("551d1f", "30{30{a0{a0{86{'http://pki.example/a.crl'}}}}}")),
        given(c->more, ""));
    CLEANUP(mem_cleanup)
    char *text =
        mem_printf("30{%s%s%s%s%s%s%s%s a3{30{%s}}}%s", given(c->version, "a0{02{02}}"),
                   given(c->serial, "02{7f 01*15}"), given(c->algorithm, SCENE_P256),
                   given(c->issuer, SCENE_ISSUER),
                   given(c->validity, "30{17{'260201000000Z'}17{'260301000000Z'}}"),
                   given(c->subject, SCENE_NAME("5gc.example")), given(c->key, SCENE_KEY("01")),
                   given(c->ids, ""), extensions, given(c->behind, ""));

    der_text(text, out);
}

void
scene_crl(const struct scene_crl *c, struct buf *out)
{
    CLEANUP(mem_cleanup)
    char *entries = c->entries == NULL ? mem_strdup("") : mem_printf("30{%s}", c->entries);
    CLEANUP(mem_cleanup)
    char *text = mem_printf("30{02{01}" SCENE_P256 SCENE_ISSUER "17{'%s'}17{'260108000000Z'}%s"
                            "a0{30{" SCENE_EXTENSION("551d23", SCENE_AKI(SCENE_SKI))
                                SCENE_EXTENSION("551d14", "02{%s}") "}}}",
                            given(c->from, "260101000000Z"), entries, given(c->number, "01"));

    der_text(text, out);
}

bool
scene_expect(const char *row, int result, const struct err *e, enum err_code code,
             const char *reason)
{
    bool as_said = reason == NULL
                       ? result == 0
                       : result == -1 && e->code == code && strstr(e->text, reason) != NULL;

    if (!as_said) {
        (void)fprintf(stderr, "row '%s': %s%s%s, not %s\n", row,
                      result == 0 ? "accepted" : err_code_name(e->code), result == 0 ? "" : ": ",
                      result == 0 ? "" : e->text, reason == NULL ? "accepted" : reason);
    }
    return as_said;
}
