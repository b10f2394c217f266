#!/usr/bin/env python3
# Raw octets to the two live fronts of the RA.
#   http.py taken FRONT...    every form that a client may write a request in gets the answer of the plain one
#   http.py refused FRONT...  the list of nfpki-ra.conf(5), one by one: the status, the end, the words in the log
#   http.py short cmp=PORT N  N idle connections from each of four addresses, in each way to be idle; others are answered
#   http.py short admin=PORT N  the same from one address
# FRONT is cmp=PORT or admin=PORT. Run in the folder of the PKI; REPOSITORY is the source.
import os, re, socket, ssl, sys, time

repository = os.environ["REPOSITORY"]
vectors = os.path.join(repository, "tests/vectors/http")
CMP = b"/.well-known/cmp/p/nf-tls"


def fail(why):
    sys.exit(f"http: {why}")


def body_of(request):
    return request.split(b"\r\n\r\n", 1)[1]


class Front:
    """Where it listens, and what it is asked."""

    def __init__(self, name, port):
        self.name, self.port = name, int(port)
        if name == "cmp":
            self.post, self.type = CMP, b"application/pkixcmp"
            self.body = body_of(open(f"{vectors}/upgrade-h2c-post.raw", "rb").read())
            self.get, self.posted = b"/crl/issuing.crl", 200
        else:
            self.post, self.type = b"/v1/registrations", b"application/cms"
            self.body = open("oam/raw.p7s", "rb").read()
            self.get, self.posted = b"/v1/registrations?limit=1", 409  # registered already
            self.tls = ssl.create_default_context(cafile="ra/admin-tls.pem")
            self.tls.load_cert_chain("oam/registrar.pem", "oam/registrar.key")

    def connect(self, source="127.0.0.1", secure=True):
        s = socket.create_connection(("127.0.0.1", self.port), 60, (source, 0))
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(s, server_hostname="127.0.0.1") if self.name == "admin" and secure else s


class Answers:
    """What comes back, one after the other."""

    def __init__(self, s):
        self.s, self.buffer, self.ended = s, b"", False

    def more(self):
        try:
            octets = self.s.recv(65536)
        except (ConnectionError, ssl.SSLError):
            octets = b""
        self.ended = not octets
        self.buffer += octets
        return not self.ended

    def next(self, method):
        while b"\r\n\r\n" not in self.buffer:
            if not self.more():
                return None
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        fields = {k.lower(): v for k, v in (l.split(": ", 1) for l in lines[1:])}
        status = int(lines[0].split()[1])
        n = 0 if method == "HEAD" or status == 304 else int(fields["content-length"])
        while len(self.buffer) < n:
            if not self.more():
                fail("an answer ends early")
        content, self.buffer = self.buffer[:n], self.buffer[n:]
        return status, fields, content

    def end(self):
        while not self.ended:
            self.more()
        return self.buffer


# ---- what is taken ----

UPGRADES = {
    "no Upgrade": b"",
    "h2c": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk\r\n",
    "h2c, keep-alive": b"Connection: keep-alive, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEA\r\n",
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "several": b"Connection: upgrade\r\nUpgrade: TLS/1.2, HTTP/2.0, foo\r\n",
}
TARGETS = {
    "a path": b"%s",
    "http": b"http://ra.example:8829%s",
    "https": b"HTTPS://other.example%s",
    "IPv6": b"http://[2001:db8::1]:80%s",
}
PREFIXES = {"": b"", "an empty line, ": b"\r\n"}


def chunked(body, extension, trailer):
    half = len(body) // 2
    parts = [b"%x%s\r\n%s\r\n" % (len(p), extension, p) for p in (body[:half], body[half:])]
    return b"".join(parts) + b"0" + extension + b"\r\n" + trailer + b"\r\n"


BODIES = {
    "a length": lambda b: (b"Content-Length: %d\r\n" % len(b), b),
    "chunks": lambda b: (b"Transfer-Encoding: chunked\r\n", chunked(b, b"", b"")),
    "an extension": lambda b: (b"Transfer-Encoding: chunked\r\n", chunked(b, b";sig=0123456789abcdef", b"")),
    "extensions": lambda b: (b"Transfer-Encoding: chunked\r\n", chunked(b, b' ; a = "b;c\\"d" ;e', b"")),
    "a trailer": lambda b: (b"Transfer-Encoding: chunked\r\n",
                            chunked(b, b"", b"Content-Length: 7\r\nX-Checksum: 0\r\nHost: z\r\n")),
}


