#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ledger_messages.py FOLDER: is what leaves name by its SHA-256 published, and that? Written from LEDGER.md, "Messages";
the leaves themselves are for ledger_verify.py."""
import json, os, sys

from ledger_verify import entries, need, read_file, sha

NAMING = dict(REQUEST='rid', AGAIN='again', INTENT='rid', REFUSAL='rid', CONFIRMED='certConf', REJECTED='certConf', REVOKED='rr')


def named(leaf):
    return None if leaf['kind'] == 'INTENT' and 'registration' in leaf else leaf.get(NAMING.get(leaf['kind']))


def count(folder, size):
    there = missing = 0
    for n in range(0, size, 256):
        width = min(256, size - n)
        leaves = [json.loads(body) for body in list(entries(read_file(folder, 'entries', n // 256, width)[1]))[:width]]
        name, rest, full = read_file(folder, 'messages', n // 256, width)
        for wanted in filter(None, map(named, leaves)):
            length = int.from_bytes(rest[:4], 'big')
            need(len(rest) >= 4 + length, f'{name}: cut')
            need(not length or sha(rest[4:4 + length]).hex() == wanted, f'{name}: another message than {wanted}')
            there, missing, rest = there + bool(length), missing + (not length), rest[4 + length:]
        need(not rest or full > width, f'{name}: octets behind the messages')
    return f'{there} messages, {missing} missing'


if __name__ == '__main__':
    with open(os.path.join(sys.argv[1], 'checkpoint'), encoding='utf-8') as f:
        print(count(sys.argv[1], int(f.read().split('\n')[1])))
