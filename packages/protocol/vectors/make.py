"""Makes the JSON vectors of this folder, apart from wallet.json, with hashlib and `cryptography`.

    pip install --target packages cryptography
    PYTHONPATH=packages python3 make.py

It is a second implementation of the encodings, written from their description and not from the
TypeScript.
"""

import hashlib
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def known_bytes(size):
    blocks = (hashlib.sha256(k.to_bytes(4, "big")).digest() for k in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def lp(*fields):
    data = [field.encode() if isinstance(field, str) else field for field in fields]
    return b"".join(len(field).to_bytes(4, "big") + field for field in data)


def sha256(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    """RFC 8785 for what stands here: ASCII keys, integers, text without escapes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def write(name, value):
    with open(name, "w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


GENESIS = {"name": "vectors", "startedAtMs": 1700000000000}
NETWORK = sha256(lp("helixmesh/network/v1", canonical(GENESIS)))
OTHER_NETWORK = sha256(b"another network")
NODE_SECRET = sha256(b"a node of the vectors")
NODE = Ed25519PrivateKey.from_private_bytes(NODE_SECRET)


def public_key(private):
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    return private.public_key().public_bytes(*raw)


def digest(raw):
    return f"sha256:{raw.hex()}"


# The tree over segments.


def top(tags):
    if not tags:
        return sha256(lp("helixmesh/segment-empty/v1"))
    if len(tags) == 1:
        return sha256(lp("helixmesh/segment-leaf/v1", tags[0]))
    split = 1
    while split * 2 < len(tags):
        split *= 2
    return sha256(lp("helixmesh/segment-node/v1", top(tags[:split]), top(tags[split:])))


def root(tags, network=NETWORK, count=None):
    size = (len(tags) if count is None else count).to_bytes(8, "big")
    return digest(sha256(lp("helixmesh/segment-root/v1", network, size, top(tags))))


def path(tags, index):
    if len(tags) == 1:
        return []
    split = 1
    while split * 2 < len(tags):
        split *= 2
    if index < split:
        return path(tags[:split], index) + [top(tags[split:])]
    return path(tags[split:], index - split) + [top(tags[:split])]


def tags_of(count):
    data = known_bytes(28 * count)
    return [data[28 * i : 28 * i + 28] for i in range(count)]


def merkle():
    tags = tags_of(7)
    good = {
        "count": 7,
        "root": root(tags),
        "index": 4,
        "tag": tags[4].hex(),
        "path": [node.hex() for node in path(tags, 4)],
        "isValid": True,
        "why": "segment 4 of 7",
    }
    last = {**good, "index": 6, "tag": tags[6].hex(), "path": [n.hex() for n in path(tags, 6)]}
    swapped = tags[:4] + [tags[5], tags[4]] + tags[6:]
    doubled = tags + [tags[6]]
    plain = sha256(b"\x00" + tags[0])
    bad = [
        {**good, "index": 5, "why": "the index of its neighbour"},
        {**good, "index": 7, "why": "an index beyond the end"},
        {**good, "tag": tags[5].hex(), "why": "the tag of its neighbour"},
        {**good, "path": good["path"][:-1], "why": "a path too short"},
        {**good, "path": good["path"] + [plain.hex()], "why": "a path too long"},
        {**good, "path": good["path"][::-1], "why": "a path from the top down"},
        {**good, "count": 8, "why": "another number of leaves"},
        {**good, "root": root(tags[:-1]), "why": "the root of the truncated body"},
        {**good, "root": root(swapped), "why": "the root of the reordered body"},
        {**good, "root": root(tags, OTHER_NETWORK), "why": "the root in another network"},
        {**last, "root": root(doubled, count=7), "why": "the root with its odd node doubled"},
        {**good, "root": digest(top(tags)), "why": "the top node in place of the root"},
    ]
    bad = [{**case, "isValid": False} for case in bad]
    return {
        "network": digest(NETWORK),
        "roots": [
            {"tags": [tag.hex() for tag in tags_of(n)], "root": root(tags_of(n))} for n in range(9)
        ],
        "paths": [good, {**last, "why": "the odd last segment of 7"}, *bad],
    }


write("merkle.json", merkle())
