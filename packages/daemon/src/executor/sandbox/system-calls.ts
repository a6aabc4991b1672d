/**
 * Which system calls a tool has no use for, by their numbers on the processors that we know
 * (Linux `asm/unistd_64.h`, `asm-generic/unistd.h`). What is not named here and not above the last
 * known number is allowed: tools are compilers' and virtual machines' output, and a list of all they
 * may call would break with the next version of one.
 */

export type Processor = 'x64' | 'arm64';

/** Null where the processor does not have the call. */
type Numbers = readonly [x64: number | null, arm64: number | null];

/** Refused as forbidden (EPERM). */
const FORBIDDEN: Readonly<Record<string, Numbers>> = {
  // Other processes: their memory, registers and files.
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  // Namespaces and mounts, which are made before a tool starts.
  unshare: [272, 97],
  setns: [308, 268],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  // Parts of the kernel that holes are found in again and again.
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  fanotify_init: [300, 262],
  fanotify_mark: [301, 263],
  move_pages: [279, 239],
  migrate_pages: [256, 238],
  modify_ldt: [154, null],
  // The machine itself.
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  reboot: [169, 142],
  iopl: [172, null],
  ioperm: [173, null],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  vhangup: [153, 58],
};

/** Refused as if the kernel were older (ENOSYS): libraries then go another way. */
const ABSENT: Readonly<Record<string, Numbers>> = {
  // Its flags lie in memory, where no filter sees them; libraries fall back to `clone`.
  clone3: [435, 435],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  // Of kernels and programs long gone.
  uselib: [134, null],
  ustat: [136, null],
  sysfs: [139, null],
  _sysctl: [156, null],
  nfsservctl: [180, 42],
  lookup_dcookie: [212, 18],
};

/** Judged by an argument. */
const JUDGED = {
  clone: [56, 220],
  socket: [41, 198],
  socketpair: [53, 199],
  ioctl: [16, 29],
} as const satisfies Record<string, Numbers>;

/** `mseal` of Linux 6.10, the last one that was looked at; both processors count alike from 424 on. */
export const LAST_KNOWN = 462;

export interface SystemCalls {
  /** AUDIT_ARCH of `linux/audit.h`. */
  readonly architecture: number;
  readonly forbidden: readonly number[];
  readonly absent: readonly number[];
  readonly judged: Readonly<Record<keyof typeof JUDGED, number>>;
}

export function systemCallsOf(processor: Processor): SystemCalls {
  const at = processor === 'x64' ? 0 : 1;
  const numbers = (of: Readonly<Record<string, Numbers>>) =>
    Object.values(of).flatMap((pair) => pair[at] ?? []);
  return {
    architecture: processor === 'x64' ? 0xc000_003e : 0xc000_00b7,
    forbidden: numbers(FORBIDDEN),
    absent: numbers(ABSENT),
    judged: {
      clone: JUDGED.clone[at],
      socket: JUDGED.socket[at],
      socketpair: JUDGED.socketpair[at],
      ioctl: JUDGED.ioctl[at],
    },
  };
}
