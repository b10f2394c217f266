# SPDX-License-Identifier: Apache-2.0
"""The log's signature for ledger_verify.py: P-256 in integers (to verify, never to sign), verifier keys, C2SP signed
notes with a checkpoint, and the forms that leaves share with them: strict DER, base64, times."""
import base64, hashlib, re
from datetime import datetime, timezone

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SPKI = bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')  # and x, and y

def sha(*parts): return hashlib.sha256(b''.join(parts)).digest()
def need(fact, text):
    if not fact: raise ValueError(text)

def add(p, q):  # two points of P-256; None is infinity
    if p is None or q is None: return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0: return None
    up, down = (3 * p[0] * p[0] - 3, 2 * p[1]) if p[0] == q[0] else (q[1] - p[1], q[0] - p[0])
    m = up * pow(down, -1, P)
    x = (m * m - p[0] - q[0]) % P
    return x, (m * (p[0] - x) - p[1]) % P
def times(k, p): return add(times(k >> 1, add(p, p)), p if k & 1 else None) if k else None

def der(octets, tag):  # the content of the first element, and what is behind it
    need(len(octets) > 1 and octets[0] == tag and octets[1] != 128, 'DER: tag')
    k = octets[1] & 127 if octets[1] > 127 else 0
    n = int.from_bytes(octets[2:2 + k] if k else octets[1:2], 'big')
    need(len(octets) >= 2 + k + n and (k == 0 or n >= max(128, 1 << 8 * (k - 1))), 'DER: length')
    return octets[2 + k:2 + k + n], octets[2 + k + n:]
def verifies(point, signature, text):  # ECDSA, SHA-256
    pair, rest = der(signature, 0x30)
    r, tail = der(pair, 2)
    s, tail = der(tail, 2)
    need(not rest + tail and all(i and i[0] < 128 and (i[0] or i[1:2] > b'\x7f') for i in (r, s)), 'signature: DER')
    r, s, hash = (int.from_bytes(i, 'big') for i in (r, s, sha(text)))
    w = pow(s, -1, N) if 0 < r < N and 0 < s < N else 0
    found = add(times(hash * w % N, G), times(r * w % N, point))
    return found is not None and found[0] % N == r

def decode(text):
    octets = base64.b64decode(text, validate=True)
    need(octets and base64.b64encode(octets).decode() == text, 'base64: empty, or not canonical')
    return octets
def when(text):
    at = datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ').replace(tzinfo=timezone.utc)
    need(at.strftime('%Y-%m-%dT%H:%M:%SZ') == text, 'no such time')
    return int(at.timestamp())
def read_key(text):
    origin, id, key = text.rstrip('\n').split('+', 2)
    spki = decode(key)[1:]
    x, y = int.from_bytes(spki[27:59], 'big'), int.from_bytes(spki[59:], 'big')
    need(decode(key)[:28] == b'\2' + SPKI and len(spki) == 91 and id == sha(spki)[:4].hex(), 'key: form, or key id')
    need(x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0, 'key: not on the curve')
    return origin, sha(spki)[:4], (x, y)
def read_checkpoint(note, key):
    need(len(note) <= 65536 and not any(c < 32 and c != 10 or c == 127 for c in note), 'note: form')
    text, _, lines = note.decode().rpartition('\n\n')
    need(lines.endswith('\n') and text.count('\n') == 2, 'note: form')
    own = []
    for dash, name, signed in (line.split(' ') for line in lines[:-1].split('\n')):
        need(dash == '\u2014' and name and '+' not in name and len(decode(signed)) > 4, 'note: a signature line')
        if (name, decode(signed)[:4]) == key[:2]:  # whose the others are is not known here
            own.append(verifies(key[2], decode(signed)[4:], text.encode() + b'\n'))
    origin, size, root = text.split('\n')
    need(own and all(own), 'note: the signature is wrong, or there is none of the log')
    need(origin == key[0] and re.fullmatch('0|[1-9][0-9]{0,17}', size) and len(decode(root)) == 32, 'checkpoint: form')
    return int(size), decode(root)
