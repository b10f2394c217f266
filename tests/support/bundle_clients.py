#!/usr/bin/env python3
"""Stand-ins for clients that are not Debian's: they read what `nfpki-ractl bundle` prints for them, refuse
every key that the real ones do not have, and ask with the values by openssl cmp.

  bundle_clients.py cmpracomponent -c YAML -e OUT -n CHAIN     the command line of CliCmpClient
  bundle_clients.py cert-manager YAML SECRET-FILE DIR          enrols; KEY and certificate into DIR
"""
import os
import re
import subprocess
import sys

import yaml

# Keys of LightweightCmpRa's client, which takes them in any case.
INTERFACE = {'upstreamuri', 'clienttrust'}
TRUST = {'sharedsecret', 'trustedcertificates', 'additionalcerts'}
MAC = {'sharedsecret', 'senderkid', 'passwordbasedmacalgorithm', 'iterationcount', 'keylength'}
STORE = {'keystore', 'password'}
ENROLMENT = {'enrollmenttype', 'enrollmenttrust', 'keytype', 'subject', 'requestimplictconfirm', 'oldcert'}
# Keys of the CRDs CMPIssuer (v1alpha1) and Certificate (v1).
ISSUER = {
    'endpoint': {'url', 'timeout', 'maxResponseSize', 'renewalUrl'},
    'protocol': {'version', 'initialEnrollment', 'renewal', 'confirmation', 'recipient', 'sender', 'certProfile'},
    'protection': {'type', 'passwordBasedMac', 'signature'},
    'cmpTrust': {'caSecretRef'},
    'transport': {'tls'},
}
PBM = {'secretRef', 'referenceKey', 'secretKey', 'algorithm'}
SIGNATURE = {'secretRef', 'certificateKey', 'privateKeyKey', 'chainKey'}
CERTIFICATE = {'secretName', 'issuerRef', 'duration', 'renewBefore', 'encodeUsagesInRequest', 'privateKey', 'subject',
               'dnsNames', 'uris', 'usages', 'commonName'}


def only(mapping, keys, where):
    unknown = {k.lower() if keys and all(x == x.lower() for x in keys) else k for k in mapping} - keys
    if unknown:
        sys.exit(f'{where}: no such keys: {unknown}')
    return {k.lower(): v for k, v in mapping.items()} if all(x == x.lower() for x in keys) else mapping


def one(value, where):
    if not isinstance(value, list) or len(value) != 1:
        sys.exit(f'{where}: one is wanted: {value}')
    return value[0]


def slashed(name, reverse=False):
    parts = re.split(r'(?<!\\),', name)
    parts = [re.sub(r'\\(.)', r'\1', p) for p in (reversed(parts) if reverse else parts)]
    return ''.join('/' + re.sub(r'([/+\\])', r'\\\1', p) for p in parts)


def openssl(*args):
    subprocess.run(['openssl', *args], check=True)


def cmpracomponent(args):
    options = dict(zip(args[::2], args[1::2]))
    with open(options['-c'], encoding='utf-8') as f:
        conf = only(yaml.safe_load(f), {'messageinterface', 'messageconfiguration', 'clientcontext'}, 'YAML')
    http = only(one(conf['messageinterface'], 'MessageInterface'), {'httpclient', 'httpsclient'}, 'MessageInterface')
    interface = only(next(iter(http.values())), INTERFACE, 'HttpClient')
    message = only(one(conf['messageconfiguration'], 'MessageConfiguration'),
                   {'verificationcontext', 'outputcredentials', 'recipient'}, 'MessageConfiguration')
    trust = only(message['verificationcontext'], TRUST, 'VerificationContext')
    enrol = only(only(one(conf['clientcontext'], 'ClientContext'), {'enrollmentcontext'}, 'ClientContext')
                 ['enrollmentcontext'], ENROLMENT, 'EnrollmentContext')
    credentials = only(message['outputcredentials'], {'sharedsecret', 'signature'}, 'OutputCredentials')
    command = ['cmp', '-cmd', enrol['enrollmenttype'].lower(), '-server', interface['upstreamuri'], '-recipient',
               slashed(message['recipient']), '-trusted', one(trust['trustedcertificates'], 'TrustedCertificates'),
               '-newkey', 'stand-in.key', '-certout', 'stand-in.pem', '-chainout', options['-n']]
    if 'sharedsecret' in credentials:
        mac = only(credentials['sharedsecret'], MAC, 'SharedSecret')
        with open('stand-in.secret', 'w', opener=lambda p, n: os.open(p, n, 0o600), encoding='ascii') as f:
            f.write(mac['sharedsecret'])
        if mac['sharedsecret'] != trust['sharedsecret']:
            sys.exit('two secrets')
        command += ['-ref', mac['senderkid'], '-secret', 'file:stand-in.secret', '-subject', slashed(enrol['subject'])]
    else:
        store = only(credentials['signature'], STORE, 'Signature')
        with open('stand-in.secret', 'w', opener=lambda p, n: os.open(p, n, 0o600), encoding='ascii') as f:
            f.write(store['password'])
        command += ['-cert', store['keystore'], '-key', store['keystore'], '-keypass', 'file:stand-in.secret',
                    '-extracerts', 'issuing.pem']
        if enrol['enrollmenttype'] == 'KUR':
            command += ['-oldcert', enrol['oldcert']]
        else:
            command += ['-subject', slashed(enrol['subject'])]
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'stand-in.key')
    openssl(*command)
    with open(options['-e'], 'w', encoding='ascii') as out:
        for part in ('stand-in.pem', 'stand-in.key'):
            with open(part, encoding='ascii') as f:
                out.write(f.read())


