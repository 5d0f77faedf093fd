import { createHash } from 'node:crypto';
import type { Context, Dataset, Random, Split } from '../../../core/index.ts';
import type { Canvas } from './canvas.ts';

/** Options that every phantom has. */
export interface PhantomOptions {
  readonly size: number;
  readonly channels: 1 | 3;
  readonly train: number;
  readonly test: number;
}

/** A generator of samples. */
export interface Phantom {
  /** Part of sample ids, such as `chest`. */
  readonly name: string;
  /** To be raised whenever equal seeds give other pictures. */
  readonly version: number;
  /** The foreground class. */
  readonly foreground: string;
  draw(random: Random, size: number): { canvas: Canvas; mask: Uint8Array };
}

/** The options of a phantom, for its schema. */
export const phantomOptions = {
  size: { description: 'Rows and columns.', type: 'integer', minimum: 16, maximum: 1024, default: 64 },
  channels: { description: '1 for grey, 3 for RGB.', enum: [1, 3], default: 1 },
  train: { description: 'Number of training images.', type: 'integer', minimum: 0, default: 200 },
  test: { description: 'Number of test images.', type: 'integer', minimum: 1, default: 50 },
} as const;

/** A data set whose samples are drawn on demand, each a pure function of run seed, split and index. */
export function phantomDataset(
  phantom: Phantom,
  options: PhantomOptions,
  ctx: Pick<Context, 'random'>,
): Dataset {
  const { size, channels, train, test } = options;
  // The context does not tell the seed; a draw from it identifies it as well.
  const seed = ctx.random(phantom.name, 'fingerprint').uniform();
  const identity = JSON.stringify([phantom.name, phantom.version, seed, size, channels, train, test]);
  return {
    height: size,
    width: size,
    channels,
    domain: { low: 0, high: 255, step: 1 },
    classes: ['background', phantom.foreground],
    train: split(phantom, 'train', train, options, ctx),
    test: split(phantom, 'test', test, options, ctx),
    fingerprint: createHash('sha256').update(identity).digest('hex'),
    notes: [],
  };
}

function split(
  { name, draw }: Phantom,
  part: 'train' | 'test',
  count: number,
  { size, channels }: PhantomOptions,
  ctx: Pick<Context, 'random'>,
): Split {
  const ids = Array.from({ length: count }, (_, i) => `${name}-${part}-${String(i + 1).padStart(4, '0')}`);
  return {
    ids,
    get: async (index) => {
      const id = ids[index];
      if (id === undefined) throw new RangeError(`there is no sample ${index} among ${count}`);
      const { canvas, mask } = draw(ctx.random(id), size);
      return {
        id,
        image: { shape: [size, size, channels], data: greyLevels(canvas, channels) },
        mask: { shape: [size, size], data: mask },
      };
    },
  };
}

/** Whole grey levels 0..255 with the wanted channels: luma of colour, or grey three times. */
function greyLevels({ data, channels: drawn }: Canvas, channels: 1 | 3): Float32Array {
  const result = new Float32Array((data.length / drawn) * channels);
  const level = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)));
  for (let i = 0; i < result.length; i++) {
    const at = Math.floor(i / channels) * drawn;
    if (drawn === 1) result[i] = level(data[at]!);
    else if (channels === 3) result[i] = level(data[i]!);
    else result[i] = level(0.299 * data[at]! + 0.587 * data[at + 1]! + 0.114 * data[at + 2]!);
  }
  return result;
}
