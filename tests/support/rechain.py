#!/usr/bin/env python3
"""Changes facts in a ceremony's bundle and chains the transcript anew, as a forger would.

usage: rechain.py BUNDLE EDIT

EDIT is Python that changes `header` (an object) or `facts` (a list of objects). find(type, n=0) is
the place of the n-th fact of that type. head.txt gets the new head.
"""
import hashlib
import json
import sys


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def main():
    bundle, edit = sys.argv[1:]
    path = bundle + "/transcript.jsonl"
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")[:-1]
    header = json.loads(lines[0])
    records = [[json.loads(part) for part in line.split(b"\t")] for line in lines[1:]]
    old_head = sha256(b"\x01" + lines[-1].split(b"\t")[0])
    facts = [b["fact"] for _, b in records]

    def find(kind, n=0):
        return [i for i, fact in enumerate(facts) if fact["type"] == kind][n]

    # pylint: disable=exec-used
    exec(edit, {"header": header, "facts": facts, "find": find})
    first = json.dumps(header, separators=(",", ":")).encode()
    out = [first]
    head = sha256(b"\x02" + first)
    for i, fact in enumerate(facts):
        a = dict(records[min(i, len(records) - 1)][0])
        b = json.dumps({"salt": "00" * 16, "fact": fact}, separators=(",", ":")).encode()
        a.update(n=i + 1, leaf=sha256(b"\x00" + b), prev=head)
        a = json.dumps(a, separators=(",", ":")).encode()
        head = sha256(b"\x01" + a)
        out.append(a + b"\t" + b)
    with open(path, "wb") as file:
        file.write(b"\n".join(out) + b"\n")
    with open(bundle + "/head.txt", encoding="ascii") as file:
        text = file.read()
    with open(bundle + "/head.txt", "w", encoding="ascii") as file:
        file.write(text.replace(old_head, head))


main()
