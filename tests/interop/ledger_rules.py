# SPDX-License-Identifier: Apache-2.0
"""ledger_rules.py LEDGER.md FOLDER [KEYFILE]: what a stranger verifies beyond ledger_verify.py: the form of each leaf, whose
kinds are read out of LEDGER.md, and what must be true of one behind the other: versions, heads, approvals, updates, CRLs."""
import json, re, sys
from datetime import datetime, timezone
from types import SimpleNamespace

from ledger_verify import decode, der, need, sha, verify

def when(text):
    at = datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ').replace(tzinfo=timezone.utc)
    need(at.strftime('%Y-%m-%dT%H:%M:%SZ') == text, 'no such time')
    return int(at.timestamp())
def read_kinds(path):  # of LEDGER.md: kinds with their members, and the newest version
    with open(path, encoding='utf-8') as f: part = {p.split('\n')[0]: p for p in re.split('^## ', f.read(), flags=re.M)}
    kinds = {p.split('\n')[0]: {m[0]: m[1:] for m in re.findall(r'^\| `(\w+)` \| (\w+)(\??) \|', p, re.M)}
             for p in re.split('^### ', part['Kinds'], flags=re.M)[1:]}
    return kinds, max(map(int, re.findall(r'^\| (\d+) \|', part['Versions'], re.M)))
def quote(text):
    short = dict(zip('"\\\b\f\n\r\t', ('\\"', '\\\\', '\\b', '\\f', '\\n', '\\r', '\\t')))
    units = lambda c: ''.join('\\u' + u for u in re.findall('....', c.encode('utf-16-be').hex().upper()))
    return '"' + ''.join(short.get(c) or (c if ' ' <= c <= '\x7f' else units(c)) for c in text) + '"'
def once(pairs):
    need(len(dict(pairs)) == len(pairs), 'a member is there twice')
    return dict(pairs)
FORMS = {'text': (str, lambda v: '\0' not in v), 'hex': (str, re.compile('([0-9a-f]{2})+').fullmatch), 'base64': (str, decode),
         'time': (str, lambda v: [when(v)]), 'int': (int, lambda v: -2**63 <= v < 2**63), 'bool': (bool, lambda v: True)}
def read_leaf(kinds, body):
    leaf = json.loads(body.decode('ascii'), object_pairs_hook=once)
    members = kinds[leaf['kind']] | {'kind': ('text', ''), 'time': ('time', '')}
    for name, value in leaf.items():
        type_of, is_right = FORMS[members[name][0]]
        need(type(value) is type_of and is_right(value), f'{name} has another form')
    need(all(missing or name in leaf for name, (_, missing) in members.items()), 'a member is missing')
    text = ','.join(quote(k) + ':' + (quote(v) if type(v) is str else json.dumps(v)) for k, v in sorted(leaf.items()))
    need(('{%s}' % text).encode() == body, 'not the one form')
    return leaf

