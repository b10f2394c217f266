#!/usr/bin/env python3
"""A web server that offers a folder, and does to whoever asks what its mode says.

    hostile_http.py DIR MODE LOG [CERTIFICATE]

Prints its port. The checkpoint is that of the start, whatever the folder becomes. LOG gets a line
for each request. It ends with its standard input. With CERTIFICATE it speaks TLS, with a certificate that it makes and writes there.
"""
import gzip, http.server, itertools, os, ssl, subprocess, sys, threading, time

folder, mode, log = sys.argv[1:4]
with open(os.path.join(folder, "checkpoint"), "rb") as f:
    checkpoint = f.read()
seen = {}
bomb = gzip.compress(bytes(64 << 20)) if mode == "bomb" else b""
lock = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin(self, *headers):
        self.send_response(200)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def content(self):
        if self.path == "/ledger/checkpoint":
            return checkpoint
        if not self.path.startswith("/ledger/") or ".." in self.path:
            return None
        try:
            with open(os.path.join(folder, self.path[len("/ledger/"):]), "rb") as f:
                return f.read()
        except OSError:
            return None

    def do_GET(self):
        with lock:
            n = seen[self.path] = seen.get(self.path, 0) + 1
            with open(log, "a") as f:
                f.write(f"{self.path} {self.headers.get('Cache-Control', '-')}\n")
        body = self.content()
        is_tile = self.path.startswith("/ledger/tile/")
        act = getattr(self, "mode_" + mode.replace("-", "_"), None)
        try:
            if act is not None and is_tile and act(n, body):
                return
            self.reply(404 if body is None else 200, body or b"")
        except OSError:
            self.close_connection = True

    # ---- what a mode does to tiles: True, when it answered ----

    def mode_busy(self, n, body):
        if n == 1:
            self.reply(429, b"later", [("Retry-After", "1")] if "/0/" in self.path else [])
        elif n == 2:
            self.reply(503 if "entries" in self.path else 500)
        return n <= 2

    def mode_always_busy(self, n, body):
        self.reply(503)
        return True

    def mode_busy_once(self, n, body):
        if n == 1 and "/1/" in self.path:
            self.reply(503)
        return n == 1 and "/1/" in self.path

    def mode_always_500(self, n, body):
        self.reply(500)
        return True

    def mode_always_429(self, n, body):
        self.reply(429)
        return True

    def mode_html_once(self, n, body):
        if n == 1:
            self.reply(200, b"<!DOCTYPE html><title>Maintenance</title>")
        return n == 1

    def mode_html(self, n, body):
        self.reply(200, b"<!DOCTYPE html><title>Maintenance</title>")
        return True

    def mode_redirect(self, n, body):
        self.reply(302, b"", [("Location", "http://127.0.0.1:9/elsewhere")])
        return True

    def mode_forbidden(self, n, body):
        self.reply(403)
        return True

    def mode_half(self, n, body):
        if not self.path.endswith("/entries/000"):
            self.reply(200, body)
            with lock:
                seen["entries"] = seen.get("entries", 0) + ("/entries/" in self.path)
            return True
        while seen.get("entries", 0) < 2:  # all that are asked for beside it are on their way
            time.sleep(0.01)
        time.sleep(0.2)
        self.reply(403)
        return True

    def mode_absent(self, n, body):
        self.reply(404)
        return True

    def mode_gzip(self, n, body):
        if body is not None:
            self.reply(200, gzip.compress(body), [("Content-Encoding", "gzip")])
        return body is not None

    def mode_bad_gzip(self, n, body):
        self.reply(200, b"no gzip at all", [("Content-Encoding", "gzip")])
        return True

    def mode_bomb(self, n, body):
        self.reply(200, bomb, [("Content-Encoding", "gzip")])
        return True

    def mode_endless(self, n, body):
        self.begin(("Transfer-Encoding", "chunked"))
        for _ in itertools.count():
            self.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        return True

    def mode_headers(self, n, body):
        self.send_response(200)
        for i in range(2000):
            self.send_header(f"X-{i}", "x" * 60)
        self.end_headers()
        return True

    def mode_drip(self, n, body):
        self.begin(("Content-Length", "8192"))
        for _ in range(60):
            self.wfile.write(b"x")
            time.sleep(1)
        return True

    def mode_cut_once(self, n, body):
        if n == 1:
            self.begin(("Content-Length", "8192"))
            self.wfile.write(b"x" * 100)
            self.close_connection = True
        return n == 1

    def mode_short(self, n, body):
        self.reply(200, body[:-32] if body else b"")
        return True


    # ---- the form is right, and what is in it is not ----

    def lie(self, body, what):
        if what in self.path and "/entries/" in what:  # one leaf is stuffed, the others are as they are
            n = int.from_bytes(body[:2], "big")
            self.reply(200, b"\xff\xff" + b"x" * 65535 + body[2 + n:])
        elif what in self.path:
            self.reply(200, b"x" * 32 + body[32:])
        return what in self.path

    def mode_lie_entries(self, n, body):
        return self.lie(body, "/entries/001")

    def mode_lie_entries_once(self, n, body):
        return n == 1 and self.lie(body, "/entries/001")

    def mode_lie_entries_edge(self, n, body):
        return self.lie(body, "/entries/002.p")

    def mode_lie_tile(self, n, body):
        return self.lie(body, "/0/001")

    def mode_lie_edge(self, n, body):
        return self.lie(body, "/0/002.p")

    def mode_lie_top(self, n, body):
        return self.lie(body, "/1/000.p")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 4:
    certificate = sys.argv[4]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-subj", "/CN=private", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
         "-keyout", certificate + ".key", "-out", certificate],
        check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate + ".key")
    server.socket = context.wrap_socket(server.socket, server_side=True)


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_input, daemon=True).start()
print(server.server_address[1], flush=True)
server.serve_forever()
