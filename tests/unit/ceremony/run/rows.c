/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/ceremony/run/rows.h"

#define SAFE "Nothing was changed on any token."
#define REFUSED "refused, nothing was changed: "
#define HEX32 "0000000000000000000000000000000000000000000000000000000000000000"
#define XYZ_SHA256 "3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282"

enum { DAY = 24 * 60 * 60, HOUR = 60 * 60 };

static struct scene_times too_early = {.begin = -60, .from = HOUR, .until = 2 * HOUR, .days = 100};
static struct scene_times too_late = {.begin = -60, .from = -2 * HOUR, .until = -HOUR, .days = 100};
static struct scene_times begins_later = {
    .begin = HOUR, .from = -HOUR, .until = 2 * HOUR, .days = 100};
static struct scene_times long_past = {
    .begin = -DAY - HOUR, .from = -HOUR, .until = HOUR, .days = 100};
static struct scene_times far_too_long = {.begin = -60, .from = -HOUR, .until = HOUR, .days = 9200};
static struct scene_times day_before = {
    .begin = -60, .from = DAY - 60, .until = 2 * DAY, .days = 9};
static struct scene_times more_before = {
    .begin = -60, .from = DAY - 59, .until = 2 * DAY, .days = 9};
static struct scene_times last_second = {.begin = -60, .from = -HOUR, .until = -60, .days = 9};
static struct scene_times past_the_end = {.begin = -60, .from = -HOUR, .until = -61, .days = 9};

/* clang-format off */
#define CHANGED(...) .changes = {__VA_ARGS__}
#define TYPED(q, a) .typed = {{.question = (q), .answer = (a)}}

