import type { niftiReadImageNode } from '@itk-wasm/image-io';
import type { Geometry } from './geometry.ts';
import { checkHeader, checkLength, type ItkEnding } from './header.ts';
import { unreadable } from './unreadable.ts';

type ItkImage = Awaited<ReturnType<typeof niftiReadImageNode>>['image'];

/**
 * The geometry of a file, without its voxels.
 *
 * @throws RobustError IMAGE_UNREADABLE, IMAGE_TOO_LARGE.
 */
export async function itkGeometry(path: string, ending: ItkEnding): Promise<Geometry> {
  await checkHeader(path, ending);
  const image = await readItk(path, ending, true);
  const { components } = image.imageType;
  if (components !== 1 || image.size.length > 3) {
    throw unreadable(path, `${image.size.join(' x ')} voxels of ${components} numbers`);
  }
  const [x, y, z = 1] = image.size as [number, number, number?];
  const [dx, dy, dz = 1] = image.spacing as [number, number, number?];
  const [ox, oy, oz = 0] = image.origin as [number, number, number?];
  return {
    size: [x, y, z],
    spacing: [dx, dy, dz],
    origin: [ox, oy, oz],
    direction: threeByThree([...(image.direction as Float64Array)]),
  };
}

/**
 * The voxels of a file.
 *
 * @throws RobustError IMAGE_UNREADABLE also for a truncated file.
 */
export async function itkVoxels(path: string, ending: ItkEnding): Promise<ArrayLike<number>> {
  await checkLength(path, ending, await checkHeader(path, ending));
  return (await readItk(path, ending, false)).data as unknown as ArrayLike<number>;
}

async function readItk(path: string, ending: ItkEnding, informationOnly: boolean): Promise<ItkImage> {
  const io = await import('@itk-wasm/image-io');
  const read = {
    '.nii': io.niftiReadImageNode,
    '.nii.gz': io.niftiReadImageNode,
    '.nrrd': io.nrrdReadImageNode,
    '.mha': io.metaReadImageNode,
  }[ending];
  return inItk(path, async () => (await read(path, { informationOnly })).image);
}

/** ITK works on one file at a time. */
let busy: Promise<unknown> = Promise.resolve();

/**
 * Runs something in ITK, which writes what is wrong to the console, standard output included, and throws a number.
 *
 * @throws RobustError IMAGE_UNREADABLE with what ITK said.
 */
export function inItk<T>(path: string, job: () => Promise<T | undefined>): Promise<T> {
  const turn = busy.then(async () => {
    const said: string[] = [];
    const { log, error } = console;
    console.log = console.error = (...words: unknown[]) => void said.push(words.join(' '));
    try {
      const made = await job();
      if (made !== undefined) return made;
    } catch (cause) {
      throw unreadable(path, reason(cause instanceof Error ? [cause.message] : said), cause);
    } finally {
      Object.assign(console, { log, error });
    }
    throw unreadable(path, 'a file of another kind');
  });
  busy = turn.catch(() => undefined);
  return turn;
}

/** The first line that says what is wrong with the file. */
function reason(said: readonly string[]): string {
  const lines = said.flatMap((text) => text.split('\n')).map((line) => line.replace(/^stderr: /, '').trim());
  const frame = /^(stdout:|stderr:|Exception while|Build module|$)/;
  return lines.find((line) => !frame.test(line)) ?? 'a damaged or truncated file';
}

function threeByThree(direction: readonly number[]): number[] {
  const [a, b, c, d] = direction;
  return direction.length === 9 ? [...direction] : [a!, b!, 0, c!, d!, 0, 0, 0, 1];
}
