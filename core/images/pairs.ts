import { RobustError } from '../errors/index.ts';
import type { Context, Dataset } from '../vocabulary.ts';
import { readHeader } from './decode.ts';
import type { Pair } from './files.ts';
import type { Labels } from './labels.ts';
import { readImage, readMask } from './read.ts';
import { openSamples, type SampleFiles } from './samples.ts';

/** The pairs of a data set. Training pairs may be absent: a finished model needs none. */
export interface PairSplits {
  readonly train: readonly Pair[];
  readonly test: readonly Pair[];
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

/** How files become samples. */
export interface PairFormat {
  /** Rows and columns of every sample: images are stretched to a square. */
  readonly size: number;
  readonly channels: 1 | 3;
  /** Whether predictions are scored at the size of the mask files. */
  readonly native?: boolean;
  /** Grey levels of a mask file above it are foreground. */
  readonly threshold: number;
  /** Class indices by mask value, instead of the threshold. */
  readonly labels?: Labels;
}

/**
 * A data set of image and mask files, as `openSamples` makes it.
 *
 * Errors: DATASET_EMPTY, MASK_SIZE, IMAGE_MISSING, MASK_MISSING, IMAGE_UNREADABLE, IMAGE_TOO_LARGE; MASK_VALUES on `get`.
 */
export function openPairs(
  splits: PairSplits,
  { size, channels, native = false, ...maskFormat }: PairFormat,
  ctx: Pick<Context, 'cacheDir' | 'log' | 'signal'>,
): Promise<Dataset> {
  const format = {
    ...{ size, channels, native, key: maskFormat },
    inspect: (sample: SampleFiles) => inspect(sample, native ? null : size),
    read: async ({ files: [image, mask] }: SampleFiles) => ({
      image: await readImage(image!, { channels, size }),
      mask: await readMask(mask!, maskFormat),
    }),
  };
  const [train, test] = [splits.train, splits.test].map((pairs) => pairs.map(toFiles));
  return openSamples({ ...splits, train: train!, test: test! }, format, ctx);
}

function toFiles({ image, mask, ...rest }: Pair): SampleFiles {
  return { ...rest, files: [image, mask] };
}

/** Compares the two sizes; pixels that are known in millimetres grow or shrink with the resizing to `size`. */
async function inspect(sample: SampleFiles, size: number | null): Promise<SampleFiles> {
  const [image, mask] = sample.files as [string, string];
  const [imageSize, maskSize] = await Promise.all([readHeader({ path: image }), readHeader({ path: mask })]);
  if (imageSize.height !== maskSize.height || imageSize.width !== maskSize.width) {
    throw new RobustError('MASK_SIZE', {
      message: 'The mask has another size than its image.',
      where: mask,
      expected: `${imageSize.width} x ${imageSize.height} pixels, as ${image}`,
      received: `${maskSize.width} x ${maskSize.height} pixels`,
      next: 'export the mask again at the size of the image, or check that the two belong together',
    });
  }
  if (!sample.spacing || size === null) return sample;
  const [vertical, horizontal] = sample.spacing;
  return {
    ...sample,
    spacing: [(vertical * imageSize.height) / size, (horizontal * imageSize.width) / size],
  };
}
