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


# Length prefixes, documents and their ids.


def length_prefixed():
    lists = [[], [b""], [b"a", b"b"], [b"ab", b""], [b"", b"ab"], [b"\x00" * 300, b"x"]]
    return [{"fields": [field.hex() for field in fields], "bytes": lp(*fields).hex()} for fields in lists]


OWNER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
GRANT = {
    "type": "helixmesh/grant/v1",
    "network": digest(NETWORK),
    "owner": OWNER,
    "grantee": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "dataset": digest(sha256(b"a manifest")),
    "terms": {"pipelines": ["germline"], "commercialUse": False, "zones": ["EU", "MX"]},
    "untilMs": 1800000000000,
    "regions": [{"refName": "chr17", "start": 43044294, "end": 43125364}],
    "nonce": "00112233445566778899aabbccddeeff",
    "issuedAtMs": 1700000000000,
}


def document_id(document, tag=None, network=NETWORK):
    return digest(sha256(lp(tag or document["type"], network, canonical(document))))


def attestation():
    document = {
        "type": "helixmesh/head-attestation/v1",
        "network": digest(NETWORK),
        "owner": OWNER,
        "number": 3,
        "head": digest(sha256(b"a head")),
        "atMs": 1700000000000,
    }

    def signed(changes, message=None, why=""):
        claimed = {**document, **changes}
        message = message or lp(document["type"], NETWORK, canonical(document))
        signature = NODE.sign(message).hex()
        text = canonical({"document": claimed, "signature": signature})
        return {"bytes": text, "isValid": why == "", "why": why or "signed by the custodian"}

    other = {**document, "network": digest(OTHER_NETWORK)}
    return {
        "publicKey": public_key(NODE).hex(),
        "cases": [
            signed({}),
            signed({"number": 4}, why="another number than was signed"),
            signed({"atMs": 1700000060000}, why="another time than was signed"),
            signed({}, canonical(document).encode(), "signed without tag and prefixes"),
            signed(
                {},
                lp("helixmesh/revocation-head/v1", NETWORK, canonical(document)),
                "signed as another kind of document",
            ),
            signed({}, lp(document["type"], OTHER_NETWORK, canonical(document)), "signed for another network"),
            signed(
                other,
                lp(document["type"], OTHER_NETWORK, canonical(other)),
                "all of it in another network",
            ),
        ],
    }


def grant_segments():
    document = {
        "type": "helixmesh/grant-segments/v1",
        "network": digest(NETWORK),
        "grant": document_id(GRANT),
        "object": GRANT["dataset"],
        "segments": [{"start": 3, "end": 7}, {"start": 9, "end": 10}],
        "atMs": 1700000000000,
    }
    tag = document["type"]

    def signed(verdict="valid", why="signed by the custodian", message=None, **changes):
        claimed = {**document, **changes}
        message = message or lp(tag, NETWORK, canonical(document))
        text = canonical({"document": claimed, "signature": NODE.sign(message).hex()})
        return {"bytes": text, "verdict": verdict, "why": why}

    def malformed(why, **changes):
        """Signed as it stands: its shape alone is wrong."""
        message = lp(tag, NETWORK, canonical({**document, **changes}))
        return signed("malformed", why, message, **changes)

    def ranges(*pairs):
        return [{"start": start, "end": end} for start, end in pairs]

    other = {**document, "network": digest(OTHER_NETWORK)}
    good = signed()
    return {
        "publicKey": public_key(NODE).hex(),
        "id": document_id(document),
        "cases": [
            good,
            signed("signature", "more segments than were signed", segments=ranges((3, 8), (9, 10))),
            signed("signature", "another object than was signed", object=digest(sha256(b"another"))),
            signed("signature", "another grant than was signed", grant=digest(sha256(b"another"))),
            signed("signature", "another time than was signed", atMs=1700000000001),
            signed("signature", "signed without tag and prefixes", canonical(document).encode()),
            signed(
                "signature",
                "signed as another kind of document",
                lp("helixmesh/head-attestation/v1", NETWORK, canonical(document)),
            ),
            signed("signature", "signed for another network", lp(tag, OTHER_NETWORK, canonical(document))),
            signed(
                "network",
                "all of it in another network",
                lp(tag, OTHER_NETWORK, canonical(other)),
                network=digest(OTHER_NETWORK),
            ),
            malformed("no segments", segments=[]),
            malformed("an empty range", segments=ranges((3, 3))),
            malformed("a range that ends before it begins", segments=ranges((7, 3))),
            malformed("ranges that touch, which are one", segments=ranges((3, 7), (7, 10))),
            malformed("ranges that overlap", segments=ranges((3, 7), (6, 10))),
            malformed("ranges out of order", segments=ranges((9, 10), (3, 7))),
            malformed("segments beyond the largest object", segments=ranges((3, 2**22 + 1))),
            malformed("another type", type="helixmesh/grant/v1"),
            malformed("an unknown field", regions=[]),
            {**good, "bytes": good["bytes"] + "\n", "verdict": "malformed", "why": "a line break behind it"},
        ],
    }


