/** What nodes may say of what the tasks of one job hand to each other, and what refuses it. */
import type { Lie } from './lie.ts';

const DAEMON = 'packages/daemon/src';

export const HANDOVER_LIES: readonly Lie[] = [
  {
    lie: 'asking for what another job has made',
    end: 'OBJECT_NOT_FOUND, as if there were nothing',
    guards: [
      {
        path: `${DAEMON}/compute/results.ts`,
        code: 'if (assignmentRefusal(crypto, signed, facts) !== null) return false;',
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/compute/handover.test.ts`,
      name: 'who shows no running assignment of the job that needs it is told that there is nothing',
    },
  },
  {
    lie: 'handing on something else than was agreed on',
    end: 'nothing more is fetched from that node, and another one is asked',
    guards: [
      {
        path: `${DAEMON}/compute/handover-source.ts`,
        code: 'if (claimed === input.resultDigest) return index;',
        without: 'if (claimed !== undefined) return index;',
      },
    ],
    test: {
      path: `${DAEMON}/compute/handover.test.ts`,
      name: 'the node of a later task gets what an earlier one has made, from another source where one lies or is gone',
    },
  },
  {
    lie: 'handing on other files than the index states',
    end: 'refused before a tool sees them; the stage is done again with what another node has',
    guards: [
      {
        path: `${DAEMON}/compute/analyse-stage.ts`,
        code: 'if (digest !== file.digest) liars.add(file.attemptId);',
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/compute/analyse-stage.test.ts`,
      name: 'who hands on something else is found, and the stage done again without them',
    },
  },
  {
    lie: 'an assignment whose lease has ended, for what other tasks have made',
    end: 'the custodian rewraps nothing',
    guards: [
      {
        path: 'packages/protocol/src/signing/assignment.ts',
        code: "return document.expiresAtMs <= nowMs ? 'expired' : null;",
        without: 'return null;',
      },
    ],
    test: {
      path: `${DAEMON}/custody/rewrap.test.ts`,
      name: 'nothing is rewrapped: $reason',
    },
  },
  {
    lie: 'a later task at an operator whom the owner excludes',
    end: 'the custodian rewraps nothing, and the owner finds it in the access log',
    guards: [
      {
        path: `${DAEMON}/custody/rewrap.ts`,
        code: 'if (first !== undefined) return first.answer;',
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/custody/rewrap.test.ts`,
      name: 'operators of later tasks count for the cap of the owner',
    },
  },
];
