/**
 * The filter of a tool's system calls: a program for the kernel's packet filter (seccomp(2),
 * Documentation/networking/filter.rst), which bubblewrap installs as the last thing before the tool.
 *
 * F1  A call of another processor's table ends the process: its numbers mean something else.
 * F2  A call above the last known number, those of the 32-bit x32 table included, is as if absent.
 * F3  No new namespaces, no sockets but local and internet ones, nothing typed into a terminal.
 * F4  Whatever is left is allowed.
 */
import { AppError } from '@helixmesh/protocol';
import { LAST_KNOWN, type Processor, systemCallsOf } from './system-calls.ts';

/** Instructions: `linux/bpf_common.h`. */
const LOAD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_ABOVE = 0x25;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;

/** What the program looks at, byte offsets in `struct seccomp_data`; the low half of an argument. */
const NUMBER_AT = 0;
const ARCHITECTURE_AT = 4;
const ARGUMENT_0_AT = 16;
const ARGUMENT_1_AT = 24;

/** Answers: `linux/seccomp.h`, with numbers of errors that Linux has on every processor. */
export const ALLOW = 0x7fff_0000;
export const KILL = 0x8000_0000;
export const FORBID = 0x0005_0001; // EPERM
export const NOT_THERE = 0x0005_0026; // ENOSYS
export const NO_SUCH_FAMILY = 0x0005_0061; // EAFNOSUPPORT

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const NEW_NAMESPACES = 0x7e02_0000;
/** AF_UNIX, AF_INET and AF_INET6; of the others AF_VSOCK would reach the host of a machine. */
const SOCKET_FAMILIES: readonly number[] = [1, 2, 10];
/** TIOCSTI and TIOCLINUX type into the terminal of whoever started the node. */
const TERMINAL_REQUESTS: readonly number[] = [0x5412, 0x541c];

interface Instruction {
  readonly code: number;
  readonly value: number;
  /** Where to go when it holds; left out, and always otherwise, to the next one. */
  readonly to?: string;
}
type Line = Instruction | { readonly label: string };

/** Each answer is a label of its own. */
const ANSWERS = { ALLOW, KILL, FORBID, NOT_THERE, NO_SUCH_FAMILY } as const;
type Answer = keyof typeof ANSWERS;

/** Null for a processor whose calls we do not know. */
export function seccompProgram(processor: string): Uint8Array<ArrayBuffer> | null {
  if (processor !== 'x64' && processor !== 'arm64') return null;
  return assemble(linesOf(processor));
}

function linesOf(processor: Processor): readonly Line[] {
  const { architecture, forbidden, absent, judged } = systemCallsOf(processor);
  const on = (numbers: readonly number[], to: string) =>
    numbers.map((value) => ({ code: JUMP_IF_EQUAL, value, to }));
  return [
    { code: LOAD, value: ARCHITECTURE_AT },
    ...on([architecture], 'known'),
    answer('KILL'),
    { label: 'known' },
    { code: LOAD, value: NUMBER_AT },
    { code: JUMP_IF_ABOVE, value: LAST_KNOWN, to: 'NOT_THERE' },
    ...on(absent, 'NOT_THERE'),
    ...on(forbidden, 'FORBID'),
    ...on([judged.clone], 'clone'),
    ...on([judged.socket, judged.socketpair], 'socket'),
    ...on([judged.ioctl], 'ioctl'),
    answer('ALLOW'),
    { label: 'clone' },
    { code: LOAD, value: ARGUMENT_0_AT },
    { code: JUMP_IF_ANY_BIT, value: NEW_NAMESPACES, to: 'FORBID' },
    answer('ALLOW'),
    { label: 'socket' },
    { code: LOAD, value: ARGUMENT_0_AT },
    ...on(SOCKET_FAMILIES, 'ALLOW'),
    answer('NO_SUCH_FAMILY'),
    { label: 'ioctl' },
    { code: LOAD, value: ARGUMENT_1_AT },
    ...on(TERMINAL_REQUESTS, 'FORBID'),
    ...(Object.keys(ANSWERS) as Answer[]).flatMap((label) => [{ label }, answer(label)]),
  ];
}

function answer(name: Answer): Instruction {
  return { code: RETURN, value: ANSWERS[name] };
}

/** `struct sock_filter`: u16 code, u8 jump if so, u8 jump if not, u32 value, little-endian. */
function assemble(lines: readonly Line[]): Uint8Array<ArrayBuffer> {
  const places = new Map<string, number>();
  const instructions: Instruction[] = [];
  for (const line of lines) {
    if ('label' in line) places.set(line.label, instructions.length);
    else instructions.push(line);
  }
  const program = new DataView(new ArrayBuffer(8 * instructions.length));
  for (const [i, { code, value, to }] of instructions.entries()) {
    program.setUint16(8 * i, code, true);
    program.setUint8(8 * i + 2, to === undefined ? 0 : distance(i, places.get(to)));
    program.setUint32(8 * i + 4, value, true);
  }
  return new Uint8Array(program.buffer);
}

/** From the instruction behind `from`; a jump is forward and short. */
function distance(from: number, to: number | undefined): number {
  const skipped = (to ?? -1) - from - 1;
  if (skipped < 0 || skipped > 255) {
    throw new AppError('INTERNAL', 'the filter of system calls has a jump that is too long');
  }
  return skipped;
}
