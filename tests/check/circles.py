# SPDX-License-Identifier: Apache-2.0
"""circles.py BUILD: arrows between objects, from what nm says they define and want.

A file -> another when it wants a global name that the other defines. A table of functions draws no
arrow from who calls through it: that is what such tables are for.
"""
import json
import os
import re
import subprocess
import sys
from collections import defaultdict

TOPS = ("base", "pkcs11", "db", "ca", "ra", "ceremony")


def objects(build):
    """Object -> source of all that is ours: from the checkout, or generated, but no test."""
    top = os.getcwd()
    commands = os.path.join(build, "compile_commands.json")
    if not os.path.exists(commands):
        return {}
    found = {}
    with open(commands) as f:
        entries = json.load(f)
    for entry in entries:
        source = os.path.relpath(entry["file"], build if entry["file"].startswith(build) else top)
        if source.split("/")[0] in TOPS and "_verify_interface_header_sets/" not in source:
            output = re.search(r" -o (\S+) ", entry["command"]).group(1)
            found[os.path.join(entry["directory"], output)] = source
    return found


def names(found):
    """What each source defines and wants. What begins with __ is the compiler's."""
    defines, wants = defaultdict(set), defaultdict(set)
    listing = subprocess.run(["nm", "-A", "-g", "-p", *found], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    for line in listing.splitlines():
        path, _, rest = line.rpartition(":")
        kind, name = rest.split()[-2:]
        if not name.startswith("__"):
            (wants if kind in "Uwv" else defines)[found[path]].add(name)
    return defines, wants


def arrows_of(defines, wants, node):
    """node(file) -> node(file) -> the names that draw this arrow."""
    homes = defaultdict(set)
    for file, of_file in defines.items():
        for name in of_file:
            homes[name].add(file)
    arrows = defaultdict(lambda: defaultdict(set))
    for file, of_file in wants.items():
        for name in of_file - defines[file]:
            if name in homes:
                # Of two homes, which two_homes() complains about, the nearer one is meant.
                home = max(sorted(homes[name]),
                           key=lambda other: len(os.path.commonpath([file, other])))
                if node(file) != node(home):
                    arrows[node(file)][node(home)].add(name)
    return arrows


def reached(arrows, start):
    seen, todo = set(), [start]
    while todo:
        for node in arrows.get(todo.pop(), ()):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    return seen


def circles(arrows):
    """Sets of nodes that all reach each other; the largest first."""
    reach = {node: reached(arrows, node) for node in list(arrows)}
    found = {frozenset(other for other in reach[node] if node in reach.get(other, ()))
             for node in reach if node in reach[node]}
    return sorted(found, key=lambda circle: (-len(circle), min(circle)))


def two_homes(defines):
    homes = defaultdict(set)
    for file, of_file in defines.items():
        for name in of_file - {"main"}:
            homes[name].add(file)
    for name, files in sorted(homes.items()):
        if len(files) > 1:
            yield f"{name} has {len(files)} homes: {' '.join(sorted(files))}"


def in_circles(arrows, what):
    for circle in circles(arrows):
        yield f"a circle of {len(circle)} {what}: {' '.join(sorted(circle))}"
        for one in sorted(circle):
            for other in sorted(circle & arrows[one].keys()):
                yield f"  {one} -> {other}: {' '.join(sorted(arrows[one][other]))}"


def main(build):
    found = objects(build)
    missing = [path for path in found if not os.path.exists(path)]
    if missing or not found:
        print(f"{build} is not built: {' '.join(missing[:3])}")
        return 1
    defines, wants = names(found)

    def folder(file):
        alone = "main" in defines[file] or re.fullmatch(r"[^/]+/start\.c", file)
        return file if alone else os.path.dirname(file) + "/"

    said = [
        *two_homes(defines),
        *in_circles(arrows_of(defines, wants, lambda file: file), "files"),
        *in_circles(arrows_of(defines, wants, folder), "folders"),
    ]
    print("\n".join(said) or f"{len(found)} objects, and no circle")
    return 1 if said else 0


sys.exit(main(*sys.argv[1:]))
