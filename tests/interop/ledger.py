# SPDX-License-Identifier: Apache-2.0
"""ledger.py SOURCE FOLDER BIN: what ledger_verify.py, ledger_rules.py, FOLDER/ledger_reader and nfpki-audit say about ledgers of
each version of the record, about the example in LEDGER.md, and about ledgers that somebody changed."""
import base64, json, os, re, shutil, subprocess, sys

from ledger_messages import count as messages
from ledger_rules import quote, verify_rules
from ledger_verify import G, N, SPKI, entries, need, read_checkpoint, read_file, read_key, root_of, sha, times, verify

source, scratch, programs = sys.argv[1:]
FORMAT = os.path.join(source, 'db/LEDGER.md')
VECTORS = os.path.join(source, 'tests/vectors/ledger')
ORIGIN = 'example.org/ledger'
SECRET = int.from_bytes(sha(b'nfpki: an example, and no secret'), 'big') % N


def der(tag, octets):
    return bytes([tag, len(octets)]) + octets


def number(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, 'big'))


def sign(text):  # for a test, whose key is no secret: not in constant time
    k = int.from_bytes(sha(str(SECRET).encode(), text), 'big') % N
    r = times(k, G)[0] % N
    s = pow(k, -1, N) * (int.from_bytes(sha(text), 'big') + r * SECRET) % N
    return der(0x30, number(r) + number(s))


def write(path, octets):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(octets)


def read(path):
    with open(path, 'rb') as f:
        return f.read()


def make(folder, bodies):  # a ledger of at most 255 leaves, signed by the key of the test
    shutil.rmtree(folder, ignore_errors=True)
    point = times(SECRET, G)
    spki = SPKI + point[0].to_bytes(32, 'big') + point[1].to_bytes(32, 'big')
    hashes = [sha(b'\0', body) for body in bodies]
    text = f'{ORIGIN}\n{len(bodies)}\n{base64.b64encode(root_of(hashes)).decode()}\n'
    line = base64.b64encode(sha(spki)[:4] + sign(text.encode())).decode()
    write(f'{folder}/log.vkey', f'{ORIGIN}+{sha(spki)[:4].hex()}+{base64.b64encode(bytes([2]) + spki).decode()}\n'.encode())
    write(f'{folder}/checkpoint', f'{text}\n\u2014 {ORIGIN} {line}\n'.encode())
    if bodies:
        write(f'{folder}/tile/0/000.p/{len(bodies)}', b''.join(hashes))
        write(f'{folder}/tile/entries/000.p/{len(bodies)}', b''.join(len(b).to_bytes(2, 'big') + b for b in bodies))


def says(verifier):  # a stranger's, in Python
    def ask(folder):
        try:
            return verifier(folder)
        except (ValueError, KeyError, OSError) as e:
            return f'NOT VERIFIED: {e}'
    return ask


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    need(done.returncode in (0, 1), f'{command}: {done.returncode} {done.stderr}')
    return 'verified' if done.returncode == 0 else 'NOT VERIFIED: ' + done.stderr


READERS = {'python': says(lambda folder: verify(folder)[1]), 'rules': says(lambda folder: verify_rules(FORMAT, folder)), 'go': lambda folder: run(f'{scratch}/ledger_reader', folder),
           'nfpki-audit': lambda folder: run(f'{programs}/nfpki-audit', '--ledger', folder, 'verify')}


def expect(name, folder, wanted, readers=READERS):
    for reader in readers:
        said = READERS[reader](folder)
        if not re.match(wanted, said):
            sys.exit(f'{name}: {reader}: {said}')


def bodies_of(folder):
    size, _ = read_checkpoint(read(f'{folder}/checkpoint'), read_key(read(f'{folder}/log.vkey').decode()))
    return list(entries(read_file(folder, 'entries', 0, size)[1]))


def leaf(**members):
    return ('{' + ','.join(quote(k) + ':' + (quote(v) if isinstance(v, str) else json.dumps(v))
                           for k, v in sorted(members.items())) + '}').encode()


# ---- ledgers of before, and the example ----

def vectors():
    for version in sorted(os.listdir(VECTORS)):
        if os.path.isdir(f'{VECTORS}/{version}'):
            for name in sorted(os.listdir(f'{VECTORS}/{version}')):
                yield f'{VECTORS}/{version}/{name}'


