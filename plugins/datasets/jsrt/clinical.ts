import { readFile } from 'node:fs/promises';
import type { Sample } from '../../../core/index.ts';

type Metadata = NonNullable<Sample['metadata']>;

/**
 * Findings by image name from the two texts of JSRT. Lines end with a lone carriage return; those of films with a
 * nodule read: file, subtlety (1 to 5), size in mm, age, sex, x, y, malignant or benign, and so on; the others:
 * file, age, sex. What is not known there (`?`) is left out.
 */
export async function readClinical(paths: readonly string[]): Promise<ReadonlyMap<string, Metadata>> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'latin1')));
  const lines = texts.flatMap((text) => text.split(/[\r\n]+/));
  return new Map(
    lines.flatMap((line) => {
      const [file = '', ...words] = line.trim().split(/\s+/);
      const id = /^JPC[LN]N\d{3}/i.exec(file)?.[0].toUpperCase();
      return id === undefined ? [] : [[id, hasNodule(id) ? nodule(words) : person(words)] as const];
    }),
  );
}

/** The name of a film tells whether it shows a nodule. */
export function hasNodule(id: string): boolean {
  return id.startsWith('JPCLN');
}

function nodule([subtlety, size, age, sex, , , state]: readonly string[]): Metadata {
  return {
    ...number('subtlety', subtlety),
    ...number('noduleMillimetres', size),
    ...person([age, sex]),
    ...(state && { malignant: state.toLowerCase() === 'malignant' }),
  };
}

function person([age, sex]: readonly (string | undefined)[]): Metadata {
  return { ...number('age', age), ...(/^(fe)?male$/i.test(sex ?? '') && { sex: sex!.toLowerCase() }) };
}

function number(name: string, text = ''): Metadata {
  return /^\d+(\.\d+)?$/.test(text) ? { [name]: Number(text) } : {};
}
