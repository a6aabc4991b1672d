/**
 * The one table of operating failures: code → HTTP status → gRPC code → CLI exit code → whether
 * trying again can help. Expected outcomes are values and programmer errors are assertions; neither
 * is here.
 *
 * Exit codes follow sysexits(3): 64 usage, 65 bad data, 66 no input, 69 unavailable, 70 internal,
 * 73 cannot create, 75 try again, 77 no permission, 78 configuration.
 */

/** Codes of gRPC that occur here, as ConnectRPC spells them. */
export type GrpcCode =
  | 'aborted'
  | 'already_exists'
  | 'canceled'
  | 'data_loss'
  | 'failed_precondition'
  | 'internal'
  | 'invalid_argument'
  | 'not_found'
  | 'permission_denied'
  | 'resource_exhausted'
  | 'unauthenticated'
  | 'unavailable';

export interface ErrorClass {
  readonly http: number;
  readonly grpc: GrpcCode;
  readonly exit: number;
  /** True when the same request can succeed later with nothing changed by the user. */
  readonly retryable: boolean;
}

export const ERROR_TABLE = {
  // The user's request.
  USAGE: { http: 400, grpc: 'invalid_argument', exit: 64, retryable: false },
  CONFIG_INVALID: { http: 400, grpc: 'invalid_argument', exit: 78, retryable: false },
  NOT_FOUND: { http: 404, grpc: 'not_found', exit: 66, retryable: false },
  CONFLICT: { http: 409, grpc: 'already_exists', exit: 65, retryable: false },
  CANCELED: { http: 409, grpc: 'canceled', exit: 130, retryable: false },
  // The user's files.
  INPUT_NOT_FOUND: { http: 422, grpc: 'invalid_argument', exit: 66, retryable: false },
  INPUT_EMPTY: { http: 422, grpc: 'invalid_argument', exit: 65, retryable: false },
  INPUT_TRUNCATED: { http: 422, grpc: 'invalid_argument', exit: 65, retryable: false },
  INPUT_MALFORMED: { http: 422, grpc: 'invalid_argument', exit: 65, retryable: false },
  INPUT_WRONG_FORMAT: { http: 422, grpc: 'invalid_argument', exit: 65, retryable: false },
  INPUT_CHANGED: { http: 409, grpc: 'aborted', exit: 65, retryable: false },
  MATES_UNEQUAL: { http: 422, grpc: 'invalid_argument', exit: 65, retryable: false },
  CONTIG_MISMATCH: { http: 422, grpc: 'invalid_argument', exit: 65, retryable: false },
  REFERENCE_CORRUPT: { http: 422, grpc: 'failed_precondition', exit: 65, retryable: false },
  DUPLICATE_VARIANT: { http: 422, grpc: 'invalid_argument', exit: 65, retryable: false },
  // Sealed data: what was changed, and what one may not read.
  CIPHERTEXT_INVALID: { http: 422, grpc: 'data_loss', exit: 65, retryable: false },
  KEY_NOT_HELD: { http: 403, grpc: 'permission_denied', exit: 77, retryable: false },
  // The network: who asks, whom one asks, and what one may have.
  UNAUTHENTICATED: { http: 401, grpc: 'unauthenticated', exit: 77, retryable: false },
  ACCESS_REFUSED: { http: 403, grpc: 'permission_denied', exit: 77, retryable: false },
  OBJECT_NOT_FOUND: { http: 404, grpc: 'not_found', exit: 66, retryable: false },
  OBJECT_REMOVED: { http: 409, grpc: 'failed_precondition', exit: 65, retryable: false },
  LEASE_EXPIRED: { http: 409, grpc: 'aborted', exit: 75, retryable: true },
  QUOTA_EXCEEDED: { http: 507, grpc: 'resource_exhausted', exit: 73, retryable: false },
  BUSY: { http: 429, grpc: 'resource_exhausted', exit: 75, retryable: true },
  PEER_NOT_TRUSTED: { http: 502, grpc: 'unavailable', exit: 77, retryable: false },
  PEER_UNREACHABLE: { http: 503, grpc: 'unavailable', exit: 69, retryable: true },
  CUSTODIAN_OFFLINE: { http: 503, grpc: 'unavailable', exit: 75, retryable: true },
  // The machine.
  OUTPUT_UNWRITABLE: { http: 422, grpc: 'failed_precondition', exit: 73, retryable: false },
  OUTPUT_IN_USE: { http: 409, grpc: 'aborted', exit: 73, retryable: false },
  DISK_FULL: { http: 507, grpc: 'resource_exhausted', exit: 75, retryable: true },
  TOOL_MISSING: { http: 503, grpc: 'failed_precondition', exit: 69, retryable: false },
  TOOL_VERSION: { http: 503, grpc: 'failed_precondition', exit: 69, retryable: false },
  SANDBOX_WEAK: { http: 503, grpc: 'failed_precondition', exit: 69, retryable: false },
  TOOL_FAILED: { http: 502, grpc: 'internal', exit: 70, retryable: false },
  TOOL_CRASHED: { http: 502, grpc: 'internal', exit: 70, retryable: true },
  MEMORY_EXCEEDED: { http: 502, grpc: 'resource_exhausted', exit: 70, retryable: false },
  PROCESSES_EXCEEDED: { http: 502, grpc: 'resource_exhausted', exit: 70, retryable: false },
  SCRATCH_EXCEEDED: { http: 502, grpc: 'resource_exhausted', exit: 70, retryable: false },
  RESULT_DIFFERS: { http: 500, grpc: 'internal', exit: 70, retryable: false },
  DAEMON_UNREACHABLE: { http: 503, grpc: 'unavailable', exit: 69, retryable: true },
  DATA_IN_USE: { http: 409, grpc: 'failed_precondition', exit: 75, retryable: false },
  ENGINE_UNAVAILABLE: { http: 503, grpc: 'unavailable', exit: 69, retryable: true },
  INTERNAL: { http: 500, grpc: 'internal', exit: 70, retryable: false },
} as const satisfies Record<string, ErrorClass>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface AppErrorOptions {
  /** One sentence in the imperative: what the user should do now. */
  readonly hint?: string;
  /** Machine-readable facts. Never sequence, genotypes or keys. */
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The form in which an error crosses a process boundary (RFC 9457 problem, journal, SQL). */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An operating failure with a closed code. `message` says what failed, expected against got. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
  }

  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable;
  }

  toRecord(): ErrorRecord {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromRecord(record: ErrorRecord): AppError {
    const { code, message, ...options } = record;
    return new AppError(code, message, options);
  }

  /** Any thrown value as an AppError; what is not ours becomes INTERNAL and keeps its cause. */
  static from(thrown: unknown): AppError {
    if (thrown instanceof AppError) return thrown;
    const errno = (thrown as NodeErrno | null)?.code;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    if (errno === 'ENOSPC' || errno === 'EDQUOT') {
      return new AppError('DISK_FULL', message, { hint: HINT_DISK_FULL, cause: thrown });
    }
    if (errno === 'EROFS' || errno === 'EACCES' || errno === 'EPERM') {
      return new AppError('OUTPUT_UNWRITABLE', message, { hint: HINT_UNWRITABLE, cause: thrown });
    }
    return new AppError('INTERNAL', message, { cause: thrown });
  }
}

interface NodeErrno {
  readonly code?: string;
}

const HINT_DISK_FULL = 'Free disk space, then `helixmesh resume` the job.';
const HINT_UNWRITABLE = 'Choose a folder that you may write to.';
