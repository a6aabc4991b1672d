/**
 * The lies that nodes, vaults, requesters and tools may tell, what refuses or contains each, and the
 * one test that shows it. `docs/concepts/threats.md` tells it to people; `test/tidy/lies.test.ts`
 * keeps the three together, and `make lies` takes each guard out and sees its test fail.
 */
import { HANDOVER_LIES } from './handover-lies.ts';
import type { Lie } from './lie.ts';
import { MEMBER_LIES } from './member-lies.ts';
import { NETWORK_LIES } from './network-lies.ts';
import { TOOL_LIES } from './tool-lies.ts';

export const LIES: readonly Lie[] = [
  ...NETWORK_LIES,
  ...HANDOVER_LIES,
  ...MEMBER_LIES,
  ...TOOL_LIES,
];
