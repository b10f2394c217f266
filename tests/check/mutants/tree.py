# SPDX-License-Identifier: Apache-2.0
"""Copies of the tree, each with a build folder of its own, and the tests that CTest knows there.

Nothing is ever changed in the tree that the script stands in.
"""
import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FOLDERS = ("base", "pkcs11", "db", "ca", "ra", "ceremony")
KINDS = ("unit.", "fuzz.", "flow.", "fault.", "interop.")
SKIPPED = 77
FILE_MAX = 256 << 20  # what one process may write: a mutant may well write without an end


class Test:
    def __init__(self, name, command, folder, limit):
        self.name, self.command, self.folder, self.limit = name, command, folder, limit
        self.is_unit = name.startswith(("unit.", "fuzz."))

    def moved(self, old, new):
        """The same test in another copy of the tree."""
        def there(text):
            return text.replace(f"{old.place}/", f"{new.place}/")
        return Test(self.name, [there(word) for word in self.command], there(self.folder), self.limit)


def adopt():
    """What a test leaves behind becomes a child of this process, and can be ended."""
    subreaper = 36  # PR_SET_CHILD_SUBREAPER
    ctypes.CDLL(None).prctl(subreaper, 1, 0, 0, 0)


def _descendants():
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = pathlib.Path("/proc", entry, "stat").read_text()
                parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry))
            except OSError:
                pass
    found, seen = [os.getpid()], []
    while found:
        children = parents.get(found.pop(), [])
        seen += children
        found += children
    return seen


def end_descendants():
    for _ in range(200):
        left = _descendants()
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.02)


def _limits(seconds):
    if seconds:  # a loop without an end
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_MAX, FILE_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Tree:
    """A copy below `place`: tree/ and build/."""

    def __init__(self, place, options, environment=None):
        self.environment = environment or {}
        self.place, self.source, self.build = place, place / "tree", place / "build"
        self.options = options
        self.tests = {}
        self.objects = {}

    # ---- files ----

    def lay(self, repository):
        """Files that are the same keep their times, so that only what has changed is built again."""
        listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=repository, check=True,
                                stdout=subprocess.PIPE, text=True).stdout.split("\0")
        wanted = {name for name in listed if name and (repository / name).is_file()}
        for name in wanted:
            there, here = repository / name, self.source / name
            if not here.is_file() or here.read_bytes() != there.read_bytes():
                here.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(there, here)
        for folder, _, files in os.walk(self.source):
            for file in files:
                path = pathlib.Path(folder, file)
                if str(path.relative_to(self.source)) not in wanted and ".git" not in path.parts:
                    path.unlink()
        if not (self.source / ".git").exists():  # some tests ask git what there is
            self.run(["git", "init", "-q"], self.source)
        self.run(["git", "add", "-A"], self.source)

    @staticmethod
    def run(command, folder):
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}")
        return done.stdout

    def configure(self):
        command = ["cmake", "-G", "Ninja", "-S", self.source, "-B", self.build, "-DCMAKE_BUILD_TYPE=Debug",
                   *self.options]
        if shutil.which("ccache"):
            command.append("-DCMAKE_C_COMPILER_LAUNCHER=ccache")
        self.run(command, self.place)
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            file = os.path.relpath(entry["file"], self.source)
            words = entry["command"].split()
            self.objects.setdefault(file, []).append(words[words.index("-o") + 1])

    def list_tests(self):
        """CTest knows the command of what is built only."""
        for entry in json.loads(self.run(["ctest", "--show-only=json-v1"], self.build))["tests"]:
            properties = {p["name"]: p["value"] for p in entry["properties"]}
            if entry["name"].startswith(KINDS) and "command" in entry:
                self.tests[entry["name"]] = Test(entry["name"], entry["command"], properties["WORKING_DIRECTORY"],
                                                 properties.get("TIMEOUT", 300))

    def ninja(self, targets, jobs=2):
        """What it printed, if it failed."""
        done = subprocess.run(["ninja", f"-j{jobs}", *targets], cwd=self.build, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env={**os.environ, **self.environment})
        return done.stdout if done.returncode else None

    # ---- tests ----

    def test(self, test, limit, environment=None, computes=0):
        """Runs it: (exit code or None if it took too long, seconds, what it printed). Ends all of it. No process
        of it may compute for more seconds than `computes`."""
        with tempfile.TemporaryDirectory(prefix="m-") as scratch:
            os.chmod(scratch, 0o755)  # some daemons are another user
            env = {**os.environ, "TMPDIR": scratch, **(environment or {})}
            output = pathlib.Path(scratch, "output")
            begin = time.monotonic()
            with open(output, "wb") as file:
                child = subprocess.Popen(test.command, cwd=test.folder, env=env, stdin=subprocess.DEVNULL, stdout=file,
                                         stderr=subprocess.STDOUT, start_new_session=True,
                                         preexec_fn=lambda: _limits(computes))
                try:
                    code = child.wait(limit)
                except subprocess.TimeoutExpired:
                    code = None
                end_descendants()
            seconds = time.monotonic() - begin
            with open(output, "rb") as file:
                file.seek(max(0, output.stat().st_size - 4000))
                printed = file.read().decode(errors="replace")
            return code, seconds, printed
