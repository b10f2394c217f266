# SPDX-License-Identifier: Apache-2.0
"""Which test reaches which line: each test is run once over a build with clang's source-based coverage.

Counters live in a mapped file, so what is killed has counted, too. What a test reaches is kept until its own
program, its data or, if it runs others, one of the programs changes.
"""
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys

from tree import SKIPPED, Tree, adopt

OPTIONS = ["-DCMAKE_C_COMPILER=clang", "-DCOVERAGE=ON", "-DCMAKE_C_FLAGS=-w", "-DCMAKE_C_FLAGS_DEBUG=-g0"]


def _digest(paths):
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


class Reach:
    def __init__(self, place):
        self.tree = Tree(place, OPTIONS)
        self.store = place / "reached"
        self.lines = {}    # test -> {file: set of lines}
        self.seconds = {}  # test -> how long it took
        self.red = {}      # test -> what it printed

    def lay(self, repository):
        self.tree.place.mkdir(parents=True, exist_ok=True)
        self.tree.lay(repository)

    def measure(self, names, workers, say):
        """names(test) says which tests are wanted."""
        self.tree.configure()
        programs = self.programs()
        self.build(programs)
        self.tree.list_tests()
        wanted = [t for t in self.tree.tests.values() if names(t)]
        self.store.mkdir(exist_ok=True)
        binaries = [self.tree.build / "bin" / program for program in programs]
        files = [p for p in (self.tree.source / "tests").rglob("*") if p.is_file() and "check" not in p.parts]
        shared = _digest(binaries)
        scripts = _digest(p for p in files if p.suffix not in (".c", ".h"))
        data = _digest(p for p in files if {"vectors", "corpus"} & set(p.parts))
        missing = []
        for test in wanted:
            own = _digest([self.tree.build / "bin" / test.name]) + data if test.is_unit else scripts
            kept = self.store / f"{test.name}.json"
            found = json.loads(kept.read_text()) if kept.is_file() else {}
            if found.get("own") == own and found["shared"] in (None, shared):
                self.take(test.name, found)
            else:
                missing.append((test, kept, own))
        say(f"{len(wanted)} tests, of which {len(missing)} must be run to see what they reach")
        with multiprocessing.Pool(workers, adopt) as pool:
            jobs = [(test, binaries) for test, _, _ in missing]
            ran = pool.starmap(self.run, jobs, 1)
        for (test, kept, own), found in zip(missing, ran):
            if found["red"] is None:
                alone = test.is_unit and found["programs"] == 1
                kept.write_text(json.dumps({**found, "own": own, "shared": None if alone else shared}))
            self.take(test.name, found)
        for name, printed in sorted(self.red.items()):
            say(f"{name} is red without any mutant and is left out:\n{printed[-600:]}")

    def programs(self):
        """Every program and module that is no test."""
        listed = subprocess.run(["ninja", "-t", "targets", "all"], cwd=self.tree.build, check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        out = {line.partition(":")[0][4:] for line in listed.splitlines() if line.startswith("bin/")}
        return sorted(name for name in out if not name.startswith(("unit.", "fuzz.", "bench.flood", "bench.yard")))

    def build(self, programs):
        listed = subprocess.run(["ninja", "-t", "targets", "all"], cwd=self.tree.build, check=True,
                                stdout=subprocess.PIPE, text=True).stdout
        tests = {line.partition(":")[0] for line in listed.splitlines() if line.startswith(("bin/unit.", "bin/fuzz."))}
        failed = self.tree.ninja(sorted(tests) + programs)
        if failed:
            sys.exit(failed[-4000:])

    def take(self, name, found):
        if found["red"] is not None:
            self.red[name] = found["red"]
            return
        self.seconds[name] = found["seconds"]
        self.lines[name] = {file: set(lines) for file, lines in found["lines"].items()}

    def run(self, test, binaries):
        profiles = self.tree.place / f"profiles.{os.getpid()}"
        shutil.rmtree(profiles, ignore_errors=True)
        profiles.mkdir()
        profiles.chmod(0o777)
        code, seconds, printed = self.tree.test(test, 10 * test.limit,
                                                {"LLVM_PROFILE_FILE": str(profiles / "%p-%m%c.profraw")})
        if code != 0:
            shutil.rmtree(profiles)
            return {"red": "skipped" if code == SKIPPED else printed}
        own = [self.tree.build / "bin" / test.name] if test.is_unit else []
        # the second part of a profile's name is the program that it is of
        programs = {p.name.partition("-")[2] for p in profiles.glob("*.profraw")}
        lines = self.reached(profiles, own + binaries)
        shutil.rmtree(profiles)
        return {"red": None, "seconds": seconds, "programs": len(programs), "lines": lines}

    def reached(self, profiles, binaries):
        raw = [p for p in profiles.glob("*.profraw") if p.stat().st_size > 0]
        merged = profiles / "all.profdata"
        (profiles / "list").write_text("".join(f"{p}\n" for p in raw))
        merge = subprocess.run(["llvm-profdata", "merge", "-sparse", "-failure-mode=all", "-f", profiles / "list",
                                "-o", merged], stderr=subprocess.PIPE, text=True)
        if merge.returncode != 0:
            sys.exit(merge.stderr)
        programs = [b for b in binaries if b.suffix != ".so"]
        command = ["llvm-cov", "export", "-format=lcov", f"-instr-profile={merged}", programs[0]]
        for binary in programs[1:]:
            command += ["-object", binary]
        export = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if export.returncode != 0:
            sys.exit(export.stderr)
        lines, file = {}, None
        for line in export.stdout.splitlines():
            if line.startswith("SF:"):
                file = os.path.relpath(line[3:], self.tree.source)
            elif line.startswith("DA:"):
                number, _, count = line[3:].partition(",")
                if count != "0" and not file.startswith("tests/"):
                    lines.setdefault(file, []).append(int(number))
        return lines

    def tests_of(self, file, lines):
        return [name for name, files in self.lines.items() if not files.get(file, set()).isdisjoint(lines)]
