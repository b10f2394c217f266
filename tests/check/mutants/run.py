# SPDX-License-Identifier: Apache-2.0
"""Draws mutants, runs the tests that reach each, and says which survived. See mutants.sh."""
import argparse
import collections
import multiprocessing
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

from reach import Reach
from source import mutants_of
from tree import FOLDERS, Tree, adopt, end_descendants

PLAIN = ["-DCMAKE_C_FLAGS=-w", "-DCMAKE_C_FLAGS_DEBUG=-O1 -g0"]
CAREFUL = [*PLAIN, "-DSANITIZE=address,undefined"]
COUNTED = ("killed", "survived", "equivalent")
NAMES = {"negate": "a condition negated", "relational": "another relation", "logical": "&& or ||",
         "drop": "a check dropped", "ignore": "a result ignored", "case": "a case dropped",
         "constant": "a constant +-1", "length": "an octet less compared"}
FLOW_MAX = 60      # seconds: flows that take longer are left out
FLOWS_MAX = 8      # at most as many flows for one mutant
BATCHES = (2, 4, 8, 16)


def say(text):
    print(text, flush=True)


# ---- what there is to mutate ----

def files_of(repository, parts):
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.c"], cwd=repository, check=True,
                            stdout=subprocess.PIPE, text=True).stdout.split()
    return sorted(file for file in listed if file.split("/")[0] in FOLDERS and
                  any(file == part or file.startswith(part.rstrip("/") + "/") for part in parts))


def population(repository, parts):
    out, texts = [], {}
    for file in files_of(repository, parts):
        texts[file] = (repository / file).read_text()
        out += mutants_of(file, texts[file])
    return out, texts


def equivalent(repository):
    """The list: file, function, text of the mutant, why no test can tell."""
    out = {}
    path = repository / "tests/check/equivalent-mutants.tsv"
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line and not line.startswith("#"):
            fields = line.split("\t")
            if len(fields) != 4 or not all(fields):
                sys.exit(f"{path}:{number}: not four fields with a tab between: file, function, mutant, reason")
            out[tuple(fields[:3])] = fields[3]
    return out


# ---- one worker ----

class Worker:
    """Two copies of the tree: a quick one, and one with the sanitizers that the tests are made for. What the
    quick one does not notice is tried with the other, too: an octet read behind an array is seen there alone."""

    def __init__(self, tree, careful, reach, programs, options):
        self.tree, self.careful, self.reach = tree, careful, reach
        self.programs, self.options = programs, options
        self.original = {}

    def order(self, mutant):
        """Named like the file first, then the quickest; flows apart."""
        stem = os.path.splitext(mutant.file)[0].replace("/", ".")
        reached = self.reach.tests_of(mutant.file, mutant.lines)
        quick = sorted(reached, key=lambda name: (name != f"unit.{stem}", self.reach.seconds[name], name))
        units = [name for name in quick if self.tree.tests[name].is_unit]
        return units, [name for name in quick if name not in units][:FLOWS_MAX]

    def is_red(self, tree, name):
        usual = self.reach.seconds[name] * (3 if tree is self.careful else 1)
        return tree.test(tree.tests[name], max(90, 10 * usual), None, int(max(15, 3 * usual)))[0] != 0

    @staticmethod
    def code(tree, file):
        return [(tree.build / o).read_bytes() for o in tree.objects.get(file, [])]

    def first_red(self, tree, units, ran):
        """The unit test that notices; '' if none does. Programs are linked as they are needed."""
        batches = list(BATCHES)
        while units:
            batch, units = units[:batches[0]], units[batches[0]:]
            batches = batches[1:] or batches
            failed = tree.ninja(batch)
            if failed:
                raise NotBuilt(failed)
            for name in batch:
                ran.append(name)
                if self.is_red(tree, name):
                    return name
        return ""

    def verdict(self, mutant, text):
        """(what, the tests that were run, which was red); what: 'killed', 'survived', 'not compiled', 'same code'"""
        ran, changed = [], []
        try:
            return self.judge(mutant, text, ran, changed)
        except NotBuilt:
            return "not compiled", ran, ""
        finally:
            for tree in changed:
                (tree.source / mutant.file).write_text(text)

    def change(self, tree, mutant, text, changed):
        (tree.source / mutant.file).write_text(mutant.apply(text))
        changed.append(tree)
        failed = tree.ninja(tree.objects.get(mutant.file, []))
        if failed:
            raise NotBuilt(failed)

    def judge(self, mutant, text, ran, changed):
        if mutant.file not in self.original:
            if self.tree.ninja(self.tree.objects.get(mutant.file, [])):
                sys.exit(f"{mutant.file} does not compile")
            self.original[mutant.file] = self.code(self.tree, mutant.file)
        self.change(self.tree, mutant, text, changed)
        if self.code(self.tree, mutant.file) == self.original[mutant.file]:
            return "same code", ran, ""
        units, flows = self.order(mutant)
        by = self.first_red(self.tree, units, ran)
        if not by and units and not self.options.plain:
            self.change(self.careful, mutant, text, changed)
            by = self.first_red(self.careful, units, [])
        if not by and not self.options.units and flows:
            by = self.red_flow(flows, ran)
        return ("killed" if by else "survived"), ran, by

    def red_flow(self, flows, ran):
        failed = self.tree.ninja(self.programs)
        if failed:
            raise NotBuilt(failed)
        for name in flows:
            ran.append(name)
            # a whole system on a busy machine: it counts when it is red twice
            if self.is_red(self.tree, name) and self.is_red(self.tree, name):
                return name
        return ""


