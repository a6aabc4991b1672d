/** What nodes say of themselves, what coordinators decide, and strangers who take all the room. */
import type { Lie } from './lie.ts';

const COORDINATION = 'packages/daemon/src/coordination';

const SAID_OF_ONESELF: readonly Lie[] = [
  {
    lie: 'a forged registration',
    end: 'UNAUTHENTICATED, and the registry stays as it is',
    guards: [
      {
        path: 'packages/scheduler/src/node/registration-proof.ts',
        code: "if (verdict.status === 'invalid') return verdict;",
        without: '',
      },
    ],
    test: {
      path: `${COORDINATION}/coordinator.test.ts`,
      name: 'a forged registration is refused, whatever was forged',
    },
  },
  {
    lie: "the answer to another node's canary",
    end: "ACCESS_REFUSED: each canary is one node's",
    guards: [
      {
        path: `${COORDINATION}/canaries.ts`,
        code: 'if (row?.canary_id !== answer.canaryId) throw notYours();',
        without: 'if (row === undefined) throw notYours();',
      },
    ],
    test: {
      path: `${COORDINATION}/verification.test.ts`,
      name: 'an answer that another node gives, or gave, is worth nothing',
    },
  },
  {
    lie: 'words that move the cursor of whoever reads them',
    end: 'shown as characters that do nothing',
    guards: [
      {
        path: 'packages/client/src/network/wire.ts',
        code: String.raw`text.replace(UNPRINTABLE, '\u{fffd}')`,
        without: 'text',
      },
    ],
    test: {
      path: 'packages/client/src/network/wire.test.ts',
      name: 'what a node says cannot move the cursor of whoever reads it',
    },
  },
  {
    lie: 'a result with names that lead out of its folder',
    end: 'its index is refused before anything is fetched',
    guards: [
      {
        path: 'packages/protocol/src/signing/result.ts',
        code: '.regex(PATH_PATTERN)',
        without: '',
      },
    ],
    test: {
      path: 'packages/protocol/src/signing/result.test.ts',
      name: 'an index that points outside its folder, or twice at one place, is refused',
    },
  },
];

const DECIDED: readonly Lie[] = [
  {
    lie: 'a job with the manifest of other data',
    end: 'ACCESS_REFUSED: there is no job',
    guards: [
      {
        path: `${COORDINATION}/tasks/evidence.ts`,
        code: "if (verdict.status === 'invalid' || verdict.id !== named.dataset) throw notOf('manifest', named);",
        without: '',
      },
    ],
    test: {
      path: `${COORDINATION}/tasks/placing.test.ts`,
      name: 'what does not show that the requester may use the data is no job',
    },
  },
  {
    lie: 'a record of a placement that was changed',
    end: 'replaying it gives another choice, and says for which nodes',
    guards: [
      {
        path: 'packages/scheduler/src/placement/decision.ts',
        code: 'differing.length === 0 && canonicalJson(record.outcome) === canonicalJson(decision.outcome)',
        without: 'true',
      },
    ],
    test: {
      path: 'packages/scheduler/src/placement/decision.test.ts',
      name: 'a record that was changed does not replay',
    },
  },
  {
    lie: 'an assignment to an operator whom the requester excludes',
    end: 'the custodian releases no key, whatever the coordinator has signed',
    guards: [
      {
        path: 'packages/protocol/src/signing/assignment.ts',
        code: "if (operators !== null && !operators.includes(document.operator)) return 'operator';",
        without: '',
      },
    ],
    test: {
      path: 'packages/protocol/src/signing/tasks.test.ts',
      name: 'an assignment holds for its job, its datasets, the operators that it allows and its time',
    },
  },
  {
    lie: "a permit to copy that is another vault's",
    end: 'ACCESS_REFUSED: it names the vault',
    guards: [
      {
        path: 'packages/daemon/src/storage/permit.ts',
        code: 'const isFor = permitted === objectId && node === nodeId;',
        without: 'const isFor = permitted === objectId;',
      },
    ],
    test: {
      path: 'packages/daemon/src/storage/replica-refusals.test.ts',
      name: 'a vault gives a copy to who holds the permit of the custodian, and to nobody else',
    },
  },
];

const HEADS: readonly Lie[] = [
  {
    lie: 'a later revocation head that nobody has signed',
    end: 'the vault has to show it; releases go on',
    guards: [
      {
        path: 'packages/daemon/src/custody/heads.ts',
        code: "if (verdict.status === 'invalid') return false;",
        without: '',
      },
    ],
    test: {
      path: 'packages/daemon/src/custody/custody.test.ts',
      name: 'a later head that a vault holds is remembered when the owner has signed it, and not else',
    },
  },
];

const CROWDS: readonly Lie[] = [
  {
    lie: 'bodies that never end, to fill a disk',
    end: 'what they leave counts against the quota of who sent them until it is swept',
    guards: [
      {
        path: 'packages/vault/src/objects/catalogue.ts',
        code: 'residues.add({ id, owner, bytes, isResumable, atMs: now() });',
        without: '',
      },
    ],
    test: {
      path: 'packages/vault/src/objects/catalogue.test.ts',
      name: 'what is left of bodies that failed counts until it is swept, and once for who goes on',
    },
  },
  {
    lie: 'strangers who fill the registry of nodes',
    end: 'they make way for nodes that an operator vouches for',
    guards: [
      {
        path: `${COORDINATION}/node-registry.ts`,
        code: 'if (isStranger !== null && (await forgetOne(trx, isStranger))) return;',
        without: '',
      },
    ],
    test: {
      path: `${COORDINATION}/coordinator.test.ts`,
      name: 'strangers keep no node out for which an operator vouches',
    },
  },
];

export const MEMBER_LIES: readonly Lie[] = [...SAID_OF_ONESELF, ...DECIDED, ...HEADS, ...CROWDS];
