/** What nodes, vaults and requesters may say, and what refuses it. */
import type { Lie } from './lie.ts';
import { VAULT_LIES } from './vault-lies.ts';

const DAEMON = 'packages/daemon/src';
const TASKS = `${DAEMON}/coordination/tasks`;
const NETWORK = `${DAEMON}/network`;
const VAULT = 'packages/vault/src';

const RESULTS: readonly Lie[] = [
  {
    lie: 'a wrong result',
    end: 'no majority: a further operator is asked, and who was wrong is told apart',
    guards: [
      {
        path: 'packages/scheduler/src/quorum/quorum.ts',
        code: "return digest === winner ? 'valid' : 'invalid';",
        without: "return digest === winner ? 'valid' : 'valid';",
      },
    ],
    test: {
      path: `${TASKS}/tasks.test.ts`,
      name: 'a third operator settles a disagreement, and the wrong one is told apart',
    },
  },
  {
    lie: 'garbage in place of the result that was agreed on',
    end: 'the requester computes its digest anew: RESULT_DIFFERS, and the next node is asked',
    guards: [
      {
        path: 'apps/cli/src/biofs/analysis/check-result.ts',
        code: 'if (resultDigestOf(crypto, network, { jobHash, files }) !== expected) {',
        without: "if (resultDigestOf(crypto, network, { jobHash, files }) === '') {",
      },
    ],
    test: {
      path: 'apps/cli/src/biofs/analysis.test.ts',
      name: 'files whose digest is not the agreed one are refused, and nothing gets its name',
    },
  },
  {
    lie: 'a signed statement of other files than were sent',
    end: 'the requester hashes each file: RESULT_DIFFERS, and the next node is asked',
    guards: [
      {
        path: 'apps/cli/src/biofs/analysis/result-statement.ts',
        code: '(await sha256Of(crypto, path, signal)) !== output.sha256',
        without: "(await sha256Of(crypto, path, signal)) === ''",
      },
    ],
    test: {
      path: 'apps/cli/src/biofs/analysis.test.ts',
      name: 'files that are not, byte for byte, what their node has signed are refused',
    },
  },
  {
    lie: 'a result without some of the reads',
    end: 'the requester, who has the reads, counts them in the alignment',
    guards: [
      {
        path: 'packages/pipelines/src/conservation/check-reads.ts',
        code: 'isConserved: trimmed.equals(aligned),',
        without: 'isConserved: trimmed.count === aligned.count,',
      },
    ],
    test: {
      path: 'packages/pipelines/src/conservation/check-reads.test.ts',
      name: 'an alignment has the reads that it was made of, and one that drops, changes, doubles or makes up some is told',
    },
  },
  {
    lie: 'a copied commit',
    end: 'it opens for its maker alone, so the copier is wrong',
    guards: [
      {
        path: `${TASKS}/commits.ts`,
        code: 'commitOf(keeper.crypto, signed.document) === replica.commit_digest',
        without: 'commitOf(keeper.crypto, signed.document) !== null',
      },
    ],
    test: {
      path: `${TASKS}/tasks.test.ts`,
      name: "a copied commit opens for nobody but its maker, and another's signature is none",
    },
  },
  {
    lie: 'a late commit',
    end: 'after the first reveal of its round: no vote, no pay',
    guards: [
      {
        path: 'packages/scheduler/src/quorum/quorum.ts',
        code: 'return (replica.commitSequence ?? lastSequence(replicas)) < firstReveal;',
        without: 'return (replica.commitSequence ?? lastSequence(replicas)) < firstReveal + 1e9;',
      },
    ],
    test: {
      path: 'packages/scheduler/src/quorum/quorum.test.ts',
      name: 'a commit after the first reveal of its round has no weight',
    },
  },
  {
    lie: 'a late reveal',
    end: 'the attempt is ended, and another operator takes its place',
    guards: [
      {
        path: `${TASKS}/rounds.ts`,
        code: "if (task.reveal_deadline > nowMs) return { kind: 'none' };",
        without: "if (task.reveal_deadline > 0) return { kind: 'none' };",
      },
    ],
    test: {
      path: `${TASKS}/tasks.test.ts`,
      name: 'who misses the deadline of a commit or a reveal is ended, and another takes its place',
    },
  },
];