def forms(front):
    """(name, method, octets), all of which mean the same"""
    for before, prefix in PREFIXES.items():
        for to, target in TARGETS.items():
            for offer, upgrade in UPGRADES.items():
                name = f"{before}{to}, {offer}"
                for version in (b"1.1", b"1.0"):
                    keep = b"" if version == b"1.1" or b"keep-alive" in upgrade else b"Connection: keep-alive\r\n"
                    line = b" " + target + b" HTTP/" + version + b"\r\nHost: ra.example\r\n" + keep + upgrade
                    for method in ("GET", "HEAD"):
                        yield name, method, prefix + method.encode() + line % front.get + b"\r\n"
                    for framing, make in BODIES.items():
                        if version == b"1.0" and framing != "a length":
                            continue
                        field, octets = make(front.body)
                        yield (f"{name}, {framing}", "POST", prefix + b"POST" + line % front.post +
                               b"Content-Type: " + front.type + b"\r\n" + field + b"\r\n" + octets)


def taken(front):
    """All of them, twenty on a connection at a time, so that each is followed by others on it."""
    all_forms = list(forms(front))
    for at in range(0, len(all_forms), 20):
        batch = all_forms[at:at + 20]
        s = front.connect()
        answers = Answers(s)
        s.sendall(b"".join(octets for _, _, octets in batch))
        for name, method, _ in batch:
            answer = answers.next(method)
            want = front.posted if method == "POST" else 200
            if answer is None or answer[0] != want or answer[1].get("connection") == "close":
                fail(f"{front.name}: {method}, {name}: {answer and answer[:2]}, not {want}")
            if method == "HEAD" and int(answer[1]["content-length"]) == 0:
                fail(f"{front.name}: HEAD says that GET has no content")
        s.close()
    print(f"ok: {front.name}: {len(all_forms)} forms of a request")
    for name in sorted(os.listdir(vectors)):
        if not name.endswith(".raw"):
            continue
        s = front.connect()
        answers = Answers(s)
        s.sendall(open(f"{vectors}/{name}", "rb").read())
        status, fields, _ = answers.next("POST")
        want = (200, "application/pkixcmp") if front.name == "cmp" else (404, "application/problem+json")
        if (status, fields["content-type"]) != want:
            fail(f"{front.name}: {name}: {status} {fields}")
        s.close()
        print(f"ok: {front.name}: {name}")


# ---- what is refused ----

def listed():
    text = open(os.path.join(repository, "ra/nfpki-ra.conf.5")).read()
    return re.findall(r"^\.It\n(\d{3}), (.+) \((RFC [0-9. ]+)\)$", text, re.M)