def example():
    with open(FORMAT, encoding='utf-8') as f:
        leaves, hashes, key, checkpoint = re.findall('```\n(.*?)```', f.read().split('\n## An example\n')[1], flags=re.S)
    bodies = leaves.encode().split(b'\n')[:-1]
    folder = f'{scratch}/example'
    make(folder, bodies)
    need(read(f'{folder}/log.vkey').decode() == key, f'the key of the example is\n{read(folder + "/log.vkey").decode()}')
    need(read(f'{folder}/checkpoint').decode() == checkpoint,
         f'the checkpoint of the example is\n{read(folder + "/checkpoint").decode()}')
    own = [sha(b'\0', body) for body in bodies]
    own = own + [sha(b'\1', own[0], own[1]), root_of(own)]
    need(hashes.split() == [h.hex() for h in own], 'the hashes of the example are\n' + '\n'.join(h.hex() for h in own))
    expect('example', folder, 'verified')


def history():  # with every kind of leaf (tests/support/history), and a sample of its octets flipped
    folder = f'{scratch}/history'
    subprocess.run([f'{programs}/history', folder], check=True, env={**os.environ, 'TMPDIR': scratch})
    expect('history', folder, 'verified')
    size = len(bodies_of(folder))
    need(messages(folder, size).endswith(' 1 missing'), 'history: ' + messages(folder, size))  # of what was adopted
    for name in ('log.vkey', 'checkpoint', *(f'tile/{kind}/000.p/{size}' for kind in ('0', 'entries', 'messages'))):
        octets = read(f'{folder}/{name}')
        for at in range(0, len(octets), len(octets) // 12):
            write(f'{folder}/{name}', octets[:at] + bytes([octets[at] ^ 1 << at % 8]) + octets[at + 1:])
            said = says(lambda of: messages(of, size))(folder) if 'messages' in name else READERS['python'](folder)
            need(said.startswith('NOT VERIFIED'), f'{name}, octet {at}: {said}')
        write(f'{folder}/{name}', octets)


# ---- somebody changed it ----

def flipped(path, at):
    octets = bytearray(read(path))
    octets[at] ^= 1
    write(path, octets)


def files_changed(folder, size):  # without the log's key
    entry, tile = f'{folder}/tile/entries/000.p/{size}', f'{folder}/tile/0/000.p/{size}'
    return {
        'a leaf': lambda: flipped(entry, 40),
        'a length': lambda: flipped(entry, 1),
        'a hash': lambda: flipped(tile, 33),
        'the root': lambda: flipped(f'{folder}/checkpoint', read(f'{folder}/checkpoint').index(b'=') - 9),
        'the signature': lambda: flipped(f'{folder}/checkpoint', -9),
        'the key': lambda: flipped(f'{folder}/log.vkey', -9),
        'the last leaf is cut': lambda: write(entry, read(entry)[:-1]),
        'an octet more': lambda: write(entry, read(entry) + b'\0'),
        'a hash more': lambda: write(tile, read(tile) + bytes(32)),
        'no leaves': lambda: os.unlink(entry),
        'no hashes': lambda: os.unlink(tile),
        'no checkpoint': lambda: os.unlink(f'{folder}/checkpoint'),
        'no signature': lambda: write(f'{folder}/checkpoint', read(f'{folder}/checkpoint').rpartition(b'\xe2')[0]),
        'two leaves changed places': lambda: write(entry, b''.join(
            len(b).to_bytes(2, 'big') + b for b in (lambda a: [a[1], a[0], *a[2:]])(list(entries(read(entry)))))),
    }


def edited(bodies, i, **changes):
    members = json.loads(bodies[i])
    members.update(changes)
    return [*bodies[:i], leaf(**{k: v for k, v in members.items() if v is not None}), *bodies[i + 1:]]


def first(bodies, kind, skip=0):
    return [i for i, b in enumerate(bodies) if json.loads(b)['kind'] == kind][skip]


def without(bodies, i):
    return bodies[:i] + bodies[i + 1:]


def moved(bodies, i, to):
    return (lambda rest: rest[:to] + [bodies[i]] + rest[to:])(without(bodies, i))


def rewritten(bodies):  # with the log's key: the hashes are right, the order or the form is not
    issued, intent, start = first(bodies, 'ISSUED'), first(bodies, 'INTENT'), first(bodies, 'START')
    confirmed = next(i for i, b in enumerate(bodies) if json.loads(b).get('supersededBy')) if any(
        json.loads(b).get('supersededBy') for b in bodies) else None
    yield 'issued without an intent', without(bodies, intent)
    yield 'issued before its intent', moved(bodies, issued, intent)
    yield 'issued twice', moved(bodies + [bodies[issued]], len(bodies), issued + 1)
    yield 'another TBSCertificate', edited(bodies, intent, tbs='00' * 32)
    yield 'another rid', edited(bodies, intent, rid='00' * 32)
    yield 'another end', edited(bodies, intent, notAfter='2040-01-01T00:00:00Z')
    yield 'a version that nobody knows', edited(bodies, start, record=1000)
    yield 'a version that goes back', bodies + edited([bodies[start]], 0, record=None, time=json.loads(bodies[-1])['time'])
    yield 'a head that is not there', without(bodies, first(bodies, 'QUEUE-HEAD'))
    yield 'a CRL without its intent', without(bodies, first(bodies, 'CRL-INTENT', 1))
    yield 'a CRL with another number', edited(bodies, first(bodies, 'CRL', 1), number=999)
    yield 'a revocation that is left out', edited(bodies, first(bodies, 'REVOKED'), kind='ADOPTED', reason=None, by=None, rr=None,
                                                  revocationDate=None, supersededBy=None, invalidityDate=None, **{'from': 'crl'})
    yield 'revoked twice', bodies + [bodies[first(bodies, 'REVOKED')]]
    if confirmed is not None:
        yield 'superseded before the confirmation', moved(bodies, confirmed, confirmed - 1)
    for name, body in {
            'a kind that nobody knows': leaf(kind='PARTY', time='2026-11-23T20:00:00Z'),
            'a member too many': leaf(kind='STOP', time='2026-11-23T20:00:00Z', reason='x', x='y'),
            'a member too few': leaf(kind='STOP', time='2026-11-23T20:00:00Z'),
            'a number for a text': leaf(kind='STOP', time='2026-11-23T20:00:00Z', reason=1),
            'no date': leaf(kind='STOP', time='2026-02-30T20:00:00Z', reason='x'),
            'a blank': b'{"kind":"STOP", "reason":"x","time":"2026-11-23T20:00:00Z"}',
            'another order': b'{"reason":"x","kind":"STOP","time":"2026-11-23T20:00:00Z"}',
            'twice': b'{"kind":"STOP","reason":"x","reason":"x","time":"2026-11-23T20:00:00Z"}',
            'an escape that is not the one': b'{"kind":"STOP","reason":"\\u00fc","time":"2026-11-23T20:00:00Z"}',
            'half a character': b'{"kind":"STOP","reason":"\\uD83D","time":"2026-11-23T20:00:00Z"}',
            'NUL': b'{"kind":"STOP","reason":"\\u0000","time":"2026-11-23T20:00:00Z"}',
            'UTF-8': '{"kind":"STOP","reason":"\u00fc","time":"2026-11-23T20:00:00Z"}'.encode(),
            'upper case': leaf(kind='CEREMONY', time='2026-11-23T20:00:00Z', head='AB' * 32, name='x'),
            'half an octet': leaf(kind='CEREMONY', time='2026-11-23T20:00:00Z', head='abc', name='x'),
            'no JSON': b'STOP', 'nothing': b''}.items():
        yield name, bodies + [body]


# what says of a certificate that it was not issued as it was intended
CERTIFICATES = ('issued without an intent', 'issued before its intent', 'issued twice', 'another TBSCertificate', 'another rid')


def approvals(bodies):
    approval = first(bodies, 'APPROVAL')
    rid = json.loads(bodies[approval])['rid']
    yield 'without an approval', without(bodies, approval)
    yield 'approved afterwards', moved(bodies, approval, len(bodies) - 1)
    yield 'an officer who is none', edited(bodies, approval, officer='00' * 16)
    yield 'rejected, and intended', edited(bodies, approval, decision='reject')
    need(any(json.loads(b).get('rid') == rid and json.loads(b)['kind'] == 'INTENT' for b in bodies), 'nothing came of it')


def main():
    for folder in vectors():
        expect(folder, folder, 'verified')
    need(messages(f'{VECTORS}/7/asked', 77) == '19 messages, 0 missing', 'the messages of 7/asked')
    example()
    history()
    make(f'{scratch}/empty', [])
    expect('empty', f'{scratch}/empty', 'verified')
    count = 0
    for name in files_changed('', 0):
        folder = f'{scratch}/changed'
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(f'{VECTORS}/3/revoke', folder)
        files_changed(folder, 131)[name]()
        expect(name, folder, 'NOT VERIFIED')
        count += 1
    for vector, changes in (('3/renew_again', rewritten), ('3/approval', approvals)):
        bodies = bodies_of(f'{VECTORS}/{vector}')
        make(f'{scratch}/same', bodies)
        expect(f'{vector}, signed again', f'{scratch}/same', 'verified')
        for name, changed in changes(bodies):
            need(changed != bodies, f'{name}: nothing was changed')
            folder = f'{scratch}/{vector}/{count}'
            make(folder, changed)
            expect(name, folder, 'NOT VERIFIED', ('rules', 'nfpki-audit', *(['python'] if name in CERTIFICATES else [])))
            expect(name, folder, 'verified', ('go',))  # which knows nothing of what is in leaves
            count += 1
    print(f'ok: ledgers of each version, an example and an empty one verified, {count} changed ones refused')


main()
