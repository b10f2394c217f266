#!/usr/bin/env python3
"""Makes the weak RSA keys of this folder anew: make.py FOLDER. Private halves, too, so that a client
can sign with them; nothing else is secured by any of them."""
import base64
import math
import random
import sys

BITS = 2048
E = 65537


def is_prime(n):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return n in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(24):
        x = pow(random.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def fits(p, e=E):
    return is_prime(p) and math.gcd(p - 1, e) == 1


def prime(bits, e=E):
    while True:
        p = random.getrandbits(bits) | 3 << bits - 2 | 1
        if fits(p, e):
            return p


def next_prime(p):
    p += 2
    while not fits(p):
        p += 2
    return p


def roca_prime(bits):
    """p = k M + (65537^a mod M), M the product of the first 126 primes (Nemec et al., CCS 2017)."""
    m = math.prod([p for p in range(2, 702) if is_prime(p)])
    while True:
        p = random.getrandbits(bits - m.bit_length()) * m + pow(E, random.getrandbits(256), m)
        if p.bit_length() == bits and fits(p):
            return p


def integer(n):
    octets = n.to_bytes(n.bit_length() // 8 + 1, 'big')
    return b'\x02' + length(len(octets)) + octets


def length(n):
    if n < 128:
        return bytes([n])
    octets = n.to_bytes((n.bit_length() + 7) // 8, 'big')
    return bytes([0x80 | len(octets)]) + octets


def write(name, p, q, e=E):
    """RSAPrivateKey of RFC 8017 A.1.2."""
    d = pow(e, -1, (p - 1) * max(q - 1, 1))
    fields = [0, p * q, e, d, p, q, d % (p - 1), d % max(q - 1, 1), pow(q, -1, p)]
    body = b''.join(integer(f) for f in fields)
    text = base64.encodebytes(b'\x30' + length(len(body)) + body).replace(b'\n', b'').decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    with open(f'{sys.argv[1]}/{name}.pem', 'w', encoding='ascii') as f:
        f.write('\n'.join(['-----BEGIN RSA PRIVATE KEY-----', *lines, '-----END RSA PRIVATE KEY-----', '']))


half = prime(BITS // 2)
write('sound', half, prime(BITS // 2))
write('exponent-3', prime(BITS // 2, 3), prime(BITS // 2, 3), 3)
write('small-factor', prime(BITS - 8), 353)
write('roca', roca_prime(BITS // 2), roca_prime(BITS // 2))
write('close-primes', next_prime(half), half)
write('prime', prime(BITS), 1)