write(
    "documents.json",
    {
        "lengthPrefixed": length_prefixed(),
        "genesis": GENESIS,
        "network": digest(NETWORK),
        "grant": {"document": GRANT, "canonical": canonical(GRANT), "id": document_id(GRANT)},
        "notTheId": {
            "the hash of the canonical JSON alone": digest(sha256(canonical(GRANT).encode())),
            "another kind": document_id(GRANT, "helixmesh/manifest/v1"),
            "another network": document_id(GRANT, network=OTHER_NETWORK),
        },
        "attestation": attestation(),
        "grantSegments": grant_segments(),
    },
)


# Signed requests.


def requests():
    facts = {
        "method": "POST",
        "path": "/api/v1/datasets?limit=10",
        "body": '{"a":1}',
        "audience": "node_" + sha256(b"the audience").hex(),
    }
    time_ms = 1700000000000
    nonce = known_bytes(16)

    def case(why="", facts_seen=None, message=None, time_seen=time_ms, nonce_seen=nonce, key=None):
        told = message or request_message(facts, time_ms, nonce)
        public = key or public_key(NODE)
        proof = (
            f"Helixmesh key={public.hex()}, time={time_seen}, "
            f"nonce={nonce_seen.hex()}, signature={NODE.sign(told).hex()}"
        )
        return {
            "facts": {**facts, **(facts_seen or {})},
            "authorization": proof,
            "isValid": why == "",
            "why": why or "as signed",
        }

    stranger = Ed25519PrivateKey.from_private_bytes(sha256(b"a stranger"))
    plain = "".join([facts["method"], facts["path"], facts["audience"]]).encode()
    return {
        "network": digest(NETWORK),
        "nowMs": time_ms + 1000,
        "cases": [
            case(),
            case("another method", {"method": "GET"}),
            case("another path", {"path": "/api/v1/datasets?limit=11"}),
            case("method and path cut elsewhere", {"method": "POST/", "path": "api/v1/datasets?limit=10"}),
            case("another body", {"body": '{"a":2}'}),
            case("at another node", {"audience": "node_" + sha256(b"another node").hex()}),
            case("another time than was signed", time_seen=time_ms + 1),
            case("another nonce than was signed", nonce_seen=known_bytes(32)[16:]),
            case("in the name of another key", key=public_key(stranger)),
            case("of another network", message=request_message(facts, time_ms, nonce, OTHER_NETWORK)),
            case("fields joined without prefixes", message=plain),
        ],
    }


def request_message(facts, time_ms, nonce, network=NETWORK):
    return lp(
        "helixmesh/request/v1",
        network,
        facts["method"],
        facts["path"],
        sha256(facts["body"].encode()),
        facts["audience"],
        time_ms.to_bytes(8, "big"),
        nonce,
    )


write("requests.json", requests())


# Networks and addresses of nodes.


