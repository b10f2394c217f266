# SPDX-License-Identifier: Apache-2.0
"""OpenSSL's cases of its CMP client, one `openssl cmp` each, against a server that runs already.

openssl_cmp.py DATA RESULTS [CASE]

DATA holds test_*.csv and a folder Mock with test.cnf, whose section [Mock] describes the server, and
the credentials that the cases name; what the client writes goes into RESULTS. With CASE, only cases
whose name contains it. How a line becomes a command follows OpenSSL's own recipe.

The first column says whether the client must succeed. The tables below say where a correct and strict
server decides otherwise than OpenSSL's mock server; each entry is asserted, and one that is not used is
a failure.
"""
import os
import pathlib
import re
import socket
import subprocess
import sys

ASPECTS = ("connection", "verification", "credentials", "commands", "enrollment")
CASES = 265

# What must be refused although the mock server accepts it: (file, name of the case) -> (failInfo that the
# client must have seen, why, arguments in place of some of the case's: with these it must succeed; None).
REFUSED = {
    ("commands", "reqin old tid"): ("transactionIdInUse", "a replay (RFC 9483 5.1)", None),
    ("commands", "reqin new tid"): (
        "badCertId", "the certHash in the saved certConf is not that of the new certificate", None),
    ("commands", "--- use csr for revocation ----"): (
        "addInfoNotAvailable", "RevDetails without issuer and serialNumber (RFC 9483 4.2)", None),
    ("commands", "revreason certificateHold"): (
        "badRequest", "what this CA revokes stays revoked: there is no hold", None),
    ("commands", "revreason removeFromCRL"): (
        "badRequest", "what this CA revokes stays revoked: there is no hold", None),
    ("enrollment", "kur minimal options"): (
        "certRevoked", "a kur with a certificate that the case before has superseded (RFC 9483 4.1.3)",
        {"RESULTS/test.certout_newkey.pem": "RESULTS/test.certout_kur.pem"}),
}

# Here the client rejects what it gets, after which there is no other certificate of its profile under
# this registration, but for one further try (retry_rejected): they ask for profiles that no other does.
REJECTING = {
    ("enrollment", "out_trusted expired issuing ca cert"): "nf-tls-client",
    ("enrollment", "out_trusted expired root ca cert"): "nf-tls-server",
    ("enrollment", "out_trusted wrong ca"): "nf-tls-server",
}


def load_config(path, sections):
    """What the recipe reads of test.cnf: the last value that the sections give."""
    values, active = {}, False
    for line in path.read_text().splitlines():
        head = re.match(r"\[\s*(.*?)\s*\]", line)
        if head:
            active = head.group(1) in sections
        setting = re.match(r"\s*(\w+)\s*=\s*(.*?)\s*(#.*)?$", line)
        if active and setting:
            values[setting.group(1)] = setting.group(2)
    return values


def with_credentials(arguments, server):
    """Who asks: the device with its vendor's certificate for an ir, the NF with ours for all else; for a
    revocation with the very certificate (RFC 9483 4.2)."""
    command = next((b for a, b in zip(arguments, arguments[1:]) if a == "-cmd"), "ir")
    if command in ("cr", "p10cr", "rr"):
        if "-cert" not in arguments:
            arguments = arguments + ["-cert", "signer.crt", "-key", "signer.p12", "-keypass", "pass:12345"]
        old = next((b for a, b in zip(arguments, arguments[1:]) if a == "-oldcert"), "")
        certificate = old if command == "rr" and old.endswith("test.cert.pem") else "own.crt"
        arguments = [{"signer.crt": certificate, "signer.p12": "own.p12"}.get(a, a) for a in arguments]
    if server["pbm_ref"] in arguments:
        arguments = arguments + ["-newkey", "secret.key"]
    return arguments