class NotBuilt(Exception):
    pass


def work(worker, drawn, texts, listed, next_index, needed, results):
    adopt()
    signal.signal(signal.SIGTERM, lambda *_: (end_descendants(), os._exit(1)))
    while True:
        with next_index.get_lock():
            index = next_index.value
            if needed.value <= 0 or index >= len(drawn):
                break
            next_index.value += 1
        mutant = drawn[index]
        begin = time.monotonic()
        if (mutant.file, mutant.function, mutant.text) in listed:
            what, ran, by = "equivalent", [], ""
        else:
            what, ran, by = worker.verdict(mutant, texts[mutant.file])
        if what in COUNTED:
            with needed.get_lock():
                needed.value -= 1
        results.put((index, what, ran, by, time.monotonic() - begin))
    results.put((None, "", [], "", 0))


# ---- the whole ----

def copy(place, reach, options):
    """Of the copy that was measured: the repository may have changed since."""
    place.mkdir(parents=True, exist_ok=True)
    # without debug information an object is the same wherever it is compiled: ccache shares them
    tree = Tree(place, options, {"CCACHE_BASEDIR": str(place), "CCACHE_NOHASHDIR": "1"})
    tree.lay(reach.tree.source)
    tree.configure()
    tree.tests = {name: test.moved(reach.tree, tree) for name, test in reach.tree.tests.items()}
    return tree


def run(place, reach, drawn, texts, listed, options):
    """[(index of the mutant, what, tests, which was red, seconds)], in the order of the draw"""
    programs = reach.programs()
    queue = multiprocessing.Queue()
    next_index, needed = multiprocessing.Value("i", 0), multiprocessing.Value("i", options.n)
    running, results = [], []
    for number in range(1, options.workers + 1):
        worker = Worker(copy(place / str(number), reach, PLAIN),
                        None if options.plain else copy(place / f"{number}s", reach, CAREFUL),
                        reach, programs, options)
        running.append(multiprocessing.Process(target=work, args=(worker, drawn, texts, listed, next_index, needed,
                                                                  queue)))
        running[-1].start()
    left = len(running)
    try:
        while left:
            index, what, ran, by, seconds = result = queue.get()
            if index is None:
                left -= 1
                continue
            results.append(result)
            if what == "survived":
                say(described(drawn[index], texts, ran))
            elif what in COUNTED:
                say(f"{drawn[index].file}:{drawn[index].line}: {drawn[index].kind}: {what}{' by ' + by if by else ''} "
                    f"({len(ran)} tests, {seconds:.0f} s)")
    finally:
        for process in running:
            process.terminate()
    # whichever worker was quicker, the first N that count are taken
    results.sort()
    kept = []
    for result in results:
        if sum(r[1] in COUNTED for r in kept) < options.n:
            kept.append(result)
    return kept


