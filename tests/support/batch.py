#!/usr/bin/env python3
# batch.py N FQDN-LABEL PROOF: N registrations, one on each line, on stdout. PROOF is JSON, or @FILE with the
# SHA-256 of a certificate of each on a line.
# batch.py --root FILE: root of the Merkle tree over its lines (RFC 9162 2.1.1), computed by the book.
import datetime, hashlib, json, sys, uuid

DOMAIN = "5gc.mnc012.mcc345.3gppnetwork.org"


def mth(leaves):
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


if sys.argv[1] == "--root":
    text = open(sys.argv[2], "rb").read()
    print(mth(text.removesuffix(b"\n").split(b"\n")).hex())
    sys.exit(0)

n, label, proof = int(sys.argv[1]), sys.argv[2], sys.argv[3]
if proof.startswith("@"):
    proofs = [{"kind": "certificate", "sha256": line.strip()} for line in open(proof[1:])][:n]
else:
    proofs = [json.loads(proof)] * n
now = datetime.datetime.now(datetime.timezone.utc)
for i in range(n):
    print(json.dumps({
        "version": 1, "nfInstanceId": str(uuid.uuid4()), "nfTypes": ["SMF"],
        "fqdns": [f"{label}{i}.smf.{DOMAIN}"], "homeDomain": DOMAIN, "country": "SE",
        "profiles": [{"name": "nf-tls", "maxValidityDays": 2}],
        "notBefore": (now - datetime.timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "notAfter": (now + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "certificates": 1, "proof": proofs[i]}, separators=(",", ":")))
