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

OPTIONS = ["-DCMAKE_C_FLAGS=-w", "-DCMAKE_C_FLAGS_DEBUG=-O1 -g0"]
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
    def __init__(self, number, tree, reach, programs, options):
        self.number, self.tree, self.reach, self.programs, self.options = number, tree, reach, programs, options
        self.original = {}

    def order(self, mutant):
        """Named like the file first, then the quickest; flows behind."""
        stem = os.path.splitext(mutant.file)[0].replace("/", ".")
        reached = [self.tree.tests[name] for name in self.reach.tests_of(mutant.file, mutant.lines)]
        quick = sorted(reached, key=lambda t: (t.name != f"unit.{stem}", self.reach.seconds[t.name], t.name))
        units = [t for t in quick if t.is_unit]
        flows = [t for t in quick if not t.is_unit]
        return units, flows[:FLOWS_MAX]

    def is_red(self, test):
        usual = self.reach.seconds[test.name]
        return self.tree.test(test, max(90, 10 * usual), None, int(max(15, 3 * usual)))[0] != 0

    def objects(self, file):
        return self.tree.objects.get(file, [])

    def code(self, file):
        return [(self.tree.build / o).read_bytes() for o in self.objects(file)]

    def verdict(self, mutant, text):
        """(what, the tests that were run); what: 'killed', 'survived', 'not compiled', 'same code'"""
        path = self.tree.source / mutant.file
        if mutant.file not in self.original:
            if self.tree.ninja(self.objects(mutant.file)):
                sys.exit(f"{mutant.file} does not compile")
            self.original[mutant.file] = self.code(mutant.file)
        path.write_text(mutant.apply(text))
        try:
            if self.tree.ninja(self.objects(mutant.file)):
                return "not compiled", [], ""
            if self.code(mutant.file) == self.original[mutant.file]:
                return "same code", [], ""
            return self.tests(mutant)
        finally:
            path.write_text(text)

    def tests(self, mutant):
        units, flows = self.order(mutant)
        ran = []
        batches = list(BATCHES)
        while units:
            batch, units = units[:batches[0]], units[batches[0]:]
            batches = batches[1:] or batches
            if self.tree.ninja([t.name for t in batch]):
                return "not compiled", ran, ""  # does not link
            for test in batch:
                ran.append(test.name)
                if self.is_red(test):
                    return "killed", ran, test.name
        if self.options.units or not flows:
            return "survived", ran, ""
        if self.tree.ninja(self.programs):
            return "not compiled", ran, ""
        for test in flows:
            ran.append(test.name)
            # a whole system on a busy machine: it counts when it is red twice
            if self.is_red(test) and self.is_red(test):
                return "killed", ran, test.name
        return "survived", ran, ""


def work(worker, drawn, texts, listed, next_index, needed, results):
    adopt()
    signal.signal(signal.SIGTERM, lambda *_: (end_descendants(), os._exit(1)))
    os.nice(5)
    valid = 0
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
        if what in ("killed", "survived", "equivalent"):
            with needed.get_lock():
                needed.value -= 1
        results.put((index, what, ran, by, time.monotonic() - begin))
    results.put((None, valid, [], "", 0))


# ---- the whole ----

def prepare(repository, place, reach, count, wanted):
    programs = reach.programs()
    workers = []
    for number in range(1, count + 1):
        # without debug information an object is the same wherever it is compiled: ccache shares them
        tree = Tree(place / str(number), OPTIONS, {"CCACHE_BASEDIR": str(place / str(number)), "CCACHE_NOHASHDIR": "1"})
        tree.place.mkdir(parents=True, exist_ok=True)
        tree.lay(repository)
        tree.configure()
        tree.tests = {name: test.moved(reach.tree, tree) for name, test in reach.tree.tests.items()}
        workers.append((number, tree))
    return programs, workers


def report(results, drawn, texts, took, options):
    counts = collections.defaultdict(collections.Counter)
    kinds = collections.defaultdict(collections.Counter)
    for index, what, _, _, _ in results:
        if what in ("killed", "survived", "equivalent"):
            for folder in (drawn[index].file.split("/")[0], "all"):
                counts[folder][what] += 1
            kinds[drawn[index].kind][what] += 1
    survivors = [r for r in results if r[1] == "survived"]
    say("\n== survivors")
    for index, _, ran, _, _ in survivors:
        mutant = drawn[index]
        old, new = mutant.shown(texts[mutant.file])
        say(f"\n{mutant.file}:{mutant.line}: {mutant.function}: {NAMES[mutant.kind]}")
        say("".join(f"  - {line.strip()}\n" for line in old.splitlines()) +
            "".join(f"  + {line.strip()}\n" for line in new.splitlines() if line.strip()) +
            f"  {mutant.file}\t{mutant.function}\t{mutant.text}\n" +
            f"  tests: {' '.join(ran) if ran else 'none reaches it'}")
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
    parser.add_argument("--list", action="store_true", help="print the mutants, run nothing")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dir", type=pathlib.Path, help="where copies of the tree are built; build/mutants")
    options = parser.parse_args()
    repository = pathlib.Path(__file__).resolve().parents[3]
    place = (options.dir or repository / "build/mutants").resolve()
    begin = time.monotonic()

    drawn, texts = population(repository, options.parts or list(FOLDERS))
    if not drawn:
        sys.exit(f"no C source of {' '.join(FOLDERS)} in {' '.join(options.parts)}")
    listed = equivalent(repository)
    everything = len(drawn)
    random.Random(options.seed).shuffle(drawn)
    say(f"{everything} mutants in {len(texts)} files; {min(options.n, everything)} of them, seed {options.seed}")
    if options.list:
        for mutant in drawn[:options.n]:
            say(f"{mutant.file}:{mutant.line}\t{mutant.function}\t{mutant.kind}\t{mutant.text}")
        return

    adopt()
    reach = Reach(place / "reach", options.workers)

    def wanted(test):
        return test.is_unit or not options.units
    reach.measure(repository, wanted, say)
    for name in [n for n, seconds in reach.seconds.items() if seconds > FLOW_MAX and not n.startswith("unit.")]:
        del reach.lines[name]
    say(f"{(time.monotonic() - begin) / 60:.1f} minutes until it is known which test reaches what")
    programs, trees = prepare(repository, place, reach, options.workers, wanted)
    results_queue = multiprocessing.Queue()
    next_index, needed = multiprocessing.Value("i", 0), multiprocessing.Value("i", options.n)
    running = []
    for number, tree in trees:
        worker = Worker(number, tree, reach, programs, options)
        process = multiprocessing.Process(target=work, args=(worker, drawn, texts, listed, next_index, needed,
                                                             results_queue))
        process.start()
        running.append(process)
    results, left = [], len(running)
    try:
        while left:
            result = results_queue.get()
            if result[0] is None:
                left -= 1
                continue
            results.append(result)
            index, what, ran, by, seconds = result
            mutant = drawn[index]
            if what not in ("not compiled", "same code"):
                say(f"{mutant.file}:{mutant.line}: {mutant.kind}: {what}{' by ' + by if by else ''} "
                    f"({len(ran)} tests, {seconds:.0f} s)")
    finally:
        for process in running:
            process.terminate()
    # in the order of the draw, whichever worker was quicker
    results.sort(key=lambda r: r[0])
    counted, kept = 0, []
    for result in results:
        if counted < options.n:
            kept.append(result)
        counted += result[1] in ("killed", "survived", "equivalent")
    report(kept, drawn, texts, time.monotonic() - begin, options)


if __name__ == "__main__":
    main()
