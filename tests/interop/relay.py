# SPDX-License-Identifier: Apache-2.0
"""A TCP relay that writes down what passes, octet for octet, as a packet capture.

relay.py PORT-FILE HOST PORT CAPTURE

Listens on a free port of 127.0.0.1, which it writes into PORT-FILE, connects to HOST PORT for each
connection, and appends the octets of both directions to CAPTURE (pcap, raw IPv4) as TCP segments from
and to PORT. No privilege is needed, unlike for a capture on an interface. Ends with SIGTERM.
"""
import socket
import struct
import sys
import threading
import time

SEGMENT = 16384
SYN, PSH, ACK, FIN = 2, 8, 16, 1


def checksum(octets):
    total = sum(struct.unpack(f"!{(len(octets) + 1) // 2}H", octets + b"\0" * (len(octets) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class Capture:
    def __init__(self, path):
        self.file = open(path, "wb", buffering=0)  # pylint: disable=consider-using-with
        self.file.write(struct.pack("=IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        self.lock = threading.Lock()

    def write(self, source, target, sequence, acknowledged, flags, data=b""):
        """One packet; source and target are ports."""
        address = socket.inet_aton("127.0.0.1")
        tcp = struct.pack("!HHIIBBHHH", source, target, sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF, 5 << 4,
                          flags, 65535, 0, 0)
        pseudo = address + address + struct.pack("!BBH", 0, 6, len(tcp) + len(data))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp + data)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp) + len(data), 0, 0x4000, 64, 6, 0, address, address)
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        packet = ip + tcp + data
        now = time.time()
        self.file.write(struct.pack("=IIII", int(now), int(now % 1 * 1000000), len(packet), len(packet)) + packet)


class Conversation:
    """Both directions of one connection, with numbers that fit together."""

    def __init__(self, capture, client_port, server_port):
        self.capture = capture
        self.ports = (client_port, server_port)
        self.sent = [1, 1]
        with capture.lock:
            capture.write(client_port, server_port, 0, 0, SYN)
            capture.write(server_port, client_port, 0, 1, SYN | ACK)
            capture.write(client_port, server_port, 1, 1, ACK)

    def say(self, side, data, flags=PSH | ACK):
        with self.capture.lock:
            for at in range(0, max(len(data), 1), SEGMENT):
                part = data[at:at + SEGMENT]
                self.capture.write(self.ports[side], self.ports[1 - side], self.sent[side], self.sent[1 - side], flags,
                                   part)
                self.sent[side] += len(part)
            if flags & FIN:
                self.sent[side] += 1


def pump(conversation, side, source, target):
    try:
        while data := source.recv(65536):
            conversation.say(side, data)
            target.sendall(data)
        conversation.say(side, b"", FIN | ACK)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(capture, client, host, port):
    server = socket.create_connection((host, port))
    conversation = Conversation(capture, client.getpeername()[1], port)
    other = threading.Thread(target=pump, args=(conversation, 1, server, client), daemon=True)
    other.start()
    pump(conversation, 0, client, server)
    other.join()
    client.close()
    server.close()


def main():
    port_file, host, port, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    capture = Capture(path)
    listener = socket.create_server(("127.0.0.1", 0))
    with open(port_file, "w", encoding="ascii") as f:
        f.write(f"{listener.getsockname()[1]}\n")
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(capture, client, host, port), daemon=True).start()


main()