const struct run_row run_rows[] = {
    /* before anything changes */
    {"no terminal", ROOT, "run alone", 1, REFUSED "a ceremony runs at a terminal: there is no /dev/tty", .times = NULL},
    {"bad definition", ROOT, "run", 1, ":2: no such option 'idd'", CHANGED({"id = ", "idd = "})},
    {"output exists", ROOT, "run", 1, REFUSED "output: ", "/root exists; a bundle is written once",
     CHANGED({"output = \"", "output = \"root\"\n#"})},
    {"output cannot be made", ROOT, "run", 1, REFUSED "mkdir /proc/nfpki",
     CHANGED({"output = \"", "output = \"/proc/nfpki/x\"\n#"})},
    {"token exists", ROOT, "run", 1, REFUSED "token.expect: a token 'root' is there already",
     CHANGED({"label = \"", "label = \"root\"\n#"})},
    {"no module", ROOT, "run", 1, REFUSED "PKCS #11 module /nonexistent.so",
     CHANGED({"module = \"", "module = \"/nonexistent.so\"\n#"})},
    {"software", ROOT, "run", 1, "libsofthsm2.so is a software token, which is no place for a CA's key",
     CHANGED({"software_token_accepted = true", "software_token_accepted = false"})},
    {"software without files", ROOT, "run", 1, ": token.directory is missing: SoftHSM does not sync",
     CHANGED({"    directory = \"tokens\"\n", ""})},
    {"rehearsal on hardware", ROOT, "rehearse", 1, " is no software token: a rehearsal never touches hardware",
     .fault = "vendor"},
    {"no credentials", ROOT, "rehearse", 1, ": credentials is missing: a rehearsal keeps its PINs there",
     CHANGED({"credentials = \"credentials\"\n", ""})},
    {"credentials exist", ROOT, "rehearse", 1, "/rehearsed.pin is there already",
     CHANGED({"label = \"", "label = \"rehearsed\"\n#"})},
    {"no PIN", SUB, "rehearse", 1, "/root.pin is not there", .times = NULL},
    {"another serial", SUB, "run", 1, REFUSED "token.serial: the register's root is on token ",
     CHANGED({"serial = \"previous\"", "serial = \"0123\""})},
    {"token is gone", SUB, "run", 1, REFUSED "no token 'root' with serial ",
     CHANGED({"config = \"softhsm2.conf\"", "config = \"empty.conf\""})},
    {"no bundle before", SUB, "run", 1, REFUSED "prev: open ",
     CHANGED({"prev = \"root\"", "prev = \"none-such\""})},
    {"production behind a rehearsal", SUB, "run", 1,
     REFUSED "prev: a rehearsal and a production ceremony cannot follow each other",
     CHANGED({"prev = \"root\"", "prev = \"rehearsed\""}, {"label = \"root\"", "label = \"rehearsed\""})},
    {"rehearsal behind production", SUB, "rehearse", 1,
     REFUSED "prev: a rehearsal and a production ceremony cannot follow each other",
     CHANGED({"label = \"root\"", "label = \"rehearsed\""})},
    {"another label", SUB, "run", 1, REFUSED "token.label: the register's root is on token 'root'",
     CHANGED({"label = \"root\"", "label = \"other\""})},
    {"no root before", SUB, "run", 1, REFUSED "token.label: the register's root is on token ''",
     CHANGED({"prev = \"root\"", "prev = \"keys\""})},

    /* people, clock, definition */
    {"nobody", ROOT, "run", 2, "STOPPED: step people: the answer was not 'alice'", SAFE,
     TYPED("Alice", "bob")},
    {"interrupted", ROOT, "run", 2, "STOPPED: step people: stopped by the administrator", SAFE,
     TYPED("Walter", TYPIST_INTERRUPT)},
    {"closed", ROOT, "run", 2, "STOPPED: step people: stopped: the terminal was closed", SAFE,
     TYPED("Alice", TYPIST_END)},
    {"no time", ROOT, "run", 2, "STOPPED: step clock: the witness's time: not a time like", SAFE,
     TYPED("the time (UTC)", "noon")},
    {"clock is ahead", ROOT, "run", 2, "STOPPED: step clock: the clocks differ by more than 120 s", SAFE,
     TYPED("the time (UTC)", "2026-01-01T00:00:00Z")},
    {"clock is behind", ROOT, "run", 2, "STOPPED: step clock: the clocks differ by more than 120 s", SAFE,
     TYPED("the time (UTC)", "2099-01-01T00:00:00Z")},
    {"before the window", ROOT, "run", 2, " is outside the definition's clock window", SAFE, .times = &too_early},
    {"behind the window", ROOT, "run", 2, " is outside the definition's clock window", SAFE, .times = &too_late},
    {"another definition", ROOT, "run", 2, "STOPPED: step definition: the answer was not '", SAFE,
     TYPED("the approved paper", "0000000000000000")},

    /* token */
    {"a slip", ROOT, "run", 2, "STOPPED: step token: the two are not the same", SAFE,
     TYPED("The same security officer's PIN", "so-secret-2")},
    {"another slip", ROOT, "run", 2, "STOPPED: step token: the two are not the same", SAFE,
     TYPED("The same user PIN", "user-secret")},
    {"one PIN", ROOT, "run", 2, "the security officer's and the user PIN are the same", SAFE,
     TYPED("ser PIN", TYPIST_SO_PIN)},
    {"no PIN typed", ROOT, "run", 2, "STOPPED: step token: nothing was typed", SAFE, TYPED("New user PIN", "")},
    {"interrupted at a PIN", ROOT, "run", 2, "STOPPED: step token: stopped by the administrator", SAFE,
     TYPED("New user PIN", TYPIST_INTERRUPT)},
    {"not initialised", ROOT, "run", 2, "STOPPED: step token: the answer was not 'initialise ", SAFE,
     TYPED("to initialise the token", "yes")},
    {"PIN too short", ROOT, "run", 3, "STOPPED: step token: ", "The token may be initialised or half initialised.",
     TYPED("ser PIN", "1")},
    {"turns into software", ROOT, "run", 3, " is a software token, unlike the one before",
     "There is a fresh token without keys.", .fault = "half-soft"},
    {"wrong PIN", ROOT, "run", 3, "STOPPED: step activation: ", "There is a fresh token without keys.",
     TYPED("User PIN of the token", "another")},
    {"wrong PIN of the root", SUB, "run", 2, "STOPPED: step activation: ", SAFE,
     TYPED("User PIN of the token", "another")},
    {"not empty", ROOT, "run", 3, "the token holds objects that must not be there: 1, 0 of them unreadable",
     "There is a fresh token without keys.", TYPED("User PIN of the token", TYPIST_PIN),
     .meanwhile = DATA_OBJECT},
    {"unreadable", SUB, "run", 2, "the token holds objects that must not be there: 2, 2 of them unreadable", SAFE,
     .fault = "unreadable"},
    {"extractable root", SUB, "run", 2, "CKA_EXTRACTABLE", SAFE, .fault = "wrong:3:162"},
    {"stuck generator", SUB, "run", 2, "STOPPED: step activation: the token's random generator repeats itself", SAFE,
     .fault = "stuck"},
    {"no generator", SUB, "run", 2, "STOPPED: step activation: ", "C_GenerateRandom", .fault = "no-random"},

    /* keys */
    {"not generated", ROOT, "run", 3, "STOPPED: step keys: stopped by the administrator",
     "There is a fresh token without keys.", TYPED("to generate the P-384 key", TYPIST_INTERRUPT)},
    {"generated otherwise", ROOT, "run", 3, "STOPPED: step keys: ", "The token may hold half a key pair",
     .fault = "wrong:3:162"},
    {"one of two", KEYS, "run", 3, "STOPPED: step keys: the answer was not 'generate log'",
     "The token holds a key pair that did not pass its checks.", TYPED("'generate log'", "generate issuing")},
    {"secret generated", KEYS, "run", 0, "secret key seal generated", "secret key seal: found by a fresh process",
     .times = NULL},
    {"another MAC", KEYS, "run", 3,
     "STOPPED: step key-checks: secret key seal: a fresh process got another MAC of the same text",
     "The token holds a key pair that did not pass its checks.", .fault = "other-mac"},
    {"keys that sign badly", KEYS, "run", 3,
     "STOPPED: step key-checks: key issuing: a fresh process did not find the key: ",
     "The token holds a key pair that did not pass its checks.", .fault = "bad-sign"},
    {"request not recorded", KEYS, "run", 3, "STOPPED: step requests: key issuing: create ",
     "A signed object did not pass its checks. Destroy the keys", TYPED("'generate seal'", "generate seal"),
     .meanwhile = FILE_CERTIFICATE},
    {"no secret", KEYS, "run", 3, "STOPPED: step keys: the answer was not 'generate seal'",
     "The token holds a key pair that did not pass its checks.", TYPED("'generate seal'", "yes")},
    {"allows all", ROOT, "run", 3, "allowed 6 of the forbidden: set CKA_EXTRACTABLE TRUE",
     "The token holds a key pair that did not pass its checks.", .fault = "allows"},
    {"another secret", KEYS, "run", 3, "STOPPED: step deactivation: the token holds 2 secret keys where 1 must be",
     "All work is done", TYPED("'generate seal'", "generate seal"), .meanwhile = ANOTHER_SECRET},

    /* signatures */
    {"root not signed", ROOT, "run", 3, "STOPPED: step certificate: the answer was not 'sign ",
     "The token holds good keys that nothing was made of.", TYPED("to sign the certificate", "sign it")},
    {"issuing not signed", SUB, "run", 2, "STOPPED: step certificate: the answer was not 'sign ", SAFE,
     TYPED("to sign the certificate", "sign it")},
    {"CRL not signed", CRL, "run", 2, "STOPPED: step crl: the answer was not 'sign ", SAFE,
     TYPED("to sign the CRL", "sign it")},
    {"wrong PIN for the root", ROOT, "run", 3, "STOPPED: step certificate: ",
     "A signature may exist that this transcript does not hold. Destroy the keys",
     TYPED("for this one signature", "another")},
    {"wrong PIN for a certificate", SUB, "run", 2, "STOPPED: step certificate: ",
     "A signature of the root over the object in the last `tbs` record may exist. Nothing must be destroyed.",
     TYPED("for this one signature", "another")},
    {"bad signature", CRL, "run", 2, "STOPPED: step crl: ", "Nothing must be destroyed.", .fault = "bad-sign"},
    {"root not recorded", ROOT, "run", 3, "STOPPED: step certificate: create ",
     "A signed object did not pass its checks. Destroy the keys", TYPED("for this one signature", TYPIST_PIN),
     .meanwhile = FILE_CERTIFICATE},
    {"certificate not recorded", SUB, "run", 3, "STOPPED: step certificate: create ",
     "The root signed an object that did not pass its checks.", TYPED("for this one signature", TYPIST_PIN),
     .meanwhile = FILE_CERTIFICATE},
    {"root not sealed", ROOT, "run", 3, "STOPPED: step seal: create ",
     "not sealed. Destroy the keys", TYPED("for this one signature", TYPIST_PIN), .meanwhile = FILE_SERIAL},
    {"certificate not sealed", SUB, "run", 2, "STOPPED: step seal: create ",
     "not sealed: do not publish from this bundle.", TYPED("for this one signature", TYPIST_PIN),
     .meanwhile = FILE_SERIAL},
    {"sealed, does not verify", SUB, "run", 2, "STOPPED: ", "/definition.conf:1: expected",
     TYPED("for this one signature", TYPIST_PIN), .meanwhile = FILE_DEFINITION},
    {"another pair", ROOT, "run", 3, "STOPPED: step deactivation: the token holds 2 private keys where 1 must be",
     "All work is done", TYPED("for this one signature", TYPIST_PIN), .meanwhile = ANOTHER_PAIR},
    {"on hardware", ROOT, "run", 0, "Sealed and verified", NULL,
     CHANGED({"software_token_accepted = true", "software_token_accepted = false"}, {"    directory = \"tokens\"\n", ""}),
     .fault = "vendor"},

    /* what would be signed; `run` finds it before it signs, `check` before the day */
    {"certified before", SUB, "run", 2, "STOPPED: step certificate: this key was certified before: make a new one", SAFE,
     CHANGED({"prev = \"root\"", "prev = \"sub\""})},
    {"certified before", SUB, "check", 1, "nfpki-ceremony: this key was certified before: make a new one", NULL,
     CHANGED({"prev = \"root\"", "prev = \"sub\""})},
    {"no request", SUB, "run", 2, "STOPPED: step incoming: open ", SAFE,
     CHANGED({"issuing.csr.pem", "none-such.pem"})},
    {"no request", SUB, "check", 1, "nfpki-ceremony: open ", NULL, CHANGED({"issuing.csr.pem", "none-such.pem"})},
    {"another request", SUB, "check", 1, "nfpki-ceremony: csr.sha256: ", " is another file than the definition names",
     CHANGED({"sha256 = \"", "sha256 = \"" HEX32 "\"\n#"})},
    {"no request at all", SUB, "check", 1, "/xyz: ", NULL,
     CHANGED({"file = \"", "file = \"xyz\"\n#"}, {"sha256 = \"", "sha256 = \"" XYZ_SHA256 "\"\n#"})},
    {"another subject", SUB, "check", 1, "issuing.csr.pem: its subject CN=Issuing,O=Example,C=SE is not the definition's",
     NULL, CHANGED({"CN=Issuing", "CN=Other"})},
    {"later", SUB, "run", 2, "STOPPED: step certificate: certificate.not_before must lie within the day before now", SAFE,
     .times = &begins_later},
    {"made ahead", CRL, "run", 2, "STOPPED: step crl: crl.this_update must lie within the day before now", SAFE,
     .times = &begins_later},
    {"long past", ROOT, "run", 3, "STOPPED: step certificate: certificate.not_before must lie within the day",
     "The token holds good keys that nothing was made of.", .times = &long_past},
    {"too long", ROOT, "check", 1, "notAfter: more than ", NULL, .times = &far_too_long},
    {"too long", SUB, "check", 1, "notAfter: more than ", NULL, .times = &far_too_long},
    {"too long", SUB, "run", 2, "STOPPED: step certificate: profile issuing: notAfter: more than ", SAFE, .times = &far_too_long},
    {"unknown serial", CRL, "check", 1, "this root issued no such certificate", NULL,
     CHANGED({"crl {\n", "crl {\n    revoke \"40000000000000000000000000000001\" { time = 2026-01-01T00:00:00Z reason = \"superseded\" }\n"})},
    {"a mark too long", ROOT, "check", 1, "nfpki-ceremony: rehearsal: ", NULL,
     CHANGED({"CN=Root", "CN=A root with a name of 60 characters has no place for a mark"})},
    {"no bundle before", CRL, "check", 1, "nfpki-ceremony: prev: open ", NULL,
     CHANGED({"prev = \"root\"", "prev = \"none-such\""})},
    {"window a day on", ROOT, "check", 0, "CANNOT BE UNDONE: a fresh token is taken into use", NULL, .times = &day_before},
    {"window further on", ROOT, "check", 1, "certificate.not_before never lies within the day before the clock window",
     NULL, .times = &more_before},
    {"window ends", ROOT, "check", 0, "SHA-256     ", NULL, .times = &last_second},
    {"window is over", ROOT, "check", 1, "certificate.not_before never lies within the day before the clock window",
     NULL, .times = &past_the_end},
    {"window further on", SUB, "check", 1, "certificate.not_before never lies", NULL, .times = &more_before},
    {"window further on", CRL, "check", 1, "crl.this_update never lies within the day before", NULL, .times = &more_before},
    {"good", KEYS, "check", 0, "alice", "11  [ ]  Log out, open the token again and take stock [administrator]", .times = NULL},
    {"good", SUB, "check", 0, "Check the certificate request", "CANNOT BE UNDONE: a signature of the root", .times = NULL},
    {"good", CRL, "check", 0, "CANNOT BE UNDONE: a signature of the root cannot be taken back", .times = NULL},
};
/* clang-format on */
const size_t n_run_rows = sizeof(run_rows) / sizeof(run_rows[0]);
