#!/usr/bin/env python3
"""Which refusals of our own did no test execute? For refusals.sh.

refusals.py BUILD [--allowed FILE] [--lines] [PATH ...]

A refusal is a statement that sets an error of ours or a failInfo: a call of one of the functions
below with a text, a failInfo or a status, or an assignment of a failInfo. Errors of what we call
(OpenSSL, the token, SQLite, the system) are not ours, and are known by their code; who passes on an
error that was set elsewhere refuses nothing. What was executed is read from the counters in
BUILD/profile, at the very place of the call: `x ? fail(...) : y` may be reached and refuse nothing.
"""
import argparse
import bisect
import collections
import csv
import json
import pathlib
import re
import subprocess
import sys

FOLDERS = ("base", "pkcs11", "db", "ca", "ra", "ceremony")
REFUSES = re.compile(
    r"\b(?:err_set|(?:\w+_)?(?:fault|fail|bad|refuse|refused|complain|departs|reject|rejected)"
    r"|refuse_\w+|fail_\w+|reply_failure)\("
    r"|(?:= |return )CMP_(?!SYSTEM_|NO_FAILURE)[A-Z_]+;"
)
# Named like a refusal, but a question, a record of one that is counted where it is said, or an end.
NO_REFUSAL = re.compile(r"^(?:ra_fail|was_rejected|find_rejected|\w+_append_rejected|http_parser_fault)\(")
SAYS_WHY = re.compile(r'"|\b(?:CMP|PHRASE|ERR|HTTP\w*)_[A-Z_]+|\b[45]\d\d\b')
NOT_OURS = re.compile(r"\b(?:ERR_(?:CRYPTO|IO|STORE|TOKEN)|CMP_SYSTEM_(?:FAILURE|UNAVAIL)|PHRASE_SYSTEM\w*)\b")
IN_A_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|/\*.*?\*/', re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group())


def call_end(text, start):
    """The offset behind the call that begins at start, by its parentheses."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] == "(":
            depth += 1
        elif text[i] == ")":
            depth -= 1
            if depth == 0:
                return i + 1
    return len(text)


def refusals(path):
    """(line, column, text) of each refusal in a source file, one a line, the first of the line."""
    raw = path.read_text()
    text = IN_A_STRING.sub(blank, raw)
    lines = raw.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found = {}
    for match in REFUSES.finditer(text):
        at = match.start()
        line = bisect.bisect_right(starts, at)
        column = at - starts[line - 1] + 1
        if column == 1 or text[starts[line - 1]] == "#" or NO_REFUSAL.match(match.group()):
            continue  # a definition, a macro
        call = text[at:call_end(text, at)] if match.group().endswith("(") else match.group()
        if NOT_OURS.search(call) or not SAYS_WHY.search(raw[at : at + len(call)]):
            continue
        found.setdefault(line, (column, lines[line - 1].strip()))
    return [(line, *rest) for line, rest in sorted(found.items())]


def counters(build, root):
    """What llvm-cov knows: per file its segments and its summary."""
    profile = build / "profile"
    raw = sorted(profile.glob("*.profraw"))
    if not raw:
        sys.exit(f"{profile} has no counters: run tests of the preset coverage first")
    listing = profile / "raw.txt"
    listing.write_text("".join(f"{name}\n" for name in raw))
    merged = profile / "merged.profdata"
    subprocess.run(["llvm-profdata", "merge", f"-input-files={listing}", "-o", merged], check=True)
    programs = [p for p in sorted((build / "bin").iterdir()) if p.name.startswith(("nfpki-", "unit."))]
    command = ["llvm-cov", "export", "-format=text", f"-instr-profile={merged}", "-skip-expansions", str(programs[0])]
    for program in programs[1:]:
        command += ["-object", str(program)]
    command += [str(root / folder) for folder in FOLDERS]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    data = json.loads(out)["data"][0]
    return {pathlib.Path(f["filename"]).resolve(): f for f in data["files"]}


def count_at(segments, keys, line, column):
    """How often the code at this place was executed; None where no code is (a table, another build)."""
    i = bisect.bisect_right(keys, (line, column)) - 1
    if i < 0 or not segments[i][3]:
        return None
    return segments[i][2]


def sources(root, paths):
    chosen = [root / p for p in paths] or [root / f for f in FOLDERS]
    for path in chosen:
        yield from [path] if path.is_file() else sorted(path.rglob("*.c"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--allowed", type=pathlib.Path, help="file, text and reason of what may be unseen")
    parser.add_argument("--lines", action="store_true", help="also list the lines that were not executed")
    parser.add_argument("paths", nargs="*")
    a = parser.parse_intermixed_args()
    root = pathlib.Path(__file__).resolve().parents[2]
    files = counters(a.build.resolve(), root)
    allowed = {}
    if a.allowed:
        with a.allowed.open() as table:
            rows = csv.reader((row for row in table if not row.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
            allowed = {(row[0], row[1]): row[2] for row in rows}
    used = set()
    total = 0
    unseen = collections.Counter()
    sums = {kind: [0, 0] for kind in ("lines", "branches")}
    for path in sources(root, a.paths):
        name = str(path.relative_to(root))
        f = files.get(path.resolve())
        if f is None:
            if refusals(path):
                print(f"{name}: is in no program")
            continue
        for kind, pair in sums.items():
            pair[0] += f["summary"][kind]["covered"]
            pair[1] += f["summary"][kind]["count"]
        segments = f["segments"]
        keys = [(s[0], s[1]) for s in segments]
        for line, column, text in refusals(path):
            count = count_at(segments, keys, line, column)
            if count is None:
                continue
            total += 1
            if (name, text) in allowed:
                used.add((name, text))
            elif count == 0:
                unseen[name] += 1
                print(f"{name}:{line}: {text}")
        if a.lines:
            for line in unseen_lines(segments):
                print(f"{name}:{line}: not executed")
    for key in allowed.keys() - used if not a.paths else ():
        print(f"{key[0]}: allowed, but no such refusal: {key[1]}")
        unseen[key[0]] += 1
    for name, n in sorted(unseen.items()):
        print(f"{n:4} {name}")
    for kind, (covered, count) in sums.items():
        print(f"{kind}: {covered} of {count} executed, {100 * covered / max(count, 1):.1f} %")
    print(f"refusals: {total}, allowed unseen: {len(allowed)}, unseen: {sum(unseen.values())}")


def unseen_lines(segments):
    """The lines that begin in code which was never executed."""
    lines = set()
    for (line, _, count, has, _, gap), after in zip(segments, segments[1:]):
        if has and count == 0 and not gap:
            lines.update(range(line, max(line, after[0] - 1) + 1))
    return sorted(lines)


if __name__ == "__main__":
    main()
