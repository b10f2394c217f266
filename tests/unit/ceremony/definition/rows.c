/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ceremony/definition/rows.h"

#define X8 "xxxxxxxx"
#define X32 X8 X8 X8 X8
#define X128 X32 X32 X32 X32

/* clang-format off */
#define HEAD(type, prev) \
    "ceremony = 1\nid = \"a-1\"\ntype = \"" type "\"\ncps = \"CPS 1.0\"\nprev = \"" prev "\"\n" \
    "output = \"bundle\"\ncredentials = \"/secret\"\n" \
    "software_token_accepted = true\nnetwork_accepted = true\nswap_accepted = true\n" \
    "person \"alice\" { name = \"Alice\" role = \"administrator\" }\n" \
    "person \"walter\" { name = \"Walter\" role = \"witness\" }\n"
#define FRESH "token {\n module = \"/x.so\"\n config = \"x.conf\"\n directory = \"tokens\"\n label = \"t\"\n expect = \"fresh\"\n}\n"
#define USED "token {\n module = \"/x.so\"\n config = \"x.conf\"\n directory = \"/tokens\"\n label = \"t\"\n expect = \"root\"\n serial = \"previous\"\n}\n"
#define NAMED "token {\n module = \"/x.so\"\n config = \"x.conf\"\n directory = \"/tokens\"\n label = \"t\"\n expect = \"keys\"\n serial = \"N 4711\"\n}\n"
#define CLOCK "clock {\n not_before = 2026-11-23T08:00:00Z\n not_after = 2026-11-23T20:00:00Z\n skew_max = 60\n}\n"
#define CERTIFICATE(profile, more) \
    "certificate {\n profile = \"" profile "\"\n subject = \"C=SE, O=Example, CN=Name\"\n" \
    " not_before = 2026-11-23T12:00:00Z\n not_after = 2027-11-23T12:00:00Z\n" more "}\n"
#define SECRET(name) "secret \"" name "\" {\n attributes = \"ra-seal-v1\"\n}\n"
#define REVOKE(serial) " revoke \"" serial "\" {\n  time = 2026-11-20T00:00:00Z\n  reason = \"superseded\"\n }\n"
#define SERIAL "4000000000000000000000000000000"

/* Lines 1 to 12 are the head; the token begins in line 13 and the clock in 19 (20). */
const char *const definition_texts[DEFINITIONS] = {
    [A_ROOT] = HEAD("root-generate", "none") FRESH CLOCK
        "key \"root\" {\n algorithm = \"P-384\"\n attributes = \"root-signing-v1\"\n}\n"
        CERTIFICATE("root", ""),
    [A_KEYS] = HEAD("key-generate", "before") FRESH CLOCK
        "key \"issuing\" {\n algorithm = \"P-256\"\n attributes = \"issuing-signing-v1\"\n"
        " subject = \"C=SE, O=Example, CN=Name\"\n}\n" SECRET("seal"),
    [A_SUB] = HEAD("sub-issue", "/before") USED CLOCK
        "csr {\n file = \"a.csr\"\n sha256 = \"" "00000000000000000000000000000000" "0000000000000000000000000000000f" "\"\n}\n"
        CERTIFICATE("issuing", " crl_url = \"http://x/y\"\n"),
    [A_CRL] = HEAD("root-crl", "before") USED CLOCK
        "crl {\n this_update = 2026-11-23T12:00:00Z\n next_update = 2027-05-23T12:00:00Z\n skip = 3\n"
        REVOKE(SERIAL "1") REVOKE(SERIAL "2") "}\n",
    [A_SECRET] = HEAD("secret-generate", "none") NAMED CLOCK SECRET("seal"),
};

