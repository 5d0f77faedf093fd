import { resolve } from 'node:path';
import { defineDataset, openPairs } from '../../core/index.ts';
import { namedClasses } from './listing/classes.ts';
import { readManifest } from './listing/manifest.ts';
import { listingOptions } from './listing/options.ts';
import { findPairs } from './listing/patterns.ts';
import { splitItems } from './listing/split.ts';

export default defineDataset({
  name: 'folder',
  summary: 'Images and masks in folders, paired by file name or by a CSV manifest.',
  options: {
    ...listingOptions,
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
    classes: {
      description:
        "Class names by mask value (a grey level, or a colour '#rrggbb'), such as { 1: 'lung', 2: 'heart' }; null " +
        'makes two classes by `threshold`.',
      type: ['object', 'null'],
      additionalProperties: { type: 'string', minLength: 1 },
      default: null,
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
    const { classes, labels } = names
      ? namedClasses(names, ignore)
      : { classes: ['background', 'foreground'] };
    const format = { size, channels, native: scoring === 'native', threshold, ...(labels && { labels }) };
    if (manifest !== null) {
      const listed = await readManifest(resolve(dir, manifest));
      return openPairs({ ...splitItems(listed, testFraction), classes, notes: [] }, format, ctx);
    }
    const { images, masks, trainImages, trainMasks, allowPartial } = rest;
    const all = await findPairs(dir, { images, masks }, allowPartial);
    if (trainImages === null) {
      return openPairs({ ...splitItems(all.pairs, testFraction), classes, notes: all.notes }, format, ctx);
    }
    const train = await findPairs(dir, { images: trainImages, masks: trainMasks ?? masks }, allowPartial);
    const notes = [...train.notes, ...all.notes];
    return openPairs({ train: train.pairs, test: all.pairs, classes, notes }, format, ctx);
  },
});
