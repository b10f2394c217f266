# SPDX-License-Identifier: Apache-2.0
"""report.py FOLDER SHOTS: FOLDER/report.html as XML, and in Chromium; its pictures are kept in SHOTS when it is not empty."""
import csv, html, json, os, re, shutil, struct, subprocess, sys, urllib.request, xml.etree.ElementTree, zlib

folder, shots = sys.argv[1:]
SERVED = os.environ['NFPKI_SERVED']  # ends in /
PAGE = f'{folder}/report.html'
OURS = {'html', 'head', 'meta', 'title', 'style', 'body', 'main', 'header', 'footer', 'h1', 'h2', 'h3', 'p', 'div', 'span', 'strong',
        'ul', 'li', 'b', 'dl', 'dt', 'dd', 'br', 'a', 'bdi', 'time', 'code', 'pre', 'section', 'figure', 'figcaption', 'details',
        'summary', 'table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'svg', 'desc', 'defs', 'pattern', 'rect', 'circle',
        'line', 'text', 'path'}

# what Chromium asks by itself
BROWSER = re.compile(r'https?://([a-z0-9-]+\.)*(google|googleapis|gvt1)\.com/')


def need(fact, text):
    if not fact:
        sys.exit(text)


def chromium(name, page, *options):
    command = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
               '--hide-scrollbars', '--no-first-run',
               '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-extensions',
               '--disable-default-apps', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
               f'--user-data-dir={folder}/profile', f'--log-net-log={folder}/{name}.netlog',
               *options, page if page.startswith('http:') else f'file://{page}']
    done = subprocess.run(command, capture_output=True, timeout=120, env={**os.environ, 'HOME': folder})
    need(done.returncode == 0, f'chromium {name}: {done.returncode} {done.stderr.decode()}')
    return done.stdout.decode()


def asked(name):  # of the network by the page; names are not resolved, so nothing goes there
    with open(f'{folder}/{name}.netlog', encoding='utf-8') as f:
        text = f.read()
    urls = {url for url in re.findall(r'"url":"([^"]*)"', text) if url.startswith('http')}
    return {url for url in urls if not BROWSER.match(url)}


def well_formed():
    with open(PAGE, encoding='utf-8') as f:
        text = f.read()
    page = xml.etree.ElementTree.fromstring(text.split('\n', 1)[1])
    for element in page.iter():
        need(element.tag in OURS, f'an element {element.tag}')
        for name, value in element.attrib.items():
            need(not name.startswith('on') and name not in ('src', 'style', 'action', 'srcset', 'data'), f'an attribute {name}')
            need(name != 'href' or value.startswith('#'), f'a link to {value}')
    ids = [e.get('id') for e in page.iter() if e.get('id')]
    need(len(ids) == len(set(ids)), 'an id twice')
    for svg in page.iter('svg'):
        need(len(list(svg.iter())) <= 400, 'a figure with more than 400 elements')
        need(svg.get('aria-hidden') or set(svg.get('aria-labelledby').split()) <= set(ids), 'a figure without a name')
    return text


def shown():
    dom = chromium('dom', PAGE, '--dump-dom')
    need(dom.count('<svg role="img"') >= 10, 'no figures')
    need('The record is verified' in dom and '<script' not in dom, f'another page: {dom[:500]}')
    need('\u202e' not in dom and '\x1b' not in dom, 'a control character arrived')
    need(not asked('dom'), f'asked of the network: {asked("dom")}')


def would_be_seen():  # the same means find a page that asks
    with open(f'{folder}/asks.html', 'w', encoding='utf-8') as f:
        f.write('<img src="http://127.0.0.1:9/asked">')
    chromium('asks', f'{folder}/asks.html', '--dump-dom')
    need('http://127.0.0.1:9/asked' in asked('asks'), 'nobody would see it when a page asks')
    with open(PAGE, encoding='utf-8') as f:  # and the page's policy stops what should get into it
        text = f.read().replace('<main id="main">', '<main><img src="http://127.0.0.1:9/asked"/><script>document.title = "ran"</script>')
    with open(f'{folder}/stopped.html', 'w', encoding='utf-8') as f:
        f.write(text)
    dom = chromium('stopped', f'{folder}/stopped.html', '--dump-dom')
    need('<title>ran' not in dom and not asked('stopped'), f'the policy lets something in: {asked("stopped")}')


def get(path):
    with urllib.request.urlopen(SERVED + path.lstrip('/')) as answer:
        return answer.headers, answer.read().decode('utf-8')


