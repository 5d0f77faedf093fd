import { resolve } from 'node:path';
import { defineDataset, openSamples, repeatGrey, RobustError } from '../../../core/index.ts';
import type { Context, Dataset, OptionsOf, SampleSplits } from '../../../core/index.ts';
import { listingOptions } from '../listing/options.ts';
import { splitItems } from '../listing/split.ts';
import { listVolumes, type Listing } from './list.ts';
import { VolumeSlices, type SliceFiles } from './slices.ts';

const options = {
  ...listingOptions,
  classes: {
    description:
      "Class names by mask value, such as { 1: 'liver', 2: 'tumour' }; null makes all values but 0 one class.",
    type: ['object', 'null'],
    additionalProperties: { type: 'string', minLength: 1 },
    default: null,
  },
  plane: {
    description: 'The slices to take; `stored` is the plane of the first two axes of the file.',
    enum: ['axial', 'coronal', 'sagittal', 'stored'],
    default: 'axial',
  },
  every: { description: 'Take every n-th slice.', type: 'integer', minimum: 1, default: 1 },
  skipEmpty: {
    description: 'Leave out slices whose mask is empty; every mask is then read before a run.',
    type: 'boolean',
    default: false,
  },
  window: {
    description:
      'Centre and width of the intensities that become 0 to 255, in the units of the file (HU for CT); null takes ' +
      'the window that a DICOM file names, otherwise the volume without its lowest and highest 0.5 %.',
    type: ['array', 'null'],
    items: { type: 'number' },
    minItems: 2,
    maxItems: 2,
    default: null,
  },
  channels: { description: '1 for grey, 3 for grey three times.', enum: [1, 3], default: 1 },
} as const;

type Chosen = OptionsOf<typeof options> & Pick<Listing, 'images' | 'masks'>;

/** What tells one format from another: each reads the files of the others too. */
interface Format {
  readonly name: string;
  readonly summary: string;
  readonly images: string;
  readonly masks: string;
  /** Endings of patterns on the command line. */
  readonly extensions: readonly string[];
}

/** A data set of 2-D images and of slices of volumes. */
export function defineVolumes({ images, masks, ...about }: Format) {
  return defineDataset({
    ...about,
    options: {
      ...options,
      images: {
        description:
          'Pattern of the images; `*` stands for any text without a slash and makes the id, and a slash at the end ' +
          'means folders of DICOM files.',
        type: 'string',
        default: images,
      },
      masks: {
        description:
          'Pattern of the masks, or a pattern for each class name; their stars match the same text as `images`.',
        type: ['string', 'object'],
        additionalProperties: { type: 'string', minLength: 1 },
        default: masks,
      },
    },
    fromPatterns: (root, given, givenMasks) => ({ root, images: given, masks: givenMasks, testFraction: 1 }),
    load: loadVolumes,
  });
}

/** To be raised whenever a slice comes out differently. */
const VERSION = 1;

async function loadVolumes(chosen: Chosen, ctx: Context): Promise<Dataset> {
  const { plane, every, skipEmpty, window, size, channels, testFraction } = chosen;
  const native = chosen.scoring === 'native';
  const { volumes, classes, labels, notes } = await listVolumes({
    ...chosen,
    dir: resolve(ctx.baseDir, chosen.root),
  });
  if (window && window[1]! <= 0) throw noWidth(window);
  const slicing = { plane, every, skipEmpty, window, size: native ? null : size, ...(labels && { labels }) };
  const slices = await VolumeSlices.open(volumes, slicing, ctx.signal);
  const { train, test } = splitItems(slices.volumes, testFraction);
  const list = async (part: typeof test) => {
    const found: SliceFiles[] = [];
    for (const volume of part) found.push(...(await slices.list(volume)));
    return found;
  };
  const listed = { train: await list(train), test: await list(test) };
  const empty = slices.count - listed.train.length - listed.test.length;
  const left = empty > 0 ? [`${empty} of ${slices.count} slices without foreground were left out`] : [];
  const splits: SampleSplits<SliceFiles> = { ...listed, classes, notes: [...notes, ...left] };
  const format = {
    ...{ size, channels, native, key: [VERSION, plane, window, labels ?? null] },
    async read(slice: SliceFiles) {
      const { image, mask } = await slices.read(slice);
      return { image: repeatGrey(image, channels), mask };
    },
  };
  return openSamples(splits, format, ctx);
}

function noWidth(window: readonly number[]): RobustError {
  return new RobustError('CONFIG_INVALID', {
    message: 'The window has no width.',
    where: 'dataset.window',
    expected: 'centre and width, such as [40, 400]',
    received: `[${window.join(', ')}]`,
    next: 'the lowest and highest intensity are centre - width / 2 and centre + width / 2',
  });
}
