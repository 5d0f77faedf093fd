import { access, constants, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RobustError } from '../errors/index.ts';

/**
 * Makes sure that the run folder can be written before hours of work depend on it.
 *
 * @throws RobustError OUTPUT_NOT_WRITABLE
 */
export async function prepareOutput(dir: string): Promise<void> {
  try {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.W_OK);
  } catch (cause) {
    throw new RobustError('OUTPUT_NOT_WRITABLE', {
      message: 'The output folder cannot be written.',
      where: dir,
      received: (cause as Error).message,
      next: 'choose another one with --output DIR',
      cause,
    });
  }
}

/** Writes a file so that it is either whole or not there. */
export async function writeAtomically(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, file);
}