def faulty(front):
    """The words of the manual, and octets that are refused with them"""
    post = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n" % (front.post, front.type)
    get = b"GET %s HTTP/1.1\r\nHost: x\r\n" % front.get
    chunks = post + b"Transfer-Encoding: chunked\r\n\r\n"
    return {
        "a line that ends with LF alone": get + b"A: b\n\r\n",
        "a CR without its LF": get + b"A: b\rc\r\n\r\n",
        "a NUL in the header": get + b"A: b\0c\r\n\r\n",
        "a header line that begins with whitespace": get + b"A: b\r\n c\r\n\r\n",
        "more than one empty line before a request": b"\r\n\r\n" + get + b"\r\n",
        "a request line of another form": b"GET %s x HTTP/1.1\r\n\r\n" % front.get,
        "a target that is neither a path nor an http or https URL": b"GET ftp://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
        "a character that no path or query here has": b"GET /crl/%2e.crl HTTP/1.1\r\nHost: x\r\n\r\n",
        "a path or query of more than 256 octets": b"GET /" + 256 * b"a" + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        "a method that nothing here takes": b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n",
        "a version other than HTTP/1.0 and HTTP/1.1": b"GET / HTTP/1.2\r\nHost: x\r\n\r\n",
        "a field line without a plain name, colon and value": get + b"A : b\r\n\r\n",
        "a header of more than 8 KiB or 64 lines": get + 70 * b"A: b\r\n" + b"\r\n",
        "HTTP/1.1 without Host": b"GET / HTTP/1.1\r\n\r\n",
        "more than one Host": get + b"Host: x\r\n\r\n",
        "more than one Content-Type, or one that is too long": post + b"Content-Type: a/b\r\n\r\n",
        "an Expect other than 100-continue": post + b"Expect: 200-ok\r\nContent-Length: 0\r\n\r\n",
        "a Content-Length that is not one decimal number": post + b"Content-Length: +1\r\n\r\na",
        "more than one Content-Length": post + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "a POST without Content-Length and without chunks": post + b"\r\n",
        "Content-Length and Transfer-Encoding together":
            post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a transfer coding other than chunked": post + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        "more than one Transfer-Encoding":
            post + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding in HTTP/1.0": b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a chunk that is not a hexadecimal size, its octets and CRLF": chunks + b"0x1\r\na\r\n0\r\n\r\n",
        "more than 256 octets of empty line, chunk extensions and trailers":
            b"\r\n" + chunks + b"1;" + 120 * b"a" + b"\r\na\r\n0\r\nA: " + 129 * b"a" + b"\r\n\r\n",
        "content in a request other than POST": get + b"Content-Length: 1\r\n\r\na",
        "more content than is taken": post + b"Content-Length: 9999999999\r\n\r\n",
    }


def refused(front, log="log/nfpki-ra.log"):
    rows, octets = listed(), faulty(front)
    if {words for _, words, _ in rows} != octets.keys():
        fail(f"the manual lists other things: {octets.keys() ^ {words for _, words, _ in rows}}")
    for status, words, clause in rows:
        before = os.path.getsize(log)
        s = front.connect()
        answers = Answers(s)
        s.sendall(octets[words])
        answer = answers.next("GET")
        if answer is None or answer[0] != int(status) or answer[1].get("connection") != "close":
            fail(f"{front.name}: {words}: {answer}, not {status}")
        if status == "405" and "HEAD" not in answer[1]["allow"]:
            fail(f"Allow: {answer[1]['allow']}")
        if answers.end():
            fail(f"{front.name}: {words}: more came than the refusal")
        s.close()
        event = "request-refused" if front.name == "cmp" else "admin-refused"
        line = re.compile(r'"event":"%s","text":"127\.0\.0\.1:\d+: %s: %s \(%s\)"' %
                          (event, status, re.escape(words), re.escape(clause)))
        with open(log) as f:
            f.seek(before)
            if not line.search(f.read()):
                fail(f"{front.name}: {words}: not in the log")
    print(f"ok: {front.name}: {len(rows)} refusals, each with its reason in the log")


# ---- when places run short ----

def ask(front, source):
    s = front.connect(source)
    s.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" %
              (front.post, front.type, len(front.body), front.body))
    answer = Answers(s).next("POST")
    if answer is None or answer[0] != front.posted:
        fail(f"{front.name}: {source} is not answered: {answer}")
    s.close()


def short(front, n):
    """Each address takes n connections and keeps them, in turn idle in another way."""
    get = b"GET %s HTTP/1.1\r\nHost: x\r\n" % front.get
    half = (b"", get, get + b"\r\n", b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf" % front.post)
    sources = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"] if front.name == "cmp" else ["127.0.0.1"]
    held = []
    for i in range(n):
        for source in sources:
            # of the administrators' every second one never begins its handshake
            s = front.connect(source, secure=i % 2 == 0)
            if front.name == "cmp" or i % 2 == 0:
                s.sendall(half[i // 2 % 4])
            else:
                s.sendall((b"", b"\x16\x03\x01\x02")[i // 2 % 2])
            held.append(s)
    for source in sources + ["127.0.0.9"]:
        ask(front, source)
    print(f"ok: {front.name}: {len(held)} idle connections stop nobody")


command, fronts = sys.argv[1], [a for a in sys.argv[2:] if "=" in a]
for front in (Front(*a.split("=")) for a in fronts):
    if command == "taken":
        taken(front)
    elif command == "refused":
        refused(front)
    elif command == "short":
        short(front, int(sys.argv[-1]))
    else:
        fail(f"no command {command}")