def followed():  # from page to page, some of each kind: well-formed, no script, and no way out
    kinds, waits, seen = {}, ['/'], set()
    while waits:
        path = waits.pop(0)
        headers, body = get(path)
        need("default-src 'none'" in headers['Content-Security-Policy'] and headers['Cache-Control'] == 'no-store', f'{path}: {headers}')
        if not headers['Content-Type'].startswith('text/html'):
            continue
        page = xml.etree.ElementTree.fromstring(body.split('\n', 1)[1])
        need(page.find('.//h1') is not None and '\u202e' not in body and '\x1b' not in body, path)
        for element in page.iter():
            need(element.tag in OURS | {'nav', 'form', 'label', 'input', 'select', 'option', 'button', 'fieldset', 'legend'},
                 f'{path}: an element {element.tag}')
            need(not any(name.startswith('on') or name in ('src', 'style') for name in element.attrib), f'{path}: {element.attrib}')
            if element.tag in ('input', 'select') and element.get('type') != 'checkbox':
                need(page.find(f".//label[@for='{element.get('id')}']") is not None, f'{path}: a field without a label')
            link = html.unescape(element.get('href', '#')) if element.tag == 'a' else '#'
            need(link[0] in '/#' and not link.startswith('//'), f'{path}: a link to {link}')
            kind = re.sub(r'/[^/]*$', '', link.split('?')[0]) or link.split('?')[0]
            if link[0] == '/' and link not in seen and kinds.get(kind, 0) < 2:
                kinds[kind] = kinds.get(kind, 0) + 1
                seen.add(link)
                waits.append(link)
    need(len(seen) >= 30, f'{len(seen)} pages')
    return len(seen)


def served():
    for name, path in {'list': 'certificates?column=serial&column=subject&column=status&sort=status', 'report': ''}.items():
        picture = f'{folder}/served-{name}.png'
        chromium(f'served-{name}', SERVED + path, '--window-size=1280,1600', f'--screenshot={picture}')
        width, height, values = colours(picture)
        need((width, height) == (1280, 1600) and values > 60, f'{name}: nothing was drawn')
        need(asked(f'served-{name}') <= {SERVED, SERVED + path, SERVED + 'favicon.ico'}, f'asked: {asked(f"served-{name}")}')
        if shots:
            shutil.copy(picture, shots)


def colours(path):  # of a PNG, some rows of it: how many there are
    with open(path, 'rb') as f:
        data = f.read()
    at, body = 8, b''
    while at < len(data):
        n, = struct.unpack('>I', data[at:at + 4])
        if data[at + 4:at + 8] == b'IHDR':
            width, height = struct.unpack('>II', data[at + 8:at + 16])
        body += data[at + 8:at + 8 + n] if data[at + 4:at + 8] == b'IDAT' else b''
        at += 12 + n
    return width, height, len(set(zlib.decompress(body)))


def drawn():
    for name, options in {'light': (), 'dark': ('--blink-settings=preferredColorScheme=0',)}.items():
        picture = f'{folder}/{name}.png'
        chromium(name, PAGE, *options, '--window-size=1280,2400', f'--screenshot={picture}')
        width, height, values = colours(picture)
        need((width, height) == (1280, 2400) and values > 60, f'{name}: nothing was drawn')
        if shots:
            shutil.copy(picture, shots)
    with open(f'{folder}/light.png', 'rb') as a, open(f'{folder}/dark.png', 'rb') as b:
        need(a.read() != b.read(), 'the dark looks like the light')
    chromium('paper', PAGE, '--no-pdf-header-footer', f'--print-to-pdf={folder}/report.pdf')
    with open(f'{folder}/report.pdf', 'rb') as f:
        pages = len(re.findall(rb'/Type\s*/Page\b', f.read()))
    need(3 <= pages <= 30, f'{pages} pages on paper')
    if shots:
        shutil.copy(f'{folder}/report.pdf', shots)


def data():
    names = {name.split('.')[0] for name in os.listdir(f'{folder}/data')}
    for name in names:
        with open(f'{folder}/data/{name}.csv', encoding='utf-8', newline='') as f:
            rows = list(csv.reader(f, strict=True))
        with open(f'{folder}/data/{name}.jsonl', encoding='ascii') as f:
            objects = [json.loads(line) for line in f]
        need(len(rows) == len(objects) + 1 and all(len(row) == len(rows[0]) for row in rows), f'{name}: not the same rows')
        need(not any(cell[:1] in '=+@' and cell for row in rows for cell in row), f'{name}: a formula')
        need(all(f'id="{name}"' in page for page in [text]), f'{name}: a section that the page has not')
    need(len(names) >= 20, 'sections are missing')


text = well_formed()
data()
shown()
would_be_seen()
drawn()
pages = followed()
served()
print(f'ok: well-formed, drawn in the light, in the dark and on paper; {pages} pages of serve by their links; and nothing was asked of the network')
