"""Makes tasks.json, with the encodings of make.py, which makes its own vectors anew as well.

    PYTHONPATH=packages python3 make-tasks.py
"""

from make import (
    NETWORK,
    NODE,
    OTHER_NETWORK,
    OWNER,
    canonical,
    digest,
    document_id,
    known_bytes,
    lp,
    public_key,
    sha256,
    write,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COORDINATOR = Ed25519PrivateKey.from_private_bytes(sha256(b"a coordinator of the vectors"))
STRANGER = Ed25519PrivateKey.from_private_bytes(sha256(b"a stranger"))


def node_id(key):
    return "node_" + public_key(key).hex()


PLACES = {
    "custodian": node_id(STRANGER) + "@custodian.example:7402",
    "vaults": [node_id(COORDINATOR) + "@[2001:db8::1]:7401"],
}
JOB = {
    "type": "helixmesh/network-job/v1",
    "network": digest(NETWORK),
    "requester": OWNER,
    "coordinator": node_id(COORDINATOR),
    "chainId": 31337,
    "nonce": "00112233445566778899aabbccddeeff",
    "issuedAtMs": 1700000000000,
    "expiresAtMs": 1700086400000,
    "datasets": sorted(
        [
            {"dataset": digest(sha256(b"a manifest")), "grant": None, **PLACES},
            {
                "dataset": digest(sha256(b"another manifest")),
                "grant": digest(sha256(b"a grant")),
                **PLACES,
            },
        ],
        key=lambda entry: entry["dataset"],
    ),
    "pipeline": {"name": "germline", "version": 1},
    "parameters": {"aligner": "bwa", "keepAll": False, "shardTargetBases": 20000000, "sex": None},
    "constraints": {
        "zones": ["EU", "MX"],
        "operators": None,
        "isCommercial": False,
        "needsStrongSandbox": True,
        "onShortfall": "wait",
    },
    "redundancy": 2,
    "replicasMax": 5,
    "maxPriceMicroUsd": "12500000",
    "outputCustodian": {
        "owner": OWNER,
        "nodeId": node_id(STRANGER),
        "encryptionKey": sha256(b"an X25519 key").hex(),
    },
}
JOB_ID = document_id(JOB)


def task_id(job, name, network=NETWORK, tag="helixmesh/network-task/v1"):
    return "task_" + sha256(lp(tag, network, bytes.fromhex(job[7:]), name))[:16].hex()


TASK_ID = task_id(JOB_ID, "main")
ATTEMPT_ID = "att_0123456789abcdef"
RESULT = sha256(b"a result")
SALT = known_bytes(32)


COMMITMENT = {
    "tag": "helixmesh/commit/v1",
    "network": NETWORK,
    "task": TASK_ID,
    "attempt": ATTEMPT_ID,
    "token": (3).to_bytes(8, "big"),
    "node": node_id(NODE),
    "result": RESULT,
    "salt": SALT,
}


def commit(**changes):
    return digest(sha256(lp(*{**COMMITMENT, **changes}.values())))


def commits():
    joined = "helixmesh/commit/v1".encode() + NETWORK + TASK_ID.encode() + ATTEMPT_ID.encode()
    joined += (3).to_bytes(8, "big") + node_id(NODE).encode() + RESULT + SALT
    return [
        {"commit": commit(), "isValid": True, "why": "as it is made"},
        *[
            {"commit": value, "isValid": False, "why": why}
            for why, value in [
                ("another tag", commit(tag="helixmesh/reveal/v1")),
                ("another network", commit(network=OTHER_NETWORK)),
                ("another task", commit(task=task_id(JOB_ID, "other"))),
                ("another attempt", commit(attempt="att_fedcba9876543210")),
                ("another fencing token", commit(token=(4).to_bytes(8, "big"))),
                ("the fencing token as text", commit(token=b"3")),
                ("the fencing token in four bytes", commit(token=(3).to_bytes(4, "big"))),
                ("the fencing token little-endian", commit(token=(3).to_bytes(8, "little"))),
                ("copied by another node", commit(node=node_id(STRANGER))),
                ("the node's key without its prefix", commit(node=public_key(NODE))),
                ("another result", commit(result=sha256(b"another result"))),
                ("the digest as text", commit(result=digest(RESULT))),
                ("another salt", commit(salt=known_bytes(64)[32:])),
                ("no salt", commit(salt=b"")),
                ("task and attempt changed places", commit(task=ATTEMPT_ID, attempt=TASK_ID)),
                ("fields joined without prefixes", digest(sha256(joined))),
            ]
        ],
    ]


def signed_cases(document, key, changes, malformed):
    """The document as it is signed, with each change after it was, and what is wrong in shape."""
    tag = document["type"]

    def case(verdict, why, message=None, signer=key, **claims):
        message = message or lp(tag, NETWORK, canonical(document))
        text = canonical({"document": {**document, **claims}, "signature": signer.sign(message).hex()})
        return {"bytes": text, "verdict": verdict, "why": why}

    other = {**document, "network": digest(OTHER_NETWORK)}
    good = case("valid", "as signed")
    return {
        "id": document_id(document),
        "cases": [
            good,
            *[case("signature", why, **claims) for why, claims in changes],
            case("signature", "signed by another key", signer=STRANGER),
            case("signature", "signed without tag and prefixes", canonical(document).encode()),
            case(
                "signature",
                "signed as another kind of document",
                lp("helixmesh/head-attestation/v1", NETWORK, canonical(document)),
            ),
            case("signature", "signed for another network", lp(tag, OTHER_NETWORK, canonical(document))),
            case(
                "network",
                "all of it in another network",
                lp(tag, OTHER_NETWORK, canonical(other)),
                network=digest(OTHER_NETWORK),
            ),
            *[
                case("malformed", why, lp(tag, NETWORK, canonical({**document, **claims})), **claims)
                for why, claims in malformed
            ],
            case("malformed", "an unknown field", lp(tag, NETWORK, canonical({**document, "x": 1})), x=1),
            {**good, "bytes": good["bytes"] + "\n", "verdict": "malformed", "why": "a line break behind it"},
        ],
    }


ATTEMPT = {
    "network": digest(NETWORK),
    "taskId": TASK_ID,
    "attemptId": ATTEMPT_ID,
    "fencingToken": 3,
    "nodeId": node_id(NODE),
}
BAD_ATTEMPT = [
    ("fencing token 0", {"fencingToken": 0}),
    ("half a fencing token", {"fencingToken": 1.5}),
    ("an attempt of another kind", {"attemptId": TASK_ID}),
    ("a task id in capitals", {"taskId": TASK_ID.upper()}),
]

ASSIGNMENT = {
    **ATTEMPT,
    "type": "helixmesh/assignment/v1",
    "coordinator": node_id(COORDINATOR),
    "job": JOB_ID,
    "operator": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
    "zone": "MX",
    "datasets": [entry["dataset"] for entry in JOB["datasets"]],
    "issuedAtMs": 1700000001000,
    "expiresAtMs": 1700000121000,
}
STATEMENT = {**ATTEMPT, "type": "helixmesh/commit-statement/v1", "commit": commit()}
REVEAL = {
    **ATTEMPT,
    "type": "helixmesh/reveal/v1",
    "resultDigest": digest(RESULT),
    "salt": SALT.hex(),
}


def result_digest(job_hash, outputs, network=NETWORK, tag="helixmesh/result/v1"):
    compared = [
        {"path": output["path"], **output["canonical"]}
        for output in outputs
        if output["canonical"] is not None
    ]
    return digest(sha256(lp(tag, network, bytes.fromhex(job_hash[7:]), canonical(compared))))


def output(path, size, form=None):
    made = digest(sha256(path.encode() + b" in its canonical form"))
    return {
        "path": path,
        "sizeBytes": size,
        "sha256": digest(sha256(path.encode())),
        "canonical": None if form is None else {"format": form, "digest": made},
    }


JOB_HASH = digest(sha256(b"a job hash"))
OUTPUTS = [
    output("qc/sample.json", 7, "json"),
    output("sample.bam", 9007199254740991, "bam"),
    output("sample.bam.bai", 0),
    output("sample.vcf.gz", 30, "vcf"),
]
RESULT_STATEMENT = {
    **ATTEMPT,
    "type": "helixmesh/result-statement/v1",
    "job": JOB_ID,
    "operator": ASSIGNMENT["operator"],
    "jobHash": JOB_HASH,
    "resultDigest": result_digest(JOB_HASH, OUTPUTS),
    "outputs": OUTPUTS,
    "startedAtMs": 1700000002000,
    "endedAtMs": 1700000090000,
}


def with_output(i, **claims):
    return [*OUTPUTS[:i], {**OUTPUTS[i], **claims}, *OUTPUTS[i + 1 :]]


def stated_results():
    """Statements that their node has signed as they stand here."""

    def case(verdict, why, **claims):
        document = {**RESULT_STATEMENT, **claims}
        message = lp(document["type"], NETWORK, canonical(document))
        text = canonical({"document": document, "signature": NODE.sign(message).hex()})
        return {"bytes": text, "verdict": verdict, "why": why}

    other = {"format": "bam", "digest": digest(sha256(b"another canonical form"))}
    return [
        case("valid", "as it is made"),
        *[
            case("result", why, **claims)
            for why, claims in [
                ("another result digest", {"resultDigest": digest(RESULT)}),
                ("another job hash", {"jobHash": digest(RESULT)}),
                ("another canonical digest", {"outputs": with_output(1, canonical=other)}),
                ("another format", {"outputs": with_output(0, canonical={**other, "format": "text"})}),
                ("a file that is not compared any more", {"outputs": with_output(3, canonical=None)}),
                ("a file that is compared as well", {"outputs": with_output(2, canonical=other)}),
                ("a file left out", {"outputs": OUTPUTS[:3]}),
                ("another path", {"outputs": with_output(3, path="sample.vcf.gz2")}),
                (
                    "the result digest of another network",
                    {"resultDigest": result_digest(JOB_HASH, OUTPUTS, OTHER_NETWORK)},
                ),
                (
                    "the result digest with another tag",
                    {"resultDigest": result_digest(JOB_HASH, OUTPUTS, tag="helixmesh/job/v1")},
                ),
            ]
        ],
    ]


ENTRY = {
    "type": "helixmesh/commit-chain-entry/v1",
    "network": digest(NETWORK),
    "coordinator": node_id(COORDINATOR),
    "sequence": 0,
    "previous": None,
    "kind": "commit",
    "taskId": TASK_ID,
    "attemptId": ATTEMPT_ID,
    "statement": document_id(STATEMENT),
    "atMs": 1700000100000,
}


def chain():
    second = {
        **ENTRY,
        "sequence": 1,
        "previous": document_id(ENTRY),
        "kind": "reveal",
        "statement": document_id(REVEAL),
        "atMs": 1700000200000,
    }

    def signed(document, key=COORDINATOR):
        message = lp(document["type"], NETWORK, canonical(document))
        return canonical({"document": document, "signature": key.sign(message).hex()})

    def case(status, why, *entries):
        return {"entries": list(entries), "status": status, "why": why}

    first = signed(ENTRY)
    return [
        case("valid", "a commit and a reveal", first, signed(second)),
        case("order", "the second before the first", signed(second), first),
        case("order", "one of them twice", first, first),
        case("order", "a number left out", first, signed({**second, "sequence": 2})),
        case("order", "another one before it", first, signed({**second, "previous": JOB_ID})),
        case("order", "a time before the one before it", first, signed({**second, "atMs": 1700000099999})),
        case("signature", "signed by another key", first, signed(second, STRANGER)),
        case("coordinator", "in another's name", first, signed({**second, "coordinator": node_id(STRANGER)})),
    ]


write(
    "tasks.json",
    {
        "network": digest(NETWORK),
        "job": {"document": JOB, "canonical": canonical(JOB), "id": JOB_ID},
        "notTheJobsId": {
            "with the tag of the hash that decides a result": document_id(JOB, "helixmesh/job/v1"),
            "another network": document_id(JOB, network=OTHER_NETWORK),
            "the hash of the canonical JSON alone": digest(sha256(canonical(JOB).encode())),
        },
        "task": {
            "name": "main",
            "id": TASK_ID,
            "not": {
                "another name": task_id(JOB_ID, "mai"),
                "another job": task_id(digest(sha256(b"another job")), "main"),
                "another network": task_id(JOB_ID, "main", OTHER_NETWORK),
                "another tag": task_id(JOB_ID, "main", tag="helixmesh/task/v1"),
            },
        },
        "commits": commits(),
        "assignment": {
            "publicKey": public_key(COORDINATOR).hex(),
            **signed_cases(
                ASSIGNMENT,
                COORDINATOR,
                [
                    ("another node than was signed", {"nodeId": node_id(STRANGER)}),
                    ("another fencing token than was signed", {"fencingToken": 4}),
                    ("another operator than was signed", {"operator": OWNER}),
                    ("a tier that was not signed", {"tier": "ai"}),
                    ("a later end than was signed", {"expiresAtMs": 1700000122000}),
                    ("fewer datasets than were signed", {"datasets": ASSIGNMENT["datasets"][:1]}),
                ],
                [
                    *BAD_ATTEMPT,
                    ("a tier that there is not", {"tier": "AI"}),
                    ("no datasets", {"datasets": []}),
                    ("datasets out of order", {"datasets": ASSIGNMENT["datasets"][::-1]}),
                    ("an end before its beginning", {"expiresAtMs": 1700000001000}),
                ],
            ),
        },
        "statement": {
            "publicKey": public_key(NODE).hex(),
            **signed_cases(
                STATEMENT,
                NODE,
                [
                    ("another commit than was signed", {"commit": JOB_ID}),
                    ("another attempt than was signed", {"attemptId": "att_fedcba9876543210"}),
                    ("another fencing token than was signed", {"fencingToken": 4}),
                ],
                [*BAD_ATTEMPT, ("the result beside its commit", {"resultDigest": digest(RESULT)})],
            ),
        },
        "reveal": {
            "publicKey": public_key(NODE).hex(),
            **signed_cases(
                REVEAL,
                NODE,
                [
                    ("another result than was signed", {"resultDigest": JOB_ID}),
                    ("another salt than was signed", {"salt": known_bytes(64)[32:].hex()}),
                ],
                [*BAD_ATTEMPT, ("a short salt", {"salt": SALT.hex()[:-2]})],
            ),
        },
        "resultStatement": {
            "publicKey": public_key(NODE).hex(),
            **signed_cases(
                RESULT_STATEMENT,
                NODE,
                [
                    ("another job than was signed", {"job": JOB_HASH}),
                    ("another attempt than was signed", {"attemptId": "att_fedcba9876543210"}),
                    ("another operator than was signed", {"operator": OWNER}),
                    ("no operator, and one was signed", {"operator": None}),
                    ("another result than was signed", {"resultDigest": JOB_ID}),
                    ("other bytes than were signed", {"outputs": with_output(2, sha256=JOB_ID)}),
                    ("another size than was signed", {"outputs": with_output(2, sizeBytes=1)}),
                    ("a file less than was signed", {"outputs": OUTPUTS[1:]}),
                    ("a later end than was signed", {"endedAtMs": 1700000090001}),
                ],
                [
                    *BAD_ATTEMPT,
                    ("an end before its beginning", {"endedAtMs": 1700000001999}),
                    ("no files", {"outputs": []}),
                    ("files out of order", {"outputs": OUTPUTS[::-1]}),
                    ("a file twice", {"outputs": [OUTPUTS[0], *OUTPUTS]}),
                    ("a file above its folder", {"outputs": with_output(0, path="../sample.json")}),
                    ("a hidden file", {"outputs": with_output(0, path=".sample.json")}),
                    ("the file of the statement itself", {"outputs": with_output(3, path="statement.json")}),
                    ("a file below that of the statement", {"outputs": with_output(3, path="statement.json/a")}),
                    ("half a byte", {"outputs": with_output(2, sizeBytes=0.5)}),
                    ("a digest in capitals", {"outputs": with_output(2, sha256=JOB_ID.upper())}),
                    (
                        "a format that is not compared",
                        {"outputs": with_output(2, canonical={"format": "index", "digest": JOB_ID})},
                    ),
                ],
            ),
            "results": stated_results(),
        },
        "chain": chain(),
    },
)
