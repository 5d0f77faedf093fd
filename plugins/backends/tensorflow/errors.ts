/** What can go wrong while installing or loading the native library; the caller maps these to its own codes. */
export type InstallErrorCode =
  | 'BACKEND_UNSUPPORTED_SYSTEM'
  | 'BACKEND_MUSL'
  | 'BACKEND_NO_PIP'
  | 'BACKEND_NO_COMPILER'
  | 'BACKEND_NO_PACKAGE'
  | 'BACKEND_NO_NETWORK'
  | 'BACKEND_NO_WHEEL'
  | 'BACKEND_DOWNLOAD_INTERRUPTED'
  | 'BACKEND_WRONG_HASH'
  | 'BACKEND_DISK_FULL'
  | 'BACKEND_CACHE_NOT_WRITABLE'
  | 'BACKEND_BAD_WHEEL'
  | 'BACKEND_COMPILE_FAILED'
  | 'BACKEND_SELF_TEST_FAILED'
  | 'BACKEND_LOCK_TIMEOUT'
  | 'BACKEND_ABORTED'
  | 'BACKEND_NOT_INSTALLED'
  | 'BACKEND_LOAD_FAILED';

/** A failure that says what is wrong and where (`message`) and what to do next (`advice`). */
export class InstallError extends Error {
  override readonly name = 'InstallError';
  readonly code: InstallErrorCode;
  readonly advice: string;

  constructor(code: InstallErrorCode, message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.advice = advice;
  }
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error (`ENOSPC`, `ENOENT`, ...), if there is one. */
export function systemCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
