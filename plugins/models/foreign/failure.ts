import { RobustError, type ErrorParts } from '../../../core/index.ts';

/** A file that is damaged, contradicts itself, or asks for what cannot be. */
export function invalid(message: string, parts: Omit<ErrorParts, 'message'> = {}): RobustError {
  return new RobustError('MODEL_FILE_INVALID', { message, next: 'export the model again', ...parts });
}

/** Something correct that is not computed here. */
export function unsupported(message: string, parts: Omit<ErrorParts, 'message'> = {}): RobustError {
  return new RobustError('MODEL_UNSUPPORTED', { message, ...parts });
}

/** Runs something that throws whatever it likes when a file is wrong. */
export async function guarded<T>(path: string, what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'RobustError') throw cause;
    const received = cause instanceof Error ? cause.message : String(cause);
    throw invalid(what, { where: path, received, cause });
  }
}
