import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { defineDataset, nameClasses, openPairs, RobustError, type Pair } from '../../../core/index.ts';
import { readManifest, type Listed } from './manifest.ts';
import { findPairs } from './patterns.ts';

export default defineDataset({
  name: 'folder',
  summary: 'Images and masks in folders, paired by file name or by a CSV manifest.',
  options: {
    root: { description: 'Folder that patterns and manifest refer to.', type: 'string', minLength: 1 },
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
    manifest: {
      description:
        'CSV file instead of patterns, with the columns image, mask and, where known, id, group, split, spacing.',
      type: ['string', 'null'],
      default: null,
    },
    testFraction: {
      description:
        'Share of the groups or images that is test where nothing else splits them; 1 makes all test.',
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.25,
    },
    allowPartial: { description: 'Skip images and masks that are alone.', type: 'boolean', default: false },
    classes: {
      description:
        "Class names by mask value (a grey level, or a colour '#rrggbb'), such as { 1: 'lung', 2: 'heart' }; null " +
        'makes two classes by `threshold`.',
      type: ['object', 'null'],
      additionalProperties: { type: 'string', minLength: 1 },
      default: null,
    },
    ignore: {
      description: 'With `classes`: the mask value of pixels that count neither in training nor in scores.',
      type: ['string', 'integer', 'null'],
      pattern: '^(\\d+|#[0-9a-fA-F]{6})$',
      default: null,
    },
    size: {
      description: 'Rows and columns; images are stretched to this square.',
      type: 'integer',
      minimum: 8,
      default: 256,
    },
    scoring: {
      description:
        'Scores at the size that the network sees, or at the native size of the masks, to which predictions are resized.',
      enum: ['resized', 'native'],
      default: 'resized',
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
  async load({ root, manifest, testFraction, classes: names, ignore, ...rest }, ctx) {
    const dir = resolve(ctx.baseDir, root);
    const { size, channels, threshold, scoring } = rest;
    const { classes, labels } = names ? named(names, ignore) : { classes: ['background', 'foreground'] };
    const format = { size, channels, native: scoring === 'native', threshold, ...(labels && { labels }) };
    if (manifest !== null) {
      const listed = await readManifest(resolve(dir, manifest));
      return openPairs({ ...split(listed, testFraction), classes, notes: [] }, format, ctx);
    }
    const { images, masks, trainImages, trainMasks, allowPartial } = rest;
    const all = await findPairs(dir, { images, masks }, allowPartial);
    if (trainImages === null) {
      return openPairs({ ...split(all.pairs, testFraction), classes, notes: all.notes }, format, ctx);
    }
    const train = await findPairs(dir, { images: trainImages, masks: trainMasks ?? masks }, allowPartial);
    const notes = [...train.notes, ...all.notes];
    return openPairs({ train: train.pairs, test: all.pairs, classes, notes }, format, ctx);
  },
});

/** @throws RobustError CONFIG_INVALID for a key that is no mask value. */
function named(names: Readonly<Record<string, string>>, ignore: string | number | null) {
  const strange = Object.keys(names).find((value) => !/^(\d+|#[0-9a-f]{6})$/i.test(value));
  if (strange === undefined) return nameClasses(names, ignore === null ? null : String(ignore));
  throw new RobustError('CONFIG_INVALID', {
    message: 'A class is named for something that is no mask value.',
    where: 'dataset.classes',
    expected: "grey levels such as 2, or colours such as '#ff0080'",
    received: `'${strange}'`,
    next: 'write { value: name }, such as { 1: lung, 2: heart }',
  });
}

/** What names its split stays there; the others are split by group, so that adding files moves none. */
function split(pairs: readonly Listed[], testFraction: number): Record<'train' | 'test', Pair[]> {
  const isTest = ({ split: own, group, id }: Listed) =>
    own === undefined ? position(group ?? id) < testFraction : own === 'test';
  const plain = pairs.map(({ split: _, ...pair }) => pair);
  return {
    train: plain.filter((_, i) => !isTest(pairs[i]!)),
    test: plain.filter((_, i) => isTest(pairs[i]!)),
  };
}

/** A number in [0, 1) that depends on the text alone. */
function position(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 2 ** 32;
}
