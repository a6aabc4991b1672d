/**
 * What bodies that failed have left among the blocks. Until it is swept it counts against the quota
 * of its owner, who could else fill the disk with bodies that never end.
 *
 * A restart forgets it: what is left then is swept after the grace period like everything else.
 */
import type { Digest } from '@helixmesh/protocol';
import type { Ledger } from './quota.ts';

export interface Residue {
  /** The object that it was to be. */
  readonly id: Digest;
  readonly owner: string;
  readonly bytes: number;
  /** Whether its sender may go on behind it. */
  readonly isResumable: boolean;
  /** When the last of it came, ms since 1970. */
  readonly atMs: number;
}

export interface Residues {
  add(residue: Residue): void;
  /** Bytes of the object's body that its sender may go on behind. */
  resumableBytes(id: Digest): number;
  /** So many of them are gone on with, and count as a part of it; the rest stays what it is. */
  takeUp(id: Digest, bytes: number): void;
  /** What came by then has been swept. */
  sweep(beforeMs: number): void;
}

export function makeResidues(ledger: Pick<Ledger, 'countBytes'>): Residues {
  /** One of each object at most can be gone on with. */
  const resumable = new Map<Digest, Residue>();
  let others: Residue[] = [];
  return {
    add(residue) {
      if (residue.bytes === 0) return;
      ledger.countBytes(residue.owner, residue.bytes);
      if (residue.isResumable) resumable.set(residue.id, residue);
      else others.push(residue);
    },
    resumableBytes: (id) => resumable.get(id)?.bytes ?? 0,
    takeUp(id, bytes) {
      const residue = resumable.get(id);
      if (residue === undefined) return;
      resumable.delete(id);
      const taken = Math.min(bytes, residue.bytes);
      ledger.countBytes(residue.owner, -taken);
      if (taken < residue.bytes) others.push({ ...residue, bytes: residue.bytes - taken });
    },
    sweep(beforeMs) {
      const isSwept = ({ atMs }: Residue) => atMs <= beforeMs;
      const swept = [...others, ...resumable.values()].filter(isSwept);
      for (const { owner, bytes } of swept) ledger.countBytes(owner, -bytes);
      for (const { id } of resumable.values().filter(isSwept)) resumable.delete(id);
      others = others.filter((residue) => !isSwept(residue));
    },
  };
}
