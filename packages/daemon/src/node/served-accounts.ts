/** Whose data and jobs a node takes: of the wallets that its settings name, or of anybody where they name none. */
import type { NodeConfig } from './config-schema.ts';

export type IsServed = (account: string) => boolean;

export function servedAccounts({ accounts }: Pick<NodeConfig, 'accounts'>): IsServed {
  const served = new Set(accounts);
  return (account) => served.size === 0 || served.has(account);
}
