#!/usr/bin/env python3
"""Runs a program at a terminal of its own and types answers.

usage: type_at.py ANSWERS COMMAND [ARGUMENT ...]

Each line of ANSWERS is PATTERN<TAB>ANSWER. Whenever the program waits behind a text that matches a
PATTERN, ANSWER is typed; groups of the pattern are \\1 in the answer, @NOW@ is the time in UTC and
@INT@ is an interrupt (^C). What the program writes is copied to stdout. The exit status is its own.
"""
import os
import pty
import re
import select
import sys
import time


def answer_of(template, match):
    text = match.expand(template)
    return text.replace("@NOW@", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


def talk(terminal, rules):
    seen = ""
    while True:
        ready, _, _ = select.select([terminal], [], [], 120)
        if not ready:
            sys.exit("nothing was said for two minutes after: " + seen[-300:])
        try:
            data = os.read(terminal, 65536)
        except OSError:
            return
        if not data:
            return
        text = data.decode(errors="replace")
        sys.stdout.write(text)
        seen += text
        for pattern, template in rules:
            match = None
            for match in re.finditer(pattern, seen):
                pass
            if match and re.fullmatch(r"[\s>]*", seen[match.end():]):
                answer = answer_of(template, match)
                os.write(terminal, b"\x03" if answer == "@INT@" else answer.encode() + b"\n")
                seen = ""
                break


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        rules = [line.rstrip("\n").split("\t", 1) for line in file if line.strip()]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.argv[2], sys.argv[2:])
    talk(terminal, rules)
    _, status = os.waitpid(pid, 0)
    sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


main()