const ACCESS: readonly Lie[] = [
  {
    lie: 'a stale revocation head',
    end: 'no grant counts: CUSTODIAN_OFFLINE',
    guards: [
      {
        path: 'packages/protocol/src/signing/revocation.ts',
        code: 'ageMs <= HEAD_AGE_MS_MAX &&',
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/storage/refusals.test.ts`,
      name: 'without a head, and with one that was not attested within a minute, no grant counts',
    },
  },
  {
    lie: 'a revocation head that goes back',
    end: 'refused, over restarts too',
    guards: [
      {
        path: 'packages/protocol/src/signing/revocation.ts',
        code: "if (next.head.number < known.head.number) return 'rollback';",
        without: "if (next.head.number < known.head.number) return 'accepted';",
      },
    ],
    test: {
      path: `${VAULT}/heads/heads.test.ts`,
      name: 'heads outlive a restart, so that it brings no old one back; attestations do not',
    },
  },
  {
    lie: 'an assignment for another dataset',
    end: 'the custodian releases no key',
    guards: [
      {
        path: 'packages/protocol/src/signing/assignment.ts',
        code: "if (!document.datasets.every((dataset) => known.has(dataset))) return 'datasets';",
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/custody/task-release.test.ts`,
      name: 'nothing is released: $reason ($papers)',
    },
  },
  {
    lie: 'a task at an operator whom the owner does not name',
    end: 'the custodian releases no key, and the owner finds it in the access log',
    guards: [
      {
        path: `${DAEMON}/custody/release-policy.ts`,
        code: "if (operators && !operators.includes(operator)) reasons.add('policy:other_operator');",
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/custody/task-release.test.ts`,
      name: 'nothing is released to a node of an operator whom the owner does not name',
    },
  },
  {
    lie: 'a task on a node of another tier than the owner names, or of none that is told',
    end: 'the custodian releases no key, and the owner finds it in the access log',
    guards: [
      {
        path: `${DAEMON}/custody/release-policy.ts`,
        code: "if (tiers && (tier === undefined || !tiers.includes(tier))) reasons.add('policy:tier');",
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/custody/task-release.test.ts`,
      name: 'nothing is released to a node of a tier that the owner does not name, or of none',
    },
  },
  {
    lie: 'an expired grant',
    end: 'ACCESS_REFUSED',
    guards: [
      {
        path: 'packages/protocol/src/signing/grant.ts',
        code: 'grant.untilMs !== null && grant.untilMs <= use.nowMs',
        without: 'grant.untilMs === 0',
      },
    ],
    test: { path: `${DAEMON}/storage/refusals.test.ts`, name: 'an expired grant is refused' },
  },
  {
    lie: 'guessing identifiers',
    end: 'the same answer, whether the object is there or not',
    guards: [
      {
        path: `${DAEMON}/storage/licence.ts`,
        code: 'throw refusals.length > 0 ? refusedBy(refusals) : objectNotFound();',
        without: 'throw owner === undefined ? objectNotFound() : refusedBy(refusals);',
      },
    ],
    test: {
      path: `${DAEMON}/storage/refusals.test.ts`,
      name: 'who guesses an id is told the same whether it is there or not',
    },
  },
  {
    lie: 'a request replayed at another node',
    end: 'UNAUTHENTICATED: the signature names the node',
    guards: [
      {
        path: 'packages/protocol/src/signing/request.ts',
        code: '    facts.audience,\n',
        without: '',
      },
    ],
    test: {
      path: `${NETWORK}/refusals.test.ts`,
      name: 'a request for one node is worth nothing at another one',
    },
  },
  {
    lie: 'a request replayed at the same node',
    end: 'UNAUTHENTICATED: each nonce counts once',
    guards: [
      {
        path: 'packages/protocol/src/signing/request.ts',
        code: "return outcome === 'admitted' ?",
        without: "return outcome !== 'busy' ?",
      },
    ],
    test: { path: `${NETWORK}/refusals.test.ts`, name: 'a request counts once' },
  },
  {
    lie: 'a downgrade of TLS by a client',
    end: 'the handshake fails',
    guards: [
      {
        path: `${NETWORK}/server.ts`,
        code: "minVersion: 'TLSv1.3',",
        without: "minVersion: 'TLSv1.2',",
      },
    ],
    test: {
      path: `${NETWORK}/tls.test.ts`,
      name: 'a listener speaks TLS 1.3 only, and HTTP/2 only',
    },
  },
  {
    lie: 'a downgrade of TLS by a server',
    end: 'PEER_NOT_TRUSTED before anything is sent',
    guards: [
      {
        path: 'packages/client/src/network/pinned-session.ts',
        code: "minVersion: 'TLSv1.3',",
        without: "minVersion: 'TLSv1.2',",
      },
      {
        path: 'packages/client/src/network/pinned-session.ts',
        code: "if (socket.getProtocol() !== 'TLSv1.3')",
        without: 'if (false)',
      },
    ],
    test: {
      path: `${NETWORK}/tls.test.ts`,
      name: 'a peer that speaks less than TLS 1.3, or not HTTP/2, is not trusted',
    },
  },
  {
    lie: 'another node behind an address',
    end: 'PEER_NOT_TRUSTED before anything is sent',
    guards: [
      {
        path: 'packages/client/src/network/pinned-session.ts',
        code: 'key === undefined || !nodeCrypto.equal(key, expected)',
        without: 'key === undefined',
      },
    ],
    test: {
      path: `${NETWORK}/tls.test.ts`,
      name: 'a node with another key is not trusted, and sees no request',
    },
  },
];

export const NETWORK_LIES: readonly Lie[] = [...RESULTS, ...VAULT_LIES, ...ACCESS];
