import { RobustError } from './errors/index.ts';
import type { Dataset, Sample, Split } from './vocabulary.ts';

/** In a mask: a pixel that counts neither in training nor in scores. */
export const IGNORED = 255;

/**
 * Holds a data set to its own description.
 *
 * @throws RobustError DATASET_EMPTY without test images, DATASET_INVALID for repeated ids and, at the first sample of
 * each split and at every later one that is read, for a size, intensity or class that was not announced.
 */
export async function checkDataset(name: string, dataset: Dataset): Promise<Dataset> {
  const { train, test } = dataset;
  if (test.ids.length === 0) {
    throw new RobustError('DATASET_EMPTY', {
      message: `The data set '${name}' has no test images.`,
      where: 'dataset',
      expected: 'at least one test image',
      received: `${train.ids.length} training images, 0 test images`,
      next: 'check its folder and its patterns',
    });
  }
  for (const split of [train, test]) checkIds(name, split);
  return { ...dataset, train: checked(name, train, dataset), test: checked(name, test, dataset) };
}

/** A data set that was opened; when that fails, the error also says what a person without the data can do. */
export async function advised(opened: Promise<Dataset | undefined>, withoutData?: string): Promise<Dataset> {
  try {
    return (await opened)!;
  } catch (error) {
    if (!(error instanceof RobustError) || withoutData === undefined) throw error;
    const { next, ...parts } = error.parts;
    throw new RobustError(error.code, { ...parts, next: [next, withoutData].filter(Boolean).join('; ') });
  }
}

function checkIds(name: string, { ids }: Split): void {
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw invalid(name, repeated, 'every id once', 'an id that occurs twice');
}

function checked(name: string, split: Split, dataset: Dataset): Split {
  return {
    ids: split.ids,
    async get(index) {
      const sample = await split.get(index);
      checkSample(name, sample, dataset);
      return sample;
    },
  };
}

function checkSample(name: string, { id, image, mask, reference = mask }: Sample, dataset: Dataset): void {
  const { height, width, channels, domain, classes } = dataset;
  const shape = image.shape.join(' x ');
  if (shape !== [height, width, channels].join(' x ')) {
    throw invalid(name, id, `images of ${height} x ${width} x ${channels}`, shape);
  }
  if (mask.shape[0] !== height || mask.shape[1] !== width) {
    throw invalid(name, id, `masks of ${height} x ${width}`, mask.shape.join(' x '));
  }
  if (!image.data.every((value) => value >= domain.low && value <= domain.high)) {
    throw invalid(name, id, `intensities from ${domain.low} to ${domain.high}`, 'values outside, or NaN');
  }
  const isStrange = (value: number) => value >= classes.length && value !== IGNORED;
  const strange = mask.data.find(isStrange) ?? reference.data.find(isStrange);
  if (strange !== undefined) {
    throw invalid(name, id, `classes below ${classes.length}`, `class ${strange}`);
  }
}

function invalid(name: string, id: string, expected: string, received: string): RobustError {
  return new RobustError('DATASET_INVALID', {
    message: `The data set '${name}' breaks its own description.`,
    where: `sample ${id}`,
    expected,
    received,
    next: 'this is a defect of the dataset plugin, or of the file behind this sample',
  });
}