def described(mutant, texts, ran):
    old, new = mutant.shown(texts[mutant.file])
    changed = [f"  - {line.strip()}" for line in old.splitlines()] + [
        f"  + {line.strip()}" for line in new.splitlines() if line.strip()]
    return "\n".join([f"\n{mutant.file}:{mutant.line}: {mutant.function}: {NAMES[mutant.kind]}", *changed,
                      f"  {mutant.file}\t{mutant.function}\t{mutant.text}",
                      f"  tests: {' '.join(ran) if ran else 'none reaches it'}"])


def report(results, drawn, texts, took, options):
    counts = collections.defaultdict(collections.Counter)
    kinds = collections.defaultdict(collections.Counter)
    for index, what, _, _, _ in results:
        if what in COUNTED:
            for folder in (drawn[index].file.split("/")[0], "all"):
                counts[folder][what] += 1
            kinds[drawn[index].kind][what] += 1
    say("\n== survivors")
    for index, what, ran, _, _ in results:
        if what == "survived":
            say(described(drawn[index], texts, ran))
    out = collections.Counter(what for _, what, _, _, _ in results)
    say(f"\n== seed {options.seed}, {took / 60:.1f} minutes; not compiled {out['not compiled']}, "
        f"the same code {out['same code']}")
    for table, title in ((kinds, "kind"), (counts, "folder")):
        say(f"{title:12} killed survived equivalent  killed of those that are not equivalent")
        for name in sorted(table, key=lambda n: (n == "all", n)):
            c = table[name]
            real = c["killed"] + c["survived"]
            rate = f"{100 * c['killed'] / real:.0f} %" if real else "-"
            say(f"{name:12} {c['killed']:6} {c['survived']:8} {c['equivalent']:10}  {rate}")


def main():
    parser = argparse.ArgumentParser(prog="mutants.sh", description="See tests/README.md.")
    parser.add_argument("n", type=int, help="how many mutants")
    parser.add_argument("seed", type=int)
    parser.add_argument("parts", nargs="*", default=[], help="folders or files; without: all of " + " ".join(FOLDERS))
    parser.add_argument("--units", action="store_true", help="unit tests only")
    parser.add_argument("--plain", action="store_true", help="not once more with sanitizers what no unit test notices")
    parser.add_argument("--list", action="store_true", help="print the mutants, run nothing")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dir", type=pathlib.Path, help="where copies of the tree are built; build/mutants")
    options = parser.parse_args()
    repository = pathlib.Path(__file__).resolve().parents[3]
    place = (options.dir or repository / "build/mutants").resolve()
    begin = time.monotonic()

    listed = equivalent(repository)
    reach = Reach(place / "reach")
    if not options.list:
        reach.lay(repository)
        repository = reach.tree.source
    drawn, texts = population(repository, options.parts or list(FOLDERS))
    if not drawn:
        sys.exit(f"no C source of {' '.join(FOLDERS)} in {' '.join(options.parts)}")
    there = {(m.file, m.function, m.text) for m in drawn}
    for entry in listed:
        if entry[0] in texts and entry not in there:
            say(f"equivalent-mutants.tsv: there is no such mutant any more: {' '.join(entry)}")
    everything = len(drawn)
    random.Random(options.seed).shuffle(drawn)
    say(f"{everything} mutants in {len(texts)} files; {min(options.n, everything)} of them, seed {options.seed}")
    if options.list:
        for mutant in drawn[:options.n]:
            say(f"{mutant.file}:{mutant.line}\t{mutant.function}\t{mutant.kind}\t{mutant.text}")
        return

    adopt()
    reach.measure(lambda test: test.is_unit or not options.units, options.workers, say)
    for name in [n for n, seconds in reach.seconds.items() if seconds > FLOW_MAX and not n.startswith("unit.")]:
        del reach.lines[name]
    say(f"{(time.monotonic() - begin) / 60:.1f} minutes until it is known which test reaches what")
    results = run(place, reach, drawn, texts, listed, options)
    report(results, drawn, texts, time.monotonic() - begin, options)


if __name__ == "__main__":
    main()