def load_cases(data, results, aspect):
    """[name, arguments, must succeed] of each line that is a case."""
    server = load_config(data / "Mock/test.cnf", ("Mock", aspect))
    names = {"_" + key.upper(): server[key] for key in (
        "ca_dn", "server_dn", "server_host", "server_tls", "server_path", "server_cert", "pbm_ref", "pbm_secret")}
    names.update({"_" + key: server["server_port"] for key in ("SERVER_PORT", "KUR_PORT", "PBM_PORT")})
    names["_RESULT_DIR"] = str(results)
    for line in (data / f"test_{aspect}.csv").read_text().splitlines():
        for name, value in names.items():
            line = line.replace(name, value)
        fixed = ["-config", "test.cnf", "-section", f"Mock {aspect}"]
        if aspect != "commands" or re.search(r",\s*-cmd\s*,\s*(ir|cr|p10cr|kur)\s*,", line):
            fixed += ["-certout", str(results / "test.cert.pem")]
        if not re.search(r",\s*-no_proxy\s*,", line):
            fixed += ["-no_proxy", "127.0.0.1"]
        if not re.search(r",\s*-proxy\s*,", line):
            fixed += ["-proxy", ""]
        fields = [field.strip() for field in line.split(",") if field.strip()]
        if len(fields) < 2 or fields[0] not in ("0", "1"):
            continue
        arguments = [re.sub(r'^"(".*?")"$', r"\1", field) for field in fields[2:]]
        arguments = ["" if a == '""' else a for a in arguments if a not in ("BLANK", "-section")]
        arguments = with_credentials(arguments, server)
        profile = REJECTING.get((aspect, fields[1]))
        if profile is not None:
            arguments += ["-path", server["server_path"].rpartition("/")[0] + "/" + profile]
        if "-server" not in arguments:
            arguments = ["-server", f"127.0.0.1:{server['server_port']}"] + arguments
        yield fields[1], fixed + arguments, fields[0] == "1"


def run(data, arguments):
    """The client's success, and what it said."""
    environment = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    environment["LC_ALL"] = "C"
    done = subprocess.run(["openssl", "cmp"] + arguments, cwd=data / "Mock", env=environment, timeout=120,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode(errors="replace")


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def failures(said):
    """The names of PKIFailureInfo in the client's words."""
    return {name for found in re.findall(r"PKIFailureInfo: ([\w, ]+)", said) for name in found.split(", ")}


class Tally:
    def __init__(self):
        self.run = self.passed = self.refused = 0
        self.wrong = []

    def deviates(self, aspect, name, arguments, why, said):
        self.wrong.append(f"{aspect}: {name}")
        print(f"WRONG: {aspect}: {name}: {why}\n  openssl cmp {' '.join(arguments)}")
        print("\n".join("  | " + line for line in said.splitlines()[-8:]))


def judge(data, results, aspect, name, arguments, wanted, tally):
    tally.run += 1
    success, said = run(data, arguments)
    rule = REFUSED.get((aspect, name.strip())) if wanted else None
    if rule is None:
        if success == wanted:
            tally.passed += 1
        else:
            tally.deviates(aspect, name, arguments, "must succeed" if wanted else "must fail", said)
        return
    failure, why, instead = rule
    if success or failure not in failures(said):
        tally.deviates(aspect, name, arguments, f"must be refused with {failure}: {why}", said)
        return
    tally.refused += 1
    print(f"refused as it must be: {aspect}: {name}: {failure}: {why}")
    if instead is not None:
        instead = {a.replace("RESULTS", str(results)): b.replace("RESULTS", str(results)) for a, b in instead.items()}
        arguments = [instead.get(a, a) for a in arguments]
        success, said = run(data, arguments)
        if not success:
            tally.deviates(aspect, name, arguments, "must succeed in this form", said)


def main():
    data, results = (pathlib.Path(p).resolve() for p in sys.argv[1:3])
    only = sys.argv[3] if len(sys.argv) > 3 else ""
    tally, unused = Tally(), set(REFUSED)
    for aspect in ASPECTS:
        for name, arguments, wanted in load_cases(data, results, aspect):
            unused.discard((aspect, name.strip()))
            if any("[::1]" in a for a in arguments) and not has_ipv6():
                print(f"this machine has no ::1, so nobody is there: {aspect}: {name}")
                wanted = False
            if only in name:
                judge(data, results, aspect, name, arguments, wanted, tally)
    print(f"{tally.run} cases run, {tally.passed} passed, {tally.refused} refused as they must be, "
          f"{len(tally.wrong)} wrong")
    if unused:
        sys.exit(f"no such case: {sorted(unused)}")
    if tally.wrong or (not only and tally.run != CASES):
        sys.exit(f"FAILED: {tally.run} of {CASES} cases; wrong: {tally.wrong}")


main()
