import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where gates run: each has its own file, or none. */
export const systems = ['github', 'gitlab', 'none'] as const;

export type System = (typeof systems)[number];

/** What a project is set up with. */
export interface Answers {
  /** Model files; none for a study on generated images. */
  readonly model: readonly string[];
  /** Patterns of the images and masks that the models are tested on. */
  readonly images?: string;
  readonly masks?: string;
  readonly ci: System;
  /** The smallest mean Dice of untouched images that a release may have. */
  readonly clean: number;
  /** The largest loss of Dice under attack that it may have. */
  readonly drop: number;
}

/** What is answered where nobody is asked. */
export const usual: Answers = { model: [], ci: 'none', clean: 0.8, drop: 0.2 };

/** What is wrong with the name of a model file; undefined when nothing is. */
export function problemOfModel(file: string, cwd: string): string | undefined {
  return existsSync(resolve(cwd, file)) ? undefined : 'there is no such file';
}
