/** What tools may try, and what contains them. */
import type { Lie } from './lie.ts';

const DAEMON = 'packages/daemon/src';
const HOSTILE = `${DAEMON}/executor/sandbox/hostile.test.ts`;
const ATTEMPT = `${DAEMON}/executor/run-attempt.test.ts`;

export const TOOL_LIES: readonly Lie[] = [
  {
    lie: 'an output whose name leads out of its folder',
    end: 'refused before anything runs',
    guards: [
      {
        path: 'packages/pipelines/src/task/key.ts',
        code: "return name.split('/').every((segment) => SEGMENT.test(segment));",
        without: "return name.split('/').length > 0;",
      },
    ],
    test: { path: ATTEMPT, name: 'a name that leaves the folder is refused before anything runs' },
  },
  {
    lie: 'an output that is a link',
    end: 'the attempt fails, nothing is published',
    guards: [
      {
        path: `${DAEMON}/executor/outputs.ts`,
        code: '!stat.isFile() || real !== path',
        without: 'stat.isDirectory()',
      },
    ],
    test: {
      path: HOSTILE,
      name: 'an output that leads outside by a link or a folder of links is refused',
    },
  },
  {
    lie: 'a link that a tool leaves for the daemon',
    end: 'the attempt fails before our own code touches the folder',
    guards: [
      {
        path: `${DAEMON}/executor/run-together.ts`,
        code: 'await requireNoLinks(folders.work, inputs.links);',
        without: '',
      },
    ],
    test: { path: HOSTILE, name: 'a builtin does not follow the links that a tool has left' },
  },
  {
    lie: 'a fork bomb',
    end: 'PROCESSES_EXCEEDED, and no process is left',
    guards: [
      {
        path: `${DAEMON}/executor/sandbox/cgroup-plan.ts`,
        code: "must(of('pids', 'pids.max'), pids),",
        without: '',
      },
    ],
    test: { path: HOSTILE, name: '$isolation: a fork bomb is ended and told' },
  },
  {
    lie: 'a memory hog',
    end: 'MEMORY_EXCEEDED',
    guards: [
      {
        path: `${DAEMON}/executor/sandbox/cgroup-plan.ts`,
        code: "must(of('memory', 'memory.limit_in_bytes'), memoryBytes),",
        without: '',
      },
    ],
    test: {
      path: HOSTILE,
      name: '$isolation: a tool that wants too much memory is ended and told',
    },
  },
  {
    lie: 'an endless output',
    end: 'SCRATCH_EXCEEDED',
    guards: [
      {
        path: `${DAEMON}/executor/script.ts`,
        code: 'fileLimit(fileMaxBytes)}',
        without: 'fileLimit(undefined)}',
      },
      {
        path: `${DAEMON}/executor/sandbox/usage.ts`,
        code: 'if (bytes > maxBytes || entries > SCRATCH_ENTRIES_MAX) return true;',
        without: '',
      },
    ],
    test: { path: HOSTILE, name: '$isolation: an endless output ends the attempt' },
  },
  {
    lie: 'endless small outputs',
    end: 'SCRATCH_EXCEEDED',
    guards: [
      {
        path: `${DAEMON}/executor/sandbox/usage.ts`,
        code: 'if (bytes > maxBytes || entries > SCRATCH_ENTRIES_MAX) return true;',
        without: '',
      },
    ],
    test: {
      path: HOSTILE,
      name: '$isolation: endless files, each of them small, end the attempt',
    },
  },
  {
    lie: 'endless words on standard error',
    end: 'the last 64 KiB are kept',
    guards: [
      {
        path: `${DAEMON}/executor/tail-buffer.ts`,
        code: 'subarray(-this.#capacityBytes)',
        without: 'subarray(0)',
      },
    ],
    test: {
      path: ATTEMPT,
      name: '$isolation: endless standard error is bounded and its end is kept',
    },
  },
  {
    lie: 'a tool that ignores SIGTERM',
    end: 'killed after 2 s, with all that it started',
    guards: [
      {
        path: `${DAEMON}/executor/run-command.ts`,
        code: "if (!isAtOnce) timer = setTimeout(() => killGroup(pid, 'SIGKILL'), KILL_GRACE_MS);",
        without: '',
      },
      {
        path: `${DAEMON}/executor/run-command.ts`,
        code: "killGroup(child.pid, 'SIGKILL'); // A tool may have closed its pipes",
        without: '// A tool may have closed its pipes',
      },
      {
        path: `${DAEMON}/executor/sandbox/sandbox.ts`,
        code: '      watch.stop();\n      await cgroup?.close();',
        without: '      watch.stop();',
      },
    ],
    test: { path: ATTEMPT, name: '$isolation: abort ends even a tool that ignores SIGTERM' },
  },
  {
    lie: 'a tool that outlives its command',
    end: 'its whole group is killed',
    guards: [
      {
        path: `${DAEMON}/executor/sandbox/sandbox.ts`,
        code: '      watch.stop();\n      await cgroup?.close();',
        without: '      watch.stop();',
      },
    ],
    test: {
      path: HOSTILE,
      name: 'a tool that leaves its session and outlives its command is ended',
    },
  },
  {
    lie: 'a tool that looks around',
    end: 'neither data folder nor home nor other places are there',
    guards: [
      {
        path: `${DAEMON}/executor/sandbox/bubblewrap.ts`,
        code: '[...new Set(readable)]',
        without: "[...new Set([...readable, '/var'])]",
      },
    ],
    test: {
      path: HOSTILE,
      name: 'a tool sees neither the data folder nor the home folder nor other places',
    },
  },
  {
    lie: 'a tool that calls the kernel for what it has no use for',
    end: 'EPERM or ENOSYS',
    guards: [
      {
        path: `${DAEMON}/executor/sandbox/bubblewrap.ts`,
        code: "['--seccomp', String(filterFd)]",
        without: '[]',
      },
    ],
    test: {
      path: `${DAEMON}/executor/sandbox/seccomp.test.ts`,
      name: 'the kernel refuses a tool what the filter names, and nothing of the filter is left open',
    },
  },
  {
    lie: 'a tool that uses what the node was started with',
    end: 'descriptors of the node are closed before a tool starts',
    guards: [
      {
        path: `${DAEMON}/executor/script.ts`,
        code: '    closeAbove(lifeline),\n',
        without: '',
      },
    ],
    test: {
      path: `${DAEMON}/executor/daemon-death.test.ts`,
      name: '$isolation: a descriptor that the daemon was started with is not there for a tool',
    },
  },
  {
    lie: 'a tool that calls home',
    end: 'it has no network',
    guards: [
      {
        path: `${DAEMON}/executor/sandbox/bubblewrap.ts`,
        code: "['--unshare-all', '--die-with-parent',",
        without: "['--unshare-all', '--share-net', '--die-with-parent',",
      },
    ],
    test: { path: HOSTILE, name: 'a tool reaches no server of this machine' },
  },
];
