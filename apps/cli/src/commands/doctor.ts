import type { SandboxStrength } from '@helixmesh/daemon/sandbox';
import type { ToolReport } from '@helixmesh/pipelines';
import { AppError, ERROR_TABLE } from '@helixmesh/protocol';
import type { Command } from 'commander';
import { answer, contextOf } from '../context.ts';
import { dim, green, red, yellow } from '../ui/style.ts';
import { table } from '../ui/table.ts';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('say what is missing here, and the command that brings it')
    .description('Looks for each outside tool, its version and the sandbox.')
    .action(async (_options: object, command) => {
      const context = contextOf(command);
      const { probeSandbox, probeTools } = await import('@helixmesh/pipelines');
      const { probeStrength } = await import('@helixmesh/daemon/sandbox');
      const [tools, bubblewrap, contained] = await Promise.all([
        probeTools(),
        probeSandbox(),
        probeStrength(),
      ]);
      const sandbox = { ...bubblewrap, ...contained };
      const rows = tools.map((tool) => [
        mark(tool),
        tool.name,
        tool.version ?? '',
        tool.purpose,
        tool.status === 'ok' ? '' : tool.install,
      ]);
      rows.push([
        sandbox.strength === 'strong' ? green('ok') : yellow(sandbox.strength),
        'sandbox',
        sandbox.strength,
        SANDBOX_MEANING[sandbox.strength] +
          (sandbox.problem === null ? '' : `: ${sandbox.problem}`),
        sandbox.mend ?? '',
      ]);
      rows.push([green('ok'), 'node', process.versions.node, 'runs Helixmesh', '']);
      const columns = ['', 'tool', 'version', 'what for', 'how to get it'].map((title) => ({
        title,
      }));
      answer(context, { tools, sandbox }, table(columns, rows));
      const bad = tools.filter((tool) => tool.status !== 'ok');
      if (bad.length > 0 && context.json) {
        // The answer on standard output names them; a second document there would spoil it.
        process.exitCode = ERROR_TABLE.TOOL_MISSING.exit;
      } else if (bad.length > 0) {
        throw new AppError(
          'TOOL_MISSING',
          `not usable here: ${bad.map((t) => t.name).join(', ')}`,
          {
            hint: [...new Set(bad.map((tool) => tool.install))].join('; '),
          },
        );
      }
      if (bad.length === 0 && !context.json) {
        process.stdout.write(`${dim('Everything is there.')}\n`);
      }
    });
}

const SANDBOX_MEANING: Readonly<Record<SandboxStrength, string>> = {
  strong: 'tools see only their inputs, no network, little of the kernel, and have limits',
  weak: 'tools see only their inputs and no network, but something is lacking',
  none: 'tools may do what you may',
};

function mark({ status }: ToolReport): string {
  return status === 'ok' ? green('ok') : red(status.replace('_', ' '));
}
