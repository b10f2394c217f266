"""flip.py IN OUT header|body|protection: one flipped bit in that part of a PKIMessage."""
import sys


def tlv(data, at):
    """(tag, start of content, end) of the element at `at`"""
    length, start = data[at + 1], at + 2
    if length & 0x80:
        n = length & 0x7F
        length, start = int.from_bytes(data[start : start + n], "big"), start + n
    return data[at], start, start + length


def main():
    data = bytearray(open(sys.argv[1], "rb").read())
    _, start, _ = tlv(data, 0)
    _, header, header_end = tlv(data, start)
    _, _, body_end = tlv(data, header_end)
    if sys.argv[3] == "header":
        at = header
        while data[at] != 0xA5:  # senderNonce
            at = tlv(data, at)[2]
        position = tlv(data, at)[2] - 1
    elif sys.argv[3] == "body":
        position = body_end - 1
    else:
        position = tlv(data, body_end)[2] - 1
    data[position] ^= 1
    open(sys.argv[2], "wb").write(data)


main()