const struct definition_row definition_rows[] = {
    /* the head */
    {A_ROOT, "ceremony = 1", "ceremony = 0", ":1: ceremony: the format must be 1"},
    {A_ROOT, "ceremony = 1", "ceremony = 2", ":1: ceremony: the format must be 1"},
    {A_ROOT, "ceremony = 1\n", "", ":1: ceremony: the format must be 1"},
    {A_ROOT, "ceremony = 1", "ceremony = one", ":1: "},
    {A_ROOT, "id = \"a-1\"", "id = \"\"", ":2: id: is missing or empty"},
    {A_ROOT, "id = \"a-1\"", "id = \"" X128 "\"", NULL},
    {A_ROOT, "id = \"a-1\"", "id = \"" X128 "x\"", "' is not 1 to 128 letters, digits, '.', '_', '-'"},
    {A_ROOT, "id = \"a-1\"", "id = \"A.z_0-9\"", NULL},
    {A_ROOT, "id = \"a-1\"", "id = \".a\"", ":2: id: '.a' is not 1 to 128"},
    {A_ROOT, "id = \"a-1\"", "id = \"a/b\"", ":2: id: 'a/b' is not 1 to 128"},
    {A_ROOT, "type = \"root-generate\"\n", "", ":1: type: is missing or empty"},
    {A_ROOT, "root-generate", "root", ":3: type: 'root' is not root-generate, key-generate, secret-generate, sub-issue or root-crl"},
    {A_ROOT, "\"CPS 1.0\"", "\"\"", ":4: cps: is missing or empty"},
    {A_ROOT, "\"CPS 1.0\"", "\"" X128 "\"", NULL},
    {A_ROOT, "\"CPS 1.0\"", "\"" X128 "x\"", ":4: cps: is longer than 128 octets"},
    {A_ROOT, "prev = \"none\"\n", "", ":1: prev: is missing or empty"},
    {A_ROOT, "\"none\"", "\"before\"", ":5: prev: a root's line begins with it: \"none\""},
    {A_KEYS, "\"before\"", "\"none\"", NULL},
    {A_SUB, "\"/before\"", "\"none\"", ":5: prev: sub-issue follows the ceremony before it: name its bundle"},
    {A_CRL, "\"before\"", "\"none\"", ":5: prev: root-crl follows the ceremony before it: name its bundle"},
    {A_ROOT, "\"bundle\"", "\"\"", ":6: output: is missing or empty"},
    {A_ROOT, "credentials = \"/secret\"\n", "", NULL},
    {A_ROOT, "software_token_accepted = true", "software_token_accepted = 7", ":8: "},
    {A_ROOT, "network_accepted = true", "network_accepted = maybe", ":9: "},
    {A_ROOT, "ceremony = 1\n", "ceremony = 1\nceremony = 1\n", ":2: 'ceremony' stands in line 1 already"},

    /* unknown names, in each section */
    {A_ROOT, "id = ", "idd = ", ":2: no such option 'idd'"},
    {A_ROOT, "name = \"Alice\"", "nom = \"Alice\"", ":11: no such option 'person.alice.nom'"},
    {A_ROOT, "person \"alice\"", "persons \"alice\"", ":11: no such option 'persons.alice'"},
    {A_ROOT, "person \"alice\"", "person", ":11: no such option 'person'"},
    {A_ROOT, "token {", "token \"x\" {", ":13: no such option 'token.x'"},
    {A_ROOT, " module = ", " modul = ", ":14: no such option 'token.modul'"},
    {A_ROOT, " skew_max = ", " skew = ", ":23: no such option 'clock.skew'"},
    {A_ROOT, " algorithm = ", " alg = ", ":26: no such option 'key.root.alg'"},
    {A_ROOT, " profile = ", " prof = ", ":30: no such option 'certificate.prof'"},
    {A_KEYS, "{\n attributes = \"ra-seal", "{\n attribute = \"ra-seal", ":31: no such option 'secret.seal.attribute'"},
    {A_SUB, " file = ", " fil = ", ":27: no such option 'csr.fil'"},
    {A_CRL, " skip = ", " skp = ", ":29: no such option 'crl.skp'"},
    {A_CRL, "  time = ", "  tim = ", ":31: no such option 'crl.revoke.40000000000000000000000000000001.tim'"},
    {A_CRL, " revoke \"", " revok \"", ":30: no such option 'crl.revok.40000000000000000000000000000001'"},

    /* people */
    {A_ROOT, "\"administrator\"", "\"officer\"", ":1: person: there must be an administrator and a witness"},
    {A_ROOT, "\"witness\"", "\"auditor\"", ":1: person: there must be an administrator and a witness"},
    {A_ROOT, "\"witness\"", "\"Witness\"", ":12: person.walter.role: 'Witness' is not administrator, officer, witness or auditor"},
    {A_ROOT, " role = \"witness\"", "", ":12: person.walter.role: is missing or empty"},
    {A_ROOT, "\"Walter\"", "\"\"", ":12: person.walter.name: is missing or empty"},
    {A_ROOT, "\"Walter\"", "\"" X128 "\"", NULL},
    {A_ROOT, "\"Walter\"", "\"" X128 "x\"", ":12: person.walter.name: is longer than 128 octets"},
    {A_ROOT, "\"Walter\"", "\"Alice\"", ":12: person.walter.role: Alice has a role already: nobody holds two"},
    {A_ROOT, "\"walter\"", "\"" X32 "\"", NULL},
    {A_ROOT, "\"walter\"", "\"" X32 "x\"", ":12: person." X32 "x: '" X32 "x' is not 1 to 32 letters"},
    {A_ROOT, "\"walter\"", "\"w w\"", ":12: person.w w: 'w w' is not 1 to 32 letters"},

    /* token */
    {A_ROOT, " module = \"/x.so\"\n", "", ":13: token.module: is missing or empty"},
    {A_ROOT, "\"/x.so\"", "\"x.so\"", ":14: token.module: must be an absolute path"},
    {A_ROOT, " config = \"x.conf\"\n directory = \"tokens\"\n", "", NULL},
    {A_ROOT, "label = \"t\"", "label = \"" X32 "\"", NULL},
    {A_ROOT, "label = \"t\"", "label = \"" X32 "x\"", ":17: token.label: '" X32 "x' is not 1 to 32 letters"},
    {A_ROOT, " label = \"t\"\n", "", ":13: token.label: is missing or empty"},
    {A_ROOT, " expect = \"fresh\"\n", "", ":13: token.expect: is missing or empty"},
    {A_ROOT, "expect = \"fresh\"", "expect = \"root\"", ":18: token.expect: root-generate wants \"fresh\""},
    {A_KEYS, "expect = \"fresh\"", "expect = \"root\"", ":18: token.expect: key-generate wants \"fresh\""},
    {A_SUB, "expect = \"root\"", "expect = \"fresh\"", ":18: token.expect: sub-issue wants \"root\""},
    {A_CRL, "expect = \"root\"", "expect = \"\"", ":18: token.expect: is missing or empty"},
    {A_ROOT, "expect = \"fresh\"", "expect = \"fresh\"\n serial = \"previous\"", ":19: token.serial: a fresh token gets its serial when it is initialised: leave it out"},
    {A_SUB, " serial = \"previous\"\n", "", ":13: token.serial: is missing: the serial, or \"previous\""},
    {A_SUB, "\"previous\"", "\"0123456789abcdef\"", NULL},
    {A_SUB, "\"previous\"", "\"" X32 X32 "\"", NULL},
    {A_SUB, "\"previous\"", "\"" X32 X32 "x\"", ":19: token.serial: '" X32 X32 "x' is not 1 to 64 letters"},
    {A_KEYS, "expect = \"fresh\"", "expect = \"keys\"", ":18: token.expect: key-generate wants \"fresh\""},
    {A_SECRET, "\"none\"", "\"before\"", NULL},
    {A_SECRET, "expect = \"keys\"", "expect = \"fresh\"", ":18: token.expect: secret-generate wants \"keys\""},
    {A_SECRET, "expect = \"keys\"", "expect = \"root\"", ":18: token.expect: secret-generate wants \"keys\""},
    {A_SECRET, " serial = \"N 4711\"\n", "", ":13: token.serial: is missing"},
    {A_SECRET, "\"N 4711\"", "\"previous\"", ":19: token.serial: the register knows the root's token only"},
    {A_SECRET, "\"N 4711\"", "\"" X32 X32 "\"", NULL},
    {A_SECRET, "\"N 4711\"", "\"" X32 X32 "x\"", ":19: token.serial: is longer than 64 octets"},
    {A_SUB, "\"previous\"", "\"N 4711\"", ":19: token.serial: 'N 4711' is not 1 to 64 letters"},

    /* clock */
    {A_ROOT, " not_before = 2026-11-23T08:00:00Z\n", "", ":20: clock.not_before: is missing or empty"},
    {A_ROOT, "2026-11-23T08:00:00Z", "2026-11-23", ":21: clock.not_before: not a time like"},
    {A_ROOT, " not_after = 2026-11-23T20:00:00Z\n", "", ":20: clock.not_after: is missing or empty"},
    {A_ROOT, "2026-11-23T20:00:00Z", "2026-11-31T20:00:00Z", ":22: clock.not_after: no such date"},
    {A_ROOT, "2026-11-23T20:00:00Z", "2026-11-23T08:00:00Z", ":22: clock.not_after: is not later than the beginning"},
    {A_ROOT, "2026-11-23T20:00:00Z", "2026-11-23T08:00:01Z", NULL},
    {A_ROOT, "skew_max = 60", "skew_max = 0", ":23: clock.skew_max: 0 is not within 1 to 600 seconds"},
    {A_ROOT, "skew_max = 60", "skew_max = 1", NULL},
    {A_ROOT, "skew_max = 60", "skew_max = 600", NULL},
    {A_ROOT, "skew_max = 60", "skew_max = 601", ":23: clock.skew_max: 601 is not within 1 to 600 seconds"},
    {A_ROOT, CLOCK, "", ":1: clock: the section is missing"},
    {A_ROOT, FRESH, "", ":1: token: the section is missing"},

    /* keys */
    {A_ROOT, "key \"root\"", "key \"" X32 "\"", NULL},
    {A_ROOT, "key \"root\"", "key \"" X32 "x\"", ":25: key." X32 "x: '" X32 "x' is not 1 to 32 letters"},
    {A_ROOT, " algorithm = \"P-384\"\n", "", ":25: key.root.algorithm: is missing or empty"},
    {A_ROOT, "\"P-384\"", "\"P-521\"", ":26: key.root.algorithm: 'P-521' is not P-256, P-384 or RSA-3072"},
    {A_ROOT, "\"P-384\"", "\"P-256\"", NULL},
    {A_ROOT, "\"P-384\"", "\"RSA-3072\"", NULL},
    {A_ROOT, " attributes = \"root-signing-v1\"\n", "", ":25: key.root.attributes: is missing or empty"},
    {A_ROOT, "\"root-signing-v1\"", "\"ra-signing-v1\"", ":27: key.root.attributes: 'ra-signing-v1' is not a policy of root-generate: root-signing-v1"},
    {A_ROOT, "\"root-signing-v1\"\n", "\"root-signing-v1\"\n subject = \"CN=x\"\n", ":28: key.root.subject: the root's name stands in certificate.subject"},
    {A_KEYS, "\"issuing-signing-v1\"", "\"root-signing-v1\"", ":27: key.issuing.attributes: 'root-signing-v1' is not a policy of key-generate: issuing-signing-v1, log-signing-v1, ra-signing-v1"},
    {A_KEYS, "\"issuing-signing-v1\"", "\"ra-signing-v1\"", NULL},
    {A_KEYS, "\"issuing-signing-v1\"", "\"log-signing-v1\"", NULL},
    {A_KEYS, "\"P-256\"\n attributes = \"issuing", "\"P-384\"\n attributes = \"log", ":27: key.issuing.attributes: a log key is P-256, not P-384"},
    {A_KEYS, "\"P-256\"\n attributes = \"issuing", "\"RSA-3072\"\n attributes = \"log", ":27: key.issuing.attributes: a log key is P-256, not RSA-3072"},
    {A_KEYS, "\"P-256\"", "\"P-384\"", NULL},
    {A_KEYS, " subject = \"C=SE, O=Example, CN=Name\"\n", "", NULL},
    {A_KEYS, "CN=Name", "CN=REHEARSAL Name", ":28: key.issuing.subject: a CN of a definition does not begin with 'REHEARSAL '"},
    {A_KEYS, ", CN=Name", "", ":28: key.issuing.subject: needs a CN"},
    {A_KEYS, "C=SE", "C=se", ":28: key.issuing.subject: "},
    {A_KEYS, "CN=Name", "CN=Name, CN=Name", ":28: key.issuing.subject: "},

    /* secrets */
    {A_KEYS, SECRET("seal"), "", NULL},
    {A_KEYS, SECRET("seal"), SECRET("seal") SECRET("seal-2"), NULL},
    {A_KEYS, SECRET("seal"), SECRET("s") SECRET("t") SECRET("u"), ":36: secret.u: more than 2 secret keys"},
    {A_KEYS, "\"seal\"", "\"issuing\"", ":30: secret.issuing: a key has this label already"},
    {A_KEYS, "\"seal\"", "\"" X32 "\"", NULL},
    {A_KEYS, "\"seal\"", "\"" X32 "x\"", ":30: secret." X32 "x: '" X32 "x' is not 1 to 32 letters"},
    {A_KEYS, " attributes = \"ra-seal-v1\"\n", "", ":30: secret.seal.attributes: is missing or empty"},
    {A_KEYS, "\"ra-seal-v1\"", "\"ca-seal-v1\"", NULL},
    {A_KEYS, "\"ra-seal-v1\"", "\"ra-seal-v2\"", ":31: secret.seal.attributes: 'ra-seal-v2': a secret key has ra-seal-v1 or ca-seal-v1"},

    {A_SECRET, "\"ra-seal-v1\"", "\"ca-seal-v1\"", NULL},
    {A_SECRET, SECRET("seal"), SECRET("s") SECRET("t") SECRET("u"), ":32: secret.u: more than 2 secret keys"},
    {A_SECRET, SECRET("seal"), "", ":1: secret: there is no secret key"},

    /* sections of another type */
    {A_SECRET, "secret \"", "key \"x\" { algorithm = \"P-256\" }\nsecret \"", ":26: key.x: secret-generate has no such section"},
    {A_SECRET, "secret \"", "crl { skip = 1 }\nsecret \"", ":26: crl: secret-generate has no such section"},
    {A_ROOT, "certificate {", SECRET("s") "certificate {", ":29: secret.s: root-generate has no such section"},
    {A_ROOT, "certificate {", "csr { file = \"x\" }\ncertificate {", ":29: csr: root-generate has no such section"},
    {A_ROOT, "certificate {", "crl { skip = 1 }\ncertificate {", ":29: crl: root-generate has no such section"},
    {A_KEYS, "key \"", "certificate { profile = \"root\" }\nkey \"", ":25: certificate: key-generate has no such section"},
    {A_KEYS, "key \"", "csr { file = \"x\" }\nkey \"", ":25: csr: key-generate has no such section"},
    {A_KEYS, "key \"", "crl { skip = 1 }\nkey \"", ":25: crl: key-generate has no such section"},
    {A_SUB, "csr {", "key \"x\" { algorithm = \"P-256\" }\ncsr {", ":26: key.x: sub-issue has no such section"},
    {A_SUB, "csr {", SECRET("s") "csr {", ":26: secret.s: sub-issue has no such section"},
    {A_SUB, "csr {", "crl { skip = 1 }\ncsr {", ":26: crl: sub-issue has no such section"},
    {A_CRL, "crl {", "key \"x\" { algorithm = \"P-256\" }\ncrl {", ":26: key.x: root-crl has no such section"},
    {A_CRL, "crl {", SECRET("s") "crl {", ":26: secret.s: root-crl has no such section"},
    {A_CRL, "crl {", "certificate { profile = \"root\" }\ncrl {", ":26: certificate: root-crl has no such section"},
    {A_CRL, "crl {", "csr { file = \"x\" }\ncrl {", ":26: csr: root-crl has no such section"},

    /* certificate */
    {A_ROOT, CERTIFICATE("root", ""), "", ":1: certificate: the section is missing"},
    {A_ROOT, " profile = \"root\"\n", "", ":29: certificate.profile: is missing or empty"},
    {A_ROOT, "profile = \"root\"", "profile = \"issuing\"", ":30: certificate.profile: 'issuing': root-generate makes \"root\""},
    {A_SUB, "profile = \"issuing\"", "profile = \"root\"", ":31: certificate.profile: 'root': sub-issue makes \"issuing\""},
    {A_ROOT, " subject = \"C=SE, O=Example, CN=Name\"\n", "", ":29: certificate.subject: is missing or empty"},
    {A_ROOT, "CN=Name", "CN=REHEARSAL x", ":31: certificate.subject: a CN of a definition does not begin with 'REHEARSAL '"},
    {A_ROOT, "CN=Name", "CN=Name=x", ":31: certificate.subject: "},
    {A_ROOT, " not_before = 2026-11-23T12:00:00Z\n", "", ":29: certificate.not_before: is missing or empty"},
    {A_ROOT, " not_after = 2027-11-23T12:00:00Z\n", "", ":29: certificate.not_after: is missing or empty"},
    {A_ROOT, "2027-11-23T12:00:00Z", "2026-11-23T12:00:00Z", ":33: certificate.not_after: is not later than the beginning"},
    {A_ROOT, "2027-11-23T12:00:00Z", "2026-11-23T12:00:01Z", NULL},
    {A_ROOT, " not_after = 2027", " crl_url = \"http://x\"\n not_after = 2027", ":33: certificate.crl_url: a root has none: nothing could revoke it"},
    {A_SUB, " crl_url = \"http://x/y\"\n", "", ":30: certificate.crl_url: must be an http: URL of at most 255 octets"},
    {A_SUB, "http://x/y", "https://x/y", ":35: certificate.crl_url: must be an http: URL of at most 255 octets"},
    {A_SUB, "http://x/y", "http://" X128 X32 X32 X32 X8 X8 X8, NULL},
    {A_SUB, "http://x/y", "http://x" X128 X32 X32 X32 X8 X8 X8, ":35: certificate.crl_url: must be an http: URL of at most 255 octets"},

    /* request */
    {A_SUB, "csr {\n file = \"a.csr\"", "csr {\n file = \"\"", ":27: csr.file: is missing or empty"},
    {A_SUB, " sha256 = \"", " # \"", ":26: csr.sha256: is missing or empty"},
    {A_SUB, "sha256 = \"0", "sha256 = \"", ":28: csr.sha256: 63 hex digits where 64 are expected"},
    {A_SUB, "sha256 = \"0", "sha256 = \"00", ":28: csr.sha256: 65 hex digits where 64 are expected"},
    {A_SUB, "sha256 = \"0", "sha256 = \"g", ":28: csr.sha256: not a hex digit at position 1"},

    /* CRL */
    {A_CRL, " this_update = 2026-11-23T12:00:00Z\n", "", ":26: crl.this_update: is missing or empty"},
    {A_CRL, " next_update = 2027-05-23T12:00:00Z\n", "", ":26: crl.next_update: is missing or empty"},
    {A_CRL, "2027-05-23T12:00:00Z", "2026-11-23T12:00:00Z", ":28: crl.next_update: is not later than the beginning"},
    {A_CRL, "2027-05-23T12:00:00Z", "2026-11-23T12:00:01Z", NULL},
    {A_CRL, "2027-05-23T12:00:00Z", "2027-11-23T11:59:59Z", NULL},
    {A_CRL, "2027-05-23T12:00:00Z", "2027-11-23T12:00:00Z", ":28: crl.next_update: is more than 365 days after this_update"},
    {A_CRL, "skip = 3", "skip = -1", ":29: crl.skip: -1 is not within 0 to 1000"},
    {A_CRL, " skip = 3\n", "", NULL},
    {A_CRL, "skip = 3", "skip = 0", NULL},
    {A_CRL, "skip = 3", "skip = 1000", NULL},
    {A_CRL, "skip = 3", "skip = 1001", ":29: crl.skip: 1001 is not within 0 to 1000"},
    {A_CRL, REVOKE(SERIAL "1") REVOKE(SERIAL "2"), "", NULL},
    {A_CRL, SERIAL "1", SERIAL, ":30: crl.revoke." SERIAL ": serial: '"},
    {A_CRL, SERIAL "1", SERIAL "11", ":30: crl.revoke." SERIAL "11: serial: '"},
    {A_CRL, SERIAL "1", SERIAL "2:", ":30: crl.revoke."},
    {A_CRL, SERIAL "2", SERIAL "0", ":34: crl.revoke." SERIAL "0: serials must ascend, each once"},
    {A_CRL, SERIAL "2", "0x" SERIAL "1", ":34: crl.revoke.0x" SERIAL "1: serials must ascend, each once"},
    {A_CRL, "  time = 2026-11-20T00:00:00Z\n", "", ":30: crl.revoke." SERIAL "1.time: is missing or empty"},
    {A_CRL, "  reason = \"superseded\"\n", "", ":30: crl.revoke." SERIAL "1.reason: is missing or empty"},
    {A_CRL, "\"superseded\"", "\"unspecified\"", ":32: crl.revoke." SERIAL "1.reason: a CA certificate is revoked for a reason"},
    {A_CRL, "\"superseded\"", "\"bored\"", ":32: crl.revoke." SERIAL "1.reason: reason: must be unspecified, keyCompromise"},
};
/* clang-format on */
const size_t n_definition_rows = sizeof(definition_rows) / sizeof(definition_rows[0]);
