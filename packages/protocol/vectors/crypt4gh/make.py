"""Makes the files of this folder with the Python package crypt4gh (see README.md).

    pip install --target c4gh crypt4gh==1.8.6
    PYTHONPATH=c4gh python3 make.py
"""

import hashlib
import io
import json
import os

from crypt4gh import SEGMENT_SIZE, header, lib, sodium
from crypt4gh.keys import c4gh, get_private_key, get_public_key

PASSPHRASE = "correct horse battery staple"


def plaintext(size):
    """SHA-256 of 0, 1, 2, … as u32 big-endian, joined and cut to `size` bytes."""
    blocks = (hashlib.sha256(k.to_bytes(4, "big")).digest() for k in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)


def keys_of(*recipients):
    """One entry a recipient, each with a writer's key of its own."""
    return [(0, os.urandom(32), get_public_key(f"{name}.pub")) for name in recipients]


def reader(name):
    secret = get_private_key(f"{name}.sec", lambda: PASSPHRASE)
    return [(0, secret, None)]


def encrypted(data, *recipients):
    out = io.BytesIO()
    lib.encrypt(keys_of(*recipients), io.BytesIO(data), out)
    return out.getvalue()


def sealed_segment(data, key):
    segment = bytearray(len(data) + 28)
    size = sodium.chacha20poly1305_encrypt(segment, data, key)
    return bytes(segment[:size])


def main():
    for name, passphrase in (("alice", None), ("bob", PASSPHRASE.encode()), ("carol", None)):
        for path in (f"{name}.sec", f"{name}.pub"):
            if os.path.exists(path):
                os.remove(path)
        c4gh.generate(f"{name}.sec", f"{name}.pub", passphrase, f"{name}, a test".encode())
        os.chmod(f"{name}.sec", 0o644)
    c4gh.scrypt_supported = False
    if os.path.exists("dora-bcrypt.sec"):
        os.remove("dora-bcrypt.sec")
    c4gh.generate("dora-bcrypt.sec", "dora.pub", PASSPHRASE.encode(), None)
    os.chmod("dora-bcrypt.sec", 0o644)
    c4gh.scrypt_supported = True
    os.remove("dora.pub")

    write("empty.c4gh", encrypted(b"", "alice"))
    write("short.c4gh", encrypted(plaintext(1000), "alice"))
    segments = encrypted(plaintext(2 * SEGMENT_SIZE + 1000), "alice", "bob")
    write("segments.c4gh", segments)

    # The header alone, for carol: the body is that of segments.c4gh.
    out = io.BytesIO()
    carol = [(0, os.urandom(32), get_public_key("carol.pub"))]
    lib.reencrypt(reader("bob"), carol, io.BytesIO(segments), out, trim=True, header_only=True)
    write("segments.carol.header", out.getvalue())

    # Bytes 65000 to 67000 of it, as an edit list over its first two segments; the header alone.
    packets, _ = header.rearrange(
        header.parse(io.BytesIO(segments)),
        [(0, get_private_key("alice.sec", None), get_public_key("alice.pub"))],
        offset=65000,
        span=2000,
    )
    write("segments.edited.header", header.serialize(packets))

    # One edit list with an odd number of lengths: after the last skip all the rest is kept.
    session_key = os.urandom(32)
    odd = [header.make_packet_data_enc(0, session_key), header.make_packet_data_edit_list([100, 50, 25])]
    sealed = [part for packet in odd for part in header.encrypt(packet, keys_of("alice"))]
    write("odd-edit.c4gh", header.serialize(sealed) + sealed_segment(plaintext(1000), session_key))

    # Two data keys: the first segment opens with the second one of the header.
    data = plaintext(SEGMENT_SIZE + 500)
    first, second = os.urandom(32), os.urandom(32)
    both = [header.make_packet_data_enc(0, second), header.make_packet_data_enc(0, first)]
    sealed = [part for packet in both for part in header.encrypt(packet, keys_of("alice"))]
    body = sealed_segment(data[:SEGMENT_SIZE], first) + sealed_segment(data[SEGMENT_SIZE:], second)
    write("two-keys.c4gh", header.serialize(sealed) + body)

    with open("expected.json", "w", encoding="utf-8") as file:
        secrets = {name: get_private_key(f"{name}.sec", lambda: PASSPHRASE).hex()
                   for name in ("alice", "bob", "carol")}
        json.dump({"passphrase": PASSPHRASE, "secretKeys": secrets}, file, indent=2)
        file.write("\n")


main()
