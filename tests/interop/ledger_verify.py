# SPDX-License-Identifier: Apache-2.0
"""ledger_verify.py FOLDER [KEYFILE]: a stranger's verifier, of Python's standard library, written
from db/LEDGER.md and C2SP. It verifies key, P-256 signature under the checkpoint, each entry
up to the signed root, each tile, and that a certificate was intended before it was issued, once.
Not: the form and order of other leaves (ledger_rules.py), what RAs, officers and the CA signed."""
import base64, hashlib, json, os, re, sys

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
SPKI = bytes.fromhex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')  # and x, and y

def sha(*parts):
    return hashlib.sha256(b''.join(parts)).digest()

def need(fact, text):
    if not fact:
        raise ValueError(text)

def add(p, q):  # two points; None is infinity
    if p is None or q is None:
        return p or q
    if p[0] == q[0] and (p[1] + q[1]) % P == 0:
        return None
    up, down = (3 * p[0] * p[0] - 3, 2 * p[1]) if p == q else (q[1] - p[1], q[0] - p[0])
    slope = up * pow(down, -1, P)
    x = (slope * slope - p[0] - q[0]) % P
    return x, (slope * (p[0] - x) - p[1]) % P

def times(k, p):
    return add(times(k >> 1, add(p, p)), p if k & 1 else None) if k else None

def der(octets, tag):  # the content of the first element, and what is behind it
    need(len(octets) > 1 and octets[0] == tag and octets[1] != 128, 'DER: tag')
    k = octets[1] & 127 if octets[1] > 127 else 0
    n = int.from_bytes(octets[2:2 + k] if k else octets[1:2], 'big')
    need(len(octets) >= 2 + k + n and (k == 0 or n >= max(128, 1 << 8 * (k - 1))), 'DER: length')
    return octets[2 + k:2 + k + n], octets[2 + k + n:]

def verifies(point, signature, text):  # ECDSA with SHA-256; never to sign: not in constant time
    pair, behind = der(signature, 0x30)
    r, tail = der(pair, 2)
    s, tail = der(tail, 2)
    is_der = [i and i[0] < 128 and (i[0] or i[1:2] > b'\x7f') for i in (r, s)]
    need(all(is_der) and not behind + tail, 'signature: DER')
    r, s, digest = (int.from_bytes(i, 'big') for i in (r, s, sha(text)))
    need(0 < r < N and 0 < s < N, 'signature: out of its range')
    w = pow(s, -1, N)
    found = add(times(digest * w % N, G), times(r * w % N, point))
    return found is not None and found[0] % N == r

def decode(text):
    octets = base64.b64decode(text, validate=True)
    need(octets and base64.b64encode(octets).decode() == text, 'base64: empty, or not canonical')
    return octets

def read_key(text):
    origin, key_id, key = text.rstrip('\n').split('+', 2)
    spki = decode(key)[1:]
    x, y = int.from_bytes(spki[27:59], 'big'), int.from_bytes(spki[59:], 'big')
    need(decode(key)[:28] == b'\2' + SPKI and key_id == sha(spki)[:4].hex(), 'key: form, or id')
    need(x < P and y < P and (y * y - x * x * x + 3 * x - B) % P == 0, 'key: not on the curve')
    return origin, sha(spki)[:4], (x, y)

def read_checkpoint(note, key):  # size and root
    need(len(note) <= 65536 and not re.search(b'[\0-\x09\x0b-\x1f\x7f]', note), 'note: octets')
    text, _, lines = note.decode().rpartition('\n\n')
    need(lines.endswith('\n') and text.count('\n') == 2, 'note: form')
    own = []
    for line in lines[:-1].split('\n'):
        dash, name, signed = line.split(' ')
        need(dash == '\u2014' and name and '+' not in name and len(signed) > 6, 'note: a line')
        if (name, decode(signed)[:4]) == key[:2]:  # whose the others are is not known here
            own.append(verifies(key[2], decode(signed)[4:], text.encode() + b'\n'))
    origin, size, root = text.split('\n')
    need(own and all(own), 'note: the signature is wrong, or there is none of the log')
    need(origin == key[0] and re.fullmatch('0|[1-9][0-9]{0,17}', size), 'checkpoint: form')
    return int(size), decode(root)

def read_file(folder, level, n, width):  # the full one, else the partial: name, octets, how many
    groups = re.findall('...', str(n).zfill((len(str(n)) + 2) // 3 * 3))
    name = f'tile/{level}/' + '/'.join(['x' + g for g in groups[:-1]] + groups[-1:])
    full = width == 256 or os.path.exists(os.path.join(folder, name))
    name += '' if full else f'.p/{width}'
    with open(os.path.join(folder, name), 'rb') as f:
        return name, f.read(), 256 if full else width

def entries(octets, at=0):
    while at < len(octets):
        n = int.from_bytes(octets[at:at + 2], 'big')
        yield octets[at + 2:at + 2 + n]
        at += 2 + n

def root_of(hashes):  # RFC 6962 2.1
    if len(hashes) < 2:
        return hashes[0] if hashes else sha()
    k = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b'\1', root_of(hashes[:k]), root_of(hashes[k:]))

def read_bodies(folder, size):
    for n in range(0, size, 256):
        name, octets, count = read_file(folder, 'entries', n // 256, min(256, size - n))
        found = list(entries(octets))
        need(len(found) == count, f'{name}: {len(found)} entries, not {count}')
        yield from found[:size - n]

def check_tiles(folder, hashes, level=0):
    for n in range(0, len(hashes), 256):
        name, octets, count = read_file(folder, level, n // 256, min(256, len(hashes) - n))
        is_right = octets.startswith(b''.join(hashes[n:n + 256]))
        need(is_right and len(octets) == 32 * count, f'{name}: another hash')
    above = [root_of(hashes[n:n + 256]) for n in range(0, len(hashes) - 255, 256)]
    if above:
        check_tiles(folder, above, level + 1)

def check_certificates(bodies):  # gives how many were intended and not issued
    intents = {}
    for i, leaf in enumerate(map(json.loads, bodies)):
        kind, serial = leaf['kind'], leaf.get('serial')
        if kind == 'INTENT':
            need(serial not in intents, f'leaf {i}: intended twice')
            intents[serial] = leaf
        elif kind == 'ISSUED':
            content = der(decode(leaf['certificate']), 0x30)[0]
            tbs = content[:len(content) - len(der(content, 0x30)[1])]
            intent = intents.pop(serial, {})
            need(intent.get('rid') == leaf['rid'] and intent['tbs'] == sha(tbs).hex(),
                 f'leaf {i}: issued, and not as it was intended before')
        elif kind == 'REJECTED':
            intents.pop(serial, None)
    return len(intents)

def verify(folder, key_file=None):  # gives the leaves, and what to say of them
    with open(key_file or os.path.join(folder, 'log.vkey'), encoding='ascii') as f:
        key = read_key(f.read())
    with open(os.path.join(folder, 'checkpoint'), 'rb') as f:
        size, root = read_checkpoint(f.read(), key)
    bodies = list(read_bodies(folder, size))
    hashes = [sha(b'\0', body) for body in bodies]
    need(root_of(hashes) == root, 'the leaves have another root than the checkpoint')
    check_tiles(folder, hashes)
    return bodies, f'verified: {key[0]}, {size} leaves, {check_certificates(bodies)} intents open'

if __name__ == '__main__':
    try:
        print(verify(*sys.argv[1:])[1])
    except (ValueError, KeyError, OSError) as e:
        sys.exit(f'NOT VERIFIED: {e}')
