"""findings.py EXPECTED FOUND: FOUND has lines "TOOL FINDING PROFILE"; EXPECTED the same columns, tab
separated, with a reason, where PROFILE is a pattern of the shell's. Each finding must be expected, each
expected one must be found."""

import fnmatch
import sys

expected = []
with open(sys.argv[1], encoding="ascii") as file:
    for number, line in enumerate(file, 1):
        if line.startswith("#") or not line.strip():
            continue
        columns = line.rstrip("\n").split("\t")
        if len(columns) != 4 or not all(columns):
            sys.exit(f"{sys.argv[1]}:{number}: tool, finding, profiles and reason, separated by tabs")
        expected.append((number, columns))

used = set()
bad = 0
with open(sys.argv[2], encoding="ascii") as file:
    for line in file:
        tool, finding, profile = line.split()
        for number, (e_tool, e_finding, e_profile, _) in expected:
            if (tool, finding) == (e_tool, e_finding) and any(
                    fnmatch.fnmatchcase(profile, p) for p in e_profile.split(",")):
                used.add(number)
                break
        else:
            print(f"not expected: {tool} {finding} of {profile}")
            bad = 1
for number, (tool, finding, profile, reason) in expected:
    if number not in used:
        print(f"{sys.argv[1]}:{number}: {tool} {finding} of {profile} was not found")
        bad = 1
    else:
        print(f"ok: {tool} {finding} of {profile}: {reason}")
sys.exit(bad)