def genesis_cases():
    node_id = "node_" + public_key(NODE).hex()
    other_id = "node_" + "ff" * 32
    document = {
        "type": "helixmesh/genesis/v1",
        "name": "vectors",
        "createdAtMs": 1700000000000,
        "nonce": "00112233445566778899aabbccddeeff",
        "coordinators": [node_id],
        "attestedOperators": [OWNER],
    }

    def founds(why, **changes):
        text = canonical({**document, **changes})
        return {
            "bytes": text,
            "network": digest(sha256(lp("helixmesh/network/v1", text))),
            "why": why,
        }

    def fails(why, text=None, **changes):
        return {"bytes": text or canonical({**document, **changes}), "network": None, "why": why}

    without = {key: value for key, value in document.items() if key != "nonce"}
    return [
        founds("one coordinator, one operator"),
        founds("neither of them", coordinators=[], attestedOperators=[]),
        founds("two coordinators", coordinators=sorted([node_id, other_id])),
        founds("another nonce, another network", nonce="00112233445566778899aabbccddee00"),
        fails("written with spaces", json.dumps(document, sort_keys=True)),
        fails("members in another order", json.dumps(document, separators=(",", ":"))),
        fails("a line break behind it", canonical(document) + "\n"),
        fails("without a nonce", canonical(without)),
        fails("an unknown field", more=True),
        fails("another type", type="helixmesh/genesis/v2"),
        fails("a name with a capital", name="Vectors"),
        fails("no name", name=""),
        fails("coordinators out of order", coordinators=sorted([node_id, other_id], reverse=True)),
        fails("one coordinator twice", coordinators=[node_id, node_id]),
        fails("a key in place of a node", coordinators=[public_key(NODE).hex()]),
        fails("an operator in capitals", attestedOperators=[OWNER.upper().replace("0X", "0x")]),
        fails("a time before 1970", createdAtMs=-1),
        fails("a time as text", createdAtMs="1700000000000"),
        fails("a list", "[]"),
    ]


def address_cases():
    key = public_key(NODE).hex()
    node_id = f"node_{key}"

    def case(why, text, is_valid=False):
        return {"text": text, "isValid": is_valid, "why": why}

    def good(why, host, port=7401):
        return case(why, f"{node_id}@{host}:{port}", True)

    def bad(why, host, port="7401"):
        return case(why, f"{node_id}@{host}:{port}")

    return [
        good("an IPv4 address", "127.0.0.1"),
        good("a name", "vault.example.org"),
        good("a name of one label", "localhost", 1),
        good("the highest port", "a.example", 65535),
        good("an IPv6 address", "[2001:db8::1]"),
        good("the local IPv6 address", "[::1]"),
        case("no node", "127.0.0.1:7401"),
        case("a node in capitals", f"node_{key.upper()}@127.0.0.1:7401"),
        case("a node of 63 digits", f"node_{key[1:]}@127.0.0.1:7401"),
        case("no port", f"{node_id}@127.0.0.1"),
        bad("port 0", "127.0.0.1", "0"),
        bad("a port with a zero before it", "127.0.0.1", "07401"),
        bad("a port beyond the highest", "127.0.0.1", "65536"),
        bad("no host", ""),
        bad("an IPv4 address of two numbers", "127.1"),
        bad("an IPv4 address in octal", "0177.0.0.1"),
        bad("an IPv4 address in hex", "0x7f000001"),
        bad("an IPv4 address beyond 255", "127.0.0.256"),
        bad("an IPv6 address without brackets", "::1"),
        bad("an IPv6 address written out", "[0:0:0:0:0:0:0:1]"),
        bad("an IPv6 address in capitals", "[2001:DB8::1]"),
        bad("an IPv6 address with a zone", "[fe80::1%eth0]"),
        bad("a name in brackets", "[localhost]"),
        bad("a name in capitals", "Vault.example.org"),
        bad("a name that ends with a dot", "vault.example.org."),
        bad("a name with a dash at its end", "vault-.example"),
        bad("a name with a letter beyond ASCII", "v\u00e4ult.example"),
        bad("a user before the host", "me@vault.example"),
        bad("a path behind the host", "vault.example/x"),
        case("white space before it", f" {node_id}@127.0.0.1:7401"),
        case("a line break behind it", f"{node_id}@127.0.0.1:7401\n"),
        case("a scheme", f"https://{node_id}@127.0.0.1:7401"),
    ]


write("network.json", {"genesis": genesis_cases(), "addresses": address_cases()})
