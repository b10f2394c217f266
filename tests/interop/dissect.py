# SPDX-License-Identifier: Apache-2.0
"""What tshark makes of a capture of CMP over HTTP, in one word for each message: "ir ip certConf pkiconf".

dissect.py CAPTURE PORT

Exit status 1 when tshark complains: something malformed, a warning or an error of any dissector, or a
note of another one than TCP's; or when an HTTP body that says it is CMP is not dissected as such.
"""
import subprocess
import sys
import xml.etree.ElementTree as xml

NOTE = 4194304

# What tshark 4.0 does not know, and says so; nothing else may be unknown.
UNKNOWN = {
    "1.3.6.1.5.5.7.1.34": "id-pe-nftypes (RFC 9310)",
    "1.3.6.1.5.5.7.4.17": "id-it-caCerts (RFC 9480)",
    # octets, because tshark does not do arcs of more than 64 bits (X.667)
    "6981dce6b89aed9082b0f59da8cbe1d3d2efd07101": "id-nfpki-queueEntry, between RA and CA only",
}
UNKNOWN_TEXT = "BER: Dissector for OID not implemented."


def dissect(capture, port):
    done = subprocess.run(["tshark", "-n", "-r", capture, "-d", f"tcp.port=={port},http", "-T", "pdml"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        sys.exit(f"tshark: {done.stderr.decode()}")
    return xml.fromstring(done.stdout)


def identifier_near(parents, field):
    """The object identifier that says what this is: of the extension, the generalInfo, ... around it."""
    while field is not None:
        for child in field:
            if child.get("name") in ("x509af.extension.id", "cmp.type.oid"):
                return child.get("show") or child.get("value")
        field = parents.get(field)
    return ""


def complaints(packet):
    parents = {child: parent for parent in packet.iter() for child in parent}
    for expert in packet.iter("field"):
        if expert.get("name") != "_ws.expert":
            continue
        severity = expert.find("field[@name='_ws.expert.severity']")
        message = expert.find("field[@name='_ws.expert.message']").get("show")
        protocol = expert
        while protocol.tag != "proto":
            protocol = parents[protocol]
        level = int(severity.get("show"))
        if level < NOTE or (level == NOTE and protocol.get("name") == "tcp"):
            continue
        if message.startswith(UNKNOWN_TEXT) and identifier_near(parents, expert) in UNKNOWN:
            continue
        yield f"{protocol.get('name')}: {message} {identifier_near(parents, expert)}"
    for proto in packet.iter("proto"):
        if proto.get("name") in ("_ws.malformed", "_ws.short", "_ws.unreassembled"):
            yield f"{proto.get('name')}: {proto.get('showname')}"


def main():
    said, wrong = [], []
    for packet in dissect(sys.argv[1], sys.argv[2]).iter("packet"):
        number = packet.find(".//field[@name='num']").get("show")
        wrong += [f"packet {number}: {text}" for text in complaints(packet)]
        bodies = [f for f in packet.iter("field") if f.get("name") == "cmp.body"]
        types = [f for f in packet.iter("field") if f.get("name") == "http.content_type"]
        if any("application/pkixcmp" in t.get("show") for t in types) and not bodies:
            wrong.append(f"packet {number}: CMP that is not dissected")
        # a nested message has the one inside it as a second body
        said += ["+".join(f.get("showname").split(": ")[-1].split(" ")[0] for f in bodies)] if bodies else []
    print(" ".join(said))
    for text in wrong:
        print(text, file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
