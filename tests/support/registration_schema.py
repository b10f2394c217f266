#!/usr/bin/env python3
# registration_schema.py SCHEMA RACTL: a table of good and bad documents; registration.schema.json and
# the parser (nfpki-ractl manifest reads with it) must say the same of each, except of those that break
# a rule which no schema can state: there the parser alone refuses.
import copy, json, re, subprocess, sys, tempfile
import jsonschema

GOOD = {
    "version": 1, "nfInstanceId": "9c5b94b1-35ad-49bb-b118-8e8fc24abf80", "nfTypes": ["AMF", "SMF"],
    "fqdns": ["amf1.5gc.mnc012.mcc345.3gppnetwork.org"],
    "homeDomain": "5gc.mnc012.mcc345.3gppnetwork.org", "country": "SE",
    "profiles": [{"name": "nf-tls", "maxValidityDays": 30}],
    "notBefore": "2026-09-21T00:00:00Z", "notAfter": "2026-10-21T00:00:00Z", "certificates": 3,
    "proof": {"kind": "mac"},
}
HASH = "0F" * 32
DOMAIN = GOOD["homeDomain"]
DROP = object()
# member -> values; the path that the parser must name is the member, or what stands as third
SAME = [
    ("version", [DROP, 0, 2, "1", None, True]),
    ("nfInstanceId", [DROP, 7, "", "x", "9c5b94b1-35ad-19bb-b118-8e8fc24abf80", "9c5b94b135ad49bbb1188e8fc24abf80",
                      "9c5b94b1-35ad-49bb-7118-8e8fc24abf80", "9C5B94B1-35AD-49BB-B118-8E8FC24ABF80"]),
    ("nfTypes", [DROP, "AMF", [], [1], ["A" * 33], ["A B"], [""], ["AMF", "AMF"], ["AMF"] * 17]),
    ("fqdns", [DROP, {}, [None], ["x"], ["a..b"], ["-a.b"], ["a" * 64 + ".b"], ["*"], ["a.*." + DOMAIN], ["a_b." + DOMAIN],
               [DOMAIN, DOMAIN], [f"a{i}.{DOMAIN}" for i in range(17)], [f"a{i}.{DOMAIN}" for i in range(16)], [""]]),
    ("homeDomain", [DROP, 1, "", "example.org", "5gc.mnc12.mcc345.3gppnetwork.org", DOMAIN + ".",
                    "6gc.mnc012.mcc345.3gppnetwork.org", "x" * 65]),
    ("plmns", [DROP, {}, [], [1], [{}], [{"mcc": "345"}], [{"mcc": 345, "mnc": "12"}], [{"mcc": "34", "mnc": "12"}],
               [{"mcc": "345", "mnc": "1"}], [{"mcc": "345", "mnc": "1234"}], [{"mcc": "345", "mnc": "1x"}],
               [{"mcc": "345", "mnc": "12", "nid": "1"}], [{"mcc": "345", "mnc": str(i)} for i in range(10, 27)]]),
    ("country", [DROP, 46, "se", "SWE", "S", "", "S1"]),
    ("profiles", [DROP, {}, [], [1], [{}], [{"name": "nf-tls"}], [{"maxValidityDays": 1}],
                  [{"name": 1, "maxValidityDays": 1}], [{"name": "nf-tls", "maxValidityDays": 0}],
                  [{"name": "nf-tls", "maxValidityDays": 1096}], [{"name": "nf-tls", "maxValidityDays": 1.5}],
                  [{"name": "nf-tls", "maxValidityDays": "1"}], [{"name": "nf-tls", "maxValidityDays": 1, "ca": True}],
                  [{"name": "nf-tls", "maxValidityDays": 1095}, {"name": "nf-tls-client", "maxValidityDays": 1}]]),
    ("notBefore", [DROP, 0, "2026-09-21", "2026-13-21T00:00:00Z", "2026-09-21T24:00:00Z", "2026-09-21T00:00:00+00:00"]),
    ("notAfter", [DROP, None, "tomorrow", "2026-10-21T00:00:60Z", "2026-10-21T00:00Z"]),
    ("certificates", [DROP, 0, 1001, "1", None, 2.5, 1, 1000]),
    ("proof", [DROP, "mac", {}, {"kind": "password"}, {"kind": 1}, {"kind": "mac", "secret": "x"},
               {"kind": "certificate"}, {"kind": "certificate", "sha256": HASH}, {"kind": "certificate", "sha256": "0f"},
               {"kind": "publicKey", "sha256": HASH}, {"kind": "publicKey", "sha256": HASH + "00"},
               {"kind": "publicKey", "sha256": HASH, "issuer": "CN=a"}, {"kind": "vendor"},
               {"kind": "vendor", "issuer": "CN=a", "subject": "CN=b"}, {"kind": "vendor", "issuer": "", "subject": "CN=b"},
               {"kind": "vendor", "issuer": "CN=" + "a" * 510, "subject": "CN=b"},
               {"kind": "vendor", "issuer": "CN=a", "subject": "CN=b", "sha256": HASH}]),
    ("supersedes", [DROP, 1, "", "0" * 31, "0" * 33, "0F" * 16, "0f" * 16]),
    ("surplus", [1]),
]
ONLY_PARSER = [
    ("nfTypes", ["SMF", "AMF"]), ("nfTypes", ["ROBOT"]), ("fqdns", ["amf.example.com"]), ("fqdns", ["A." + DOMAIN, "a." + DOMAIN]),
    ("fqdns", ["*." + DOMAIN]), ("plmns", [{"mcc": "345", "mnc": "12"}]),
    ("profiles", [{"name": "root", "maxValidityDays": 1}]), ("profiles", [{"name": "nf-tls", "maxValidityDays": 1}] * 2),
    ("fqdns", []), ("notAfter", "2026-09-20T00:00:00Z"), ("notBefore", "2026-02-30T00:00:00Z"),
]
# a document whose text is wrong before there is a value
TEXTS = ['{"version":1,"version":1}', "{", "[]", "", '{"a":01}', '{"a":"\\u0000"}', "{} {}"]