def cert_manager(path, secret_file, directory):
    with open(path, encoding='utf-8') as f:
        objects = {d['kind']: d for d in yaml.safe_load_all(f)}
    if set(objects) != {'Secret', 'CMPIssuer', 'Certificate'}:
        sys.exit(f'objects: {set(objects)}')
    issuer, spec = objects['CMPIssuer'], objects['CMPIssuer']['spec']
    if issuer['apiVersion'] != 'certmanager.misiektoja.github.io/v1alpha1':
        sys.exit(issuer['apiVersion'])
    only(spec, set(ISSUER), 'CMPIssuer.spec')
    for part, keys in ISSUER.items():
        only(spec.get(part, {}), keys, part)
    protection = spec['protection']
    if protection['type'] != 'PasswordBasedMac' or 'signature' in protection:
        sys.exit(f'protection: {protection}')
    only(protection['passwordBasedMac'], PBM, 'passwordBasedMac')
    only(protection['passwordBasedMac']['algorithm'], {'owf', 'mac', 'iterationCount'}, 'algorithm')
    trust = spec['cmpTrust']['caSecretRef']
    if trust['name'] != objects['Secret']['metadata']['name']:
        sys.exit('cmpTrust is another Secret')
    wanted = only(objects['Certificate']['spec'], CERTIFICATE, 'Certificate.spec')
    reference = wanted['issuerRef']
    if (reference['kind'], reference['name']) != ('CMPIssuer', issuer['metadata']['name']):
        sys.exit(f'issuerRef: {reference}')
    os.makedirs(directory)
    with open(f'{directory}/root.pem', 'w', encoding='ascii') as f:
        f.write(objects['Secret']['stringData'][trust['key']])
    with open(path, encoding='utf-8') as f:
        ref = re.search(r'--from-literal=reference=(\S+)', f.read()).group(1)
    subject = ''.join(f'/{t}={v}' for t, k in (('C', 'countries'), ('O', 'organizations')) for v in wanted['subject'][k])
    names = [f'DNS:{n}' for n in wanted.get('dnsNames', [])] + [f'URI:{u}' for u in wanted.get('uris', [])]
    openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-keyout',
            f'{directory}/nf.key', '-subj', subject, '-addext', 'subjectAltName=' + ','.join(names), '-out',
            f'{directory}/nf.csr')
    common = ['-server', spec['endpoint']['url'], '-recipient', slashed(spec['protocol']['recipient'], reverse=True),
              '-trusted', f'{directory}/root.pem']
    openssl('cmp', '-cmd', 'p10cr', *common, '-ref', ref, '-secret', f'file:{secret_file}', '-csr', f'{directory}/nf.csr',
            '-certout', f'{directory}/nf.pem', '-extracertsout', f'{directory}/extra.pem')
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', f'{directory}/new.key')
    openssl('cmp', '-cmd', 'kur', *common, '-cert', f'{directory}/nf.pem', '-key', f'{directory}/nf.key', '-extracerts',
            f'{directory}/extra.pem', '-newkey', f'{directory}/new.key', '-certout', f'{directory}/new.pem')


if sys.argv[1] == 'cmpracomponent':
    cmpracomponent(sys.argv[2:])
else:
    cert_manager(*sys.argv[2:])
