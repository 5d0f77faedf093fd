import { RobustError } from '../../../core/index.ts';

/** Something that a file does not say and that was decided: what, with the reason. */
export interface Note {
  readonly text: string;
  /** The option that would have said it, and the value that was decided on. */
  readonly option?: string;
  readonly value?: unknown;
}
export type Notes = Note[];

/** A model and a data set that cannot be brought together. */
export function misfit(message: string, expected: string, received: string, next: string): RobustError {
  return new RobustError('MODEL_SHAPE', { message, where: 'model', expected, received, next });
}
