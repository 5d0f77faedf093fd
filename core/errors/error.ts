import type { ErrorCode } from './codes.ts';

/** The parts of an error that a person needs to act on it. */
export interface ErrorParts {
  /** What went wrong, as one sentence. */
  readonly message: string;
  /** The file, option path, cell or sample that it is about. */
  readonly where?: string;
  readonly expected?: string;
  readonly received?: string;
  /** What to do next: a command where there is one. */
  readonly next?: string;
  readonly cause?: unknown;
}

/** An error with a code, a place and a next step: anything that a person can mend is thrown as one of these. */
export class RobustError extends Error {
  override readonly name = 'RobustError';
  readonly code: ErrorCode;
  readonly parts: ErrorParts;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super(describe(parts), parts.cause === undefined ? undefined : { cause: parts.cause });
    this.code = code;
    this.parts = parts;
  }
}

function describe({ message, where, expected, received, next }: ErrorParts): string {
  const lines = [message];
  if (where !== undefined) lines.push(`  where:    ${where}`);
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (received !== undefined) lines.push(`  received: ${received}`);
  if (next !== undefined) lines.push(`  next:     ${next}`);
  return lines.join('\n');
}
