# SPDX-License-Identifier: Apache-2.0
"""questions.py PAGE FOLDER NFPKI-AUDIT: runs what the section QUESTIONS of PAGE says about FOLDER/ledger, whose answers
FOLDER/ledger.told knows (tests/support/history), and compares."""
import base64, hashlib, json, re, shlex, subprocess, sys

page, folder, program = sys.argv[1:]
with open(f'{folder}/ledger.told', encoding='utf-8') as f:
    told = dict(line.split() for line in f)
LEDGER = ['--ledger', f'{folder}/ledger', '--key', f'{folder}/ledger/log.vkey']
MIRROR = ['--mirror', f'{folder}/mirror.db']  # for all that can be asked of one: it is made once


def questions():  # of the page: their text and their commands
    with open(page, encoding='utf-8') as f:
        part = f.read().split('.Sh QUESTIONS\n')[1].split('.Sh ')[0]
    for item in part.split('\n.It\n')[1:]:
        text, block = item.split('\n.Bd -literal\n')
        lines = block.split('\n.Ed')[0].replace('\\e\n', ' ')
        yield text, ['nfpki-audit ' + c for c in re.split(r'(?:^|\n)nfpki-audit ', lines)[1:]]


def ask(command):
    words = shlex.split(command.replace('SERIAL', told['approved.serial']).replace('ca1.state', f'{folder}/state'))[1:]
    as_of = [] if words[0] in ('verify', 'show') else ['--format', 'jsonl']
    as_of += ['--as-of', told['as_of']] if words[0] in ('list', 'sql') else []
    where = LEDGER if words[0] == 'verify' else MIRROR
    done = subprocess.run([program, *where, words[0], *as_of, *words[1:]], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        sys.exit(f'{command}: {done.returncode} {done.stderr}')
    return [json.loads(line) for line in done.stdout.splitlines()] if as_of else done.stdout


def column(*names):
    return lambda rows: [row[names[0]] if len(names) == 1 else tuple(row[n] for n in names) for row in rows]


def sample(rows):  # drawn again, from the list of all
    with open(f'{folder}/ledger/checkpoint', encoding='utf-8') as f:
        root = base64.b64decode(f.read().split('\n')[2])
    of = [r['serial'] for r in ask('nfpki-audit list certificates --columns serial,issuedAt')
          if r['issuedAt'] and '2026-01-01' <= r['issuedAt'] < '2026-02-01']
    ranked = sorted(of, key=lambda serial: hashlib.sha256(root + bytes.fromhex(serial)).digest())
    return [row['serial'].lower() for row in rows] == ranked[:max(1, (len(ranked) * 3 + 99) // 100)]


def short(serial):
    return told[serial].upper()


DAYS = ['2026-01-19', '2026-01-20']
# of each question: what to look at in the answer of each of its commands, and what that is
KNOWN = [
    [(lambda text: 'remembered for the first time' in text, True)],
    [(lambda rows: (len(rows), {told['compromised'], told['approved.serial'], told['carla']} <= {r['serial'] for r in rows},
                    told['superseded'] in {r['serial'] for r in rows}), (14, True, False))],
    [(sample, True)],
    [(lambda text: [word in text for word in (told['approved.registration'], told['hostile'], 'Ada Alder', 'Boris Birch')],
      [True] * 4)],
    [(column('failInfo', 'reason', 'nfInstanceId'), [
        ('notAuthorized', 'an officer rejected it', told['refused.nf']),
        ('badCertTemplate', 'the template has \x1b]0;x\x07\u202e</script>', told['refused.nf']),
        ('badMessageCheck', 'the protection <b>does not verify</b>', None), ('notAuthorized', 'the registration is used up', None),
        ('badRequest', 'others', None)])],
    [(column('day', 'fail_info', 'n'), [
        (DAYS[0], 23, 1), (DAYS[1], 1, 12), (DAYS[1], 2, 400), (DAYS[1], 19, 1), (DAYS[1], 23, 2)])],
    [(column('action', 'object'), [('approve', told['approved.rid']), ('acknowledged', None), ('approve', told['waiting.rid']),
                                   ('restored', None)]),
     (lambda rows: sorted({r['action'] for r in rows}) + [len(rows)], ['cancel', 'register', 16])],
    [(column('rid', 'needed', 'officers'), [(told['approved.rid'], 2, 2), (told['waiting.rid'], 2, 1)])],
    [(column('serial', 'reason', 'by'), [
        (told['compromised'], 'keyCompromise', 'uid 0 (root) \x1b[2J'), (told['carla'], 'privilegeWithdrawn', 'uid 0 (root)'),
        (told['rejected_first'], 'cessationOfOperation', None), (told['superseded'], 'superseded', None),
        (told['superseded_too'], 'superseded', None)])],
    [(column('number'), list(range(1, 16))), (column('seconds'), [3600, 3600, 259201])],
    [(lambda rows: [told['unused.registration'] in {r['registration'] for r in rows},
                    told['approved.registration'] in {r['registration'] for r in rows}], [True, False])],
    [(column('registration'), [told['greedy.registration']])],
    [(column('serial'), [short('never_confirmed.serial')])],
    [(column('serial'), [told['open']])],
    [(lambda rows: (len(rows), [short(name) in column('serial')(rows) for name in ('shared', 'shared_too')]), (6, [True, False]))],
    [(column('profile', 'issued', 'revoked'), [('adopted', 1, 0), ('nf-tls', 11, 1), ('nf-tls-client', 2, 1), ('ra-cmp', 1, 0)])],
    [(column('file', 'time'), [('profiles', '2026-01-12T08:00:04Z'), ('profiles', '2026-01-22T10:00:04Z')])],
    [(column('text'), ['nfpki-ca 1.0', '1.0'] + ['nfpki-ca 1.0'] * 2 + ['nfpki-ca 1.1'] * 2)],
    [(column('kind'), ['stop', 'crash', 'crl', 'clock', 'crl', 'crl', 'clock', 'stop', 'crash'])],
    [(column('seconds'), [4000, 3600])],
    [(column('name'), ['root', 'issuing <b>1</b>'])],
    [(column('certificates', 'nfs'), [(2, 2)])],
    [(column('value'), ['smf1.smf.5gc.mnc012.mcc345.3gppnetwork.org'])],
    [(column('serial', 'role'), [(told[name], role) for name, role in (
        ('ada', 'officer'), ('boris', 'officer'), ('carla', 'officer'), ('north', 'registrar'), ('ra', 'ra-cmp'),
        ('hostile', 'registrar'), ('second_ra', 'ra-cmp'))])],
    [(lambda rows: [(r['clause'], r['rows'], r['firstLeaf'], r['lastLeaf'], bool(r['cannot'])) for r in rows if 'clause' in r],
      [('BR 5.4.1(1)1', 2, 1, 2, True)])],
]


def main():
    made = subprocess.run([program, *LEDGER[2:], 'mirror', '--init', LEDGER[1], MIRROR[1]], capture_output=True, text=True)
    if made.returncode not in (0, 4):  # 4: it is of long ago
        sys.exit(made.stderr)
    asked = list(questions())
    bad = 0
    if len(asked) != len(KNOWN):
        sys.exit(f'{len(asked)} questions, and answers to {len(KNOWN)}')
    for number, ((text, commands), known) in enumerate(zip(asked, KNOWN), 1):
        if len(commands) != len(known):
            sys.exit(f'{number}: {len(commands)} commands, and answers to {len(known)}')
        for command, (look, wanted) in zip(commands, known):
            rows = ask(command)
            if isinstance(rows, list) and any('leaf' in row and not 0 <= row['leaf'] < int(told['size']) for row in rows):
                sys.exit(f'{number}: a row of no leaf')
            if look(rows) != wanted:
                print(f'{number}. {text}\n  {command}\n  answer {look(rows)}\n  wanted {wanted}')
                bad += 1
    if bad:
        sys.exit(1)
    print(f'ok: {len(asked)} questions have the answers that are known')


main()