def judge(s, leaf):  # what goes before what
    get, kind, serial, rid, at = leaf.get, leaf['kind'], leaf.get('serial'), leaf.get('rid'), when(leaf['time'])
    s.back += [s.last] if s.version > 3 and at < s.last - 300 else []
    s.n, s.last = s.n + 1, at
    s.confirmed = s.confirmed if kind == 'REVOKED' else (serial, s.updates.pop(serial, None)) if kind == 'CONFIRMED' else (0, 0)
    need(s.version >= {'CRL-INTENT': 2, 'SEALED': 3}.get(kind, 1), 'a kind of a later version')
    if kind in ('START', 'RESTORED', 'ACKNOWLEDGED'):
        need(s.version <= get('record', 1) <= s.newest, 'a version that goes back, or is not known')
        s.version = get('record', 1)
        need(s.version >= 4 or kind != 'ACKNOWLEDGED' and not get('clockSetBack'), 'what a later version has')
        s.back = s.back[:-1] if s.back and get('clockSetBack') and when(get('clockSetBack')) == s.back[-1] else s.back
    elif kind == 'QUEUE-HEAD':
        need(sha(decode(get('text'))).hex() == get('head'), 'head is not of text')
        s.heads[get('head')] = at
    elif kind in ('REQUEST', 'AGAIN'):
        need(s.version < 2 or at - s.heads[get('head')] <= 86400, 'a head that is too old')
        s.waiting |= {rid: [get('approvals')]} if get('approvals', 0) > 0 else {}
    elif kind == 'APPROVAL':
        need(s.profile.get(get('officer')) == 'officer' and get('officer') not in s.open, 'approved by who is no officer')
        s.waiting[rid].append(leaf)
    elif kind == 'INTENT':
        needed, *said = s.waiting.pop(rid, [0])
        people = [a for a in said if a['officer'] not in s.revoked]
        same = lambda a, b: a['key'] == b['key'] or a['subject'] == b['subject']
        people = [a for i, a in enumerate(people) if not any(same(a, b) for b in people[:i])]
        need(len(people) >= max(needed, get('approvals', 0)) and all(a['decision'] == 'approve' for a in said), 'not approved')
        need(serial not in s.open, 'intended twice')
        need(serial in s.adopted or 0 <= at - when(get('notBefore')) <= 7200, 'it begins at another time')
        need(not get('updates') or get('updates') not in s.updates.values(), 'a second update')
        s.open[serial], s.profile[serial], s.ends[serial] = leaf, get('profile'), max(get('notAfter'), s.ends.get(serial, ''))
        s.updates |= {serial: get('updates')} if get('updates') else {}
    elif kind == 'ISSUED':
        content, intent = der(decode(get('certificate')), 0x30)[0], s.open.pop(serial)
        fields, behind = der(content, 0x30)
        number, rest = der(der(fields, 0xa0)[1], 2)
        dates = der(der(der(rest, 0x30)[1], 0x30)[1], 0x30)[0].replace(b'\x17\x0d', b'\x18\x0f20')
        said = ''.join('\x18\x0f' + re.sub('[-:T]', '', intent[name]) for name in ('notBefore', 'notAfter')).encode()
        need((intent['rid'], intent['tbs'], serial) == (rid, sha(content[:len(content) - len(behind)]).hex(), number.hex()) and
             (s.version < 2 or dates == said), 'issued with another content than its INTENT says')
    elif kind in ('REJECTED', 'REFUSAL', 'ADOPTED'):
        for some in (s.open, s.updates): some.pop(serial, None)
        s.waiting.pop(rid, None)
        s.adopted |= {serial} if kind == 'ADOPTED' else set()
    elif kind == 'REVOKED':
        by, old = s.confirmed
        need(serial not in s.revoked, 'revoked twice')
        need(not get('supersededBy') or get('supersededBy') == by and old in (None, serial), 'superseded too early')
        s.confirmed = by, None if get('supersededBy') else old
        s.revoked[serial] = s.n - 1, f"{serial} {get('revocationDate', leaf['time'])} {get('reason')}\n".encode()
    elif kind == 'CRL-INTENT':
        need(s.announced.get('number', 0) < get('number'), 'its number goes back')
        need(s.announced.get('thisUpdate', '') <= get('thisUpdate'), 'thisUpdate goes back')
        need(s.looked <= get('upTo') < s.n and s.left_out <= get('expiredBefore', '') <= s.last_crl, 'it has too few')
        s.looked, s.left_out, s.announced = s.n, get('expiredBefore', ''), leaf
        on = [x for x in s.revoked if s.revoked[x][0] < get('upTo') and s.ends.get(x, '') >= (s.left_out or '0')]
        on.sort(key=lambda serial: (len(serial), serial))
        digest = sha(*(s.revoked[serial][1] for serial in on)).hex()
        need((len(on), digest) == (get('entries'), get('revocations')), 'it has not what is revoked')
    elif kind == 'CRL':
        same = ('number', 'thisUpdate', 'nextUpdate', 'entries', 'tbs')
        need(s.version < 2 or [get(name) for name in same] == [s.announced.get(name) for name in same], 'not as announced')
        s.looked, s.last_crl, s.announced = s.n, get('thisUpdate'), {**s.announced, 'tbs': None}

def verify_rules(format, folder, key_file=None):
    bodies, said = verify(folder, key_file)
    kinds, newest = read_kinds(format)
    s = SimpleNamespace(newest=newest, version=1, last=0, n=0, looked=0, left_out='', last_crl='', adopted=set(), announced={},
                        back=[], confirmed=(0, 0), **{d: {} for d in 'open updates ends profile waiting heads revoked'.split()})
    for i, body in enumerate(bodies):
        try: judge(s, read_leaf(kinds, body))
        except (ValueError, KeyError) as e: raise ValueError(f'leaf {i}: {e!r}') from e
    return f'{said}, {len(s.back)} times back'

if __name__ == '__main__':
    try: print(verify_rules(*sys.argv[1:]))
    except (ValueError, KeyError, OSError) as e: sys.exit(f'NOT VERIFIED: {e}')
