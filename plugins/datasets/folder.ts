import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import {
  defineDataset,
  few,
  findFiles,
  openPairs,
  pairFiles,
  patternSegments,
  RobustError,
} from '../../core/index.ts';
import type { Pair, Pairing } from '../../core/index.ts';

/** Two file patterns, which belong together by what their stars match. */
interface Patterns {
  readonly images: string;
  readonly masks: string;
}

export default defineDataset({
  name: 'folder',
  summary: 'Images and masks in folders, paired by file name.',
  options: {
    root: { description: 'Folder that the patterns refer to.', type: 'string', minLength: 1 },
    images: {
      description: 'Pattern of the image files; `*` stands for any text without a slash and makes the id.',
      type: 'string',
      default: 'images/*.png',
    },
    masks: {
      description: 'Pattern of the mask files; its stars match the same text as those of `images`.',
      type: 'string',
      default: 'masks/*.png',
    },
    trainImages: {
      description:
        'Pattern of the training images; null splits `images`, and otherwise all of `images` are test.',
      type: ['string', 'null'],
      default: null,
    },
    trainMasks: { description: 'Pattern of the training masks.', type: ['string', 'null'], default: null },
    testFraction: {
      description: 'Share of `images` that is test when there is no `trainImages`; 1 makes all of them test.',
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.25,
    },
    allowPartial: { description: 'Skip images and masks that are alone.', type: 'boolean', default: false },
    size: {
      description: 'Rows and columns; images are stretched to this square.',
      type: 'integer',
      minimum: 8,
      default: 256,
    },
    channels: { description: '1 for grey, 3 for RGB.', enum: [1, 3], default: 3 },
    threshold: {
      description: 'Grey levels of a mask file above it are foreground.',
      type: 'number',
      minimum: 0,
      exclusiveMaximum: 255,
      default: 128,
    },
  },
  fromPatterns: (root, images, masks) => ({ root, images, masks, testFraction: 1 }),
  async load({ root, images, masks, trainImages, trainMasks, testFraction, allowPartial, ...format }, ctx) {
    const dir = resolve(ctx.baseDir, root);
    const open = async (patterns: Patterns) =>
      checked(await pairing(dir, patterns), dir, patterns, allowPartial);
    const all = await open({ images, masks });
    const classes = ['background', 'foreground'];
    if (trainImages !== null) {
      const train = await open({ images: trainImages, masks: trainMasks ?? masks });
      const notes = [...train.notes, ...all.notes];
      return openPairs({ train: train.pairs, test: all.pairs, classes, notes }, format, ctx);
    }
    const isTest = ({ id }: Pair) => position(id) < testFraction;
    const train = all.pairs.filter((pair) => !isTest(pair));
    return openPairs({ train, test: all.pairs.filter(isTest), classes, notes: all.notes }, format, ctx);
  },
});

/** A number in [0, 1) that depends on the id alone: adding or removing files moves no other file between splits. */
function position(id: string): number {
  return createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32;
}

async function pairing(dir: string, patterns: Patterns): Promise<Pairing> {
  const masks = await findFiles(dir, patternSegments(patterns.masks));
  const images = await findFiles(dir, patternSegments(patterns.images));
  // `*.png` for images also matches `x_mask.png` in the same folder.
  const maskPaths = new Set(masks.values());
  return pairFiles(new Map([...images].filter(([, path]) => !maskPaths.has(path))), masks);
}

function checked(
  { pairs, withoutMask, withoutImage }: Pairing,
  dir: string,
  { images, masks }: Patterns,
  allowPartial: boolean,
): { pairs: readonly Pair[]; notes: readonly string[] } {
  if (pairs.length + withoutMask.length === 0) {
    throw new RobustError('DATASET_EMPTY', {
      message: 'No image matches the pattern.',
      where: dir,
      expected: `files such as ${example(images, 'name')}`,
      received: 'none',
      next: 'check `root` and `images` of the data set',
    });
  }
  const notes: string[] = [];
  const alone = (code: 'MASK_MISSING' | 'MASK_WITHOUT_IMAGE', ids: readonly string[], pattern: string) => {
    const [first] = ids;
    if (first === undefined) return;
    const message =
      code === 'MASK_MISSING' ? `${ids.length} images have no mask.` : `${ids.length} masks have no image.`;
    notes.push(`${message.slice(0, -1)} and were skipped: ${few(ids)}`);
    if (allowPartial) return;
    throw new RobustError(code, {
      message,
      where: dir,
      expected: `${example(pattern, first)} for '${first}', and so on`,
      received: `${pairs.length} pairs, and alone: ${few(ids)}`,
      next: 'add the files, check `images` and `masks`, or set `allowPartial: true` to skip what is alone',
    });
  };
  alone('MASK_MISSING', withoutMask, masks);
  alone('MASK_WITHOUT_IMAGE', withoutImage, images);
  return { pairs, notes };
}

function example(pattern: string, id: string): string {
  return pattern.replace('*', id);
}