def variant(member, value):
    document = copy.deepcopy(GOOD)
    document.pop(member, None)
    if value is not DROP:
        document[member] = value
    return document


schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
rows = [(None, GOOD, True)] + [(m, variant(m, v), None) for m, values in SAME for v in values]
rows += [(m, variant(m, v), "only the parser") for m, v in ONLY_PARSER]
wrong = 0
for member, document, want in rows:
    with tempfile.NamedTemporaryFile("w") as f:
        f.write(json.dumps(document) + "\n")
        f.flush()
        run = subprocess.run([sys.argv[2], "manifest", f.name], capture_output=True, text=True)
    parser, by_schema = run.returncode == 0, validator.is_valid(document)
    good = (parser, by_schema) == (False, True) if want == "only the parser" else parser == by_schema
    if want is True:
        good = parser and by_schema
    # the reason names the member, or one that depends on it
    if not parser and not re.match(r".*:1: registrations\[0\]\.(%s|profiles\[\d+\]\.name)[.\[:]" % member, run.stderr):
        good = False
    if not good:
        print(f"{member}: parser {parser}, schema {by_schema}: {json.dumps(document.get(member))}: {run.stderr.strip()}")
        wrong += 1
for text in TEXTS:
    with tempfile.NamedTemporaryFile("w") as f:
        f.write((text or " ") + "\n")
        f.flush()
        run = subprocess.run([sys.argv[2], "manifest", f.name], capture_output=True, text=True)
    if run.returncode != 2 or not re.search(r"line \d+ column \d+|must be an object", run.stderr):
        print(f"{text}: {run.stderr.strip()}")
        wrong += 1
print(f"{len(rows) + len(TEXTS)} documents, {wrong} wrong")
sys.exit(wrong != 0)
