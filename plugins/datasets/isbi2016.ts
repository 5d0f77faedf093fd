import { resolve } from 'node:path';
import { defineDataset, few, findFiles, openPairs, pairFiles, RobustError } from '../../core/index.ts';
import type { Pairing } from '../../core/index.ts';
import { sizeOptions } from './listing/options.ts';

/** Official number of pairs per split. */
const OFFICIAL = { Training: 900, Test: 379 } as const;
type SplitName = keyof typeof OFFICIAL;

/** Masks that one group of readers judged wrong (loose or leaking outlines); of both splits. */
const DOUBTED = ['0000096', '0000517', '0010056', '0010323', '0010588', '0011117', '0011338', '0011356'];

export default defineDataset({
  name: 'isbi2016',
  summary: 'Skin lesions of the ISBI 2016 challenge (ISIC 2016, part 1): 900 training and 379 test images.',
  references: [
    'Gutman et al., Skin Lesion Analysis toward Melanoma Detection, arXiv:1605.01397, 2016',
    'Cassidy et al., Analysis of the ISIC image datasets, Medical Image Analysis 75, 2022 (duplicates across years)',
  ],
  options: {
    root: {
      description:
        'Folder that holds the four official folders ISBI2016_ISIC_Part1_{Training,Test}_{Data,GroundTruth}.',
      type: 'string',
      minLength: 1,
    },
    allowPartial: {
      description: 'Go on when images or masks are missing; the report then says how many.',
      type: 'boolean',
      default: false,
    },
    exclude: {
      description:
        'Ids to leave out; `doubted` stands for the six training and two test masks that one group of readers judged ' +
        'wrong. None is left out unless listed here.',
      type: 'array',
      items: { type: 'string', pattern: '^(ISIC_\\d{7}|doubted)$' },
      default: [],
    },
    ...sizeOptions,
    channels: { description: '3 for RGB, 1 for grey.', enum: [3, 1], default: 3 },
  },
  async load({ root, allowPartial, exclude, size, channels, scoring }, ctx) {
    const dir = resolve(ctx.baseDir, root);
    const found = { Training: await pairing(dir, 'Training'), Test: await pairing(dir, 'Test') };
    const missing = [...shortage('Training', found.Training), ...shortage('Test', found.Test)];
    if (missing.length > 0 && !allowPartial) throw incomplete(dir, missing);
    checkApart(found);
    const out = exclude.flatMap((id) => (id === 'doubted' ? DOUBTED.map((number) => `ISIC_${number}`) : id));
    const left = ({ pairs }: Pairing) => pairs.filter(({ id }) => !out.includes(id));
    const notes = out.length > 0 ? [...missing, `left out by configuration: ${out.join(', ')}`] : missing;
    const classes = ['background', 'lesion'];
    // The organisers' scorer binarises with > 128.
    const format = { size, channels, native: scoring === 'native', threshold: 128 };
    return openPairs({ train: left(found.Training), test: left(found.Test), classes, notes }, format, ctx);
  },
});

/** Other files (licences, superpixels of later years) match neither name. */
async function pairing(dir: string, split: SplitName): Promise<Pairing> {
  const folder = `ISBI2016_ISIC_Part1_${split}`;
  const images = await findFiles(dir, [new RegExp(`^${folder}_Data$`), /^(ISIC_\d{7})\.jpe?g$/i]);
  const masks = await findFiles(dir, [
    new RegExp(`^${folder}_GroundTruth$`),
    /^(ISIC_\d{7})_segmentation\.png$/i,
  ]);
  return pairFiles(images, masks);
}

/** The official lists have no id in common. */
function checkApart({ Training, Test }: Record<SplitName, Pairing>): void {
  const trained = new Set(Training.pairs.map(({ id }) => id));
  const both = Test.pairs.filter(({ id }) => trained.has(id));
  if (both.length === 0) return;
  throw new RobustError('DATASET_INVALID', {
    message: 'Images are in both splits of ISBI 2016.',
    where: both[0]!.image,
    expected: 'no id in both the training and the test folder',
    received: `${both.length} such ids: ${few(both.map(({ id }) => id))}`,
    next: 'unpack the official archives again; later years of ISIC mix the two',
  });
}

function shortage(split: SplitName, { pairs, withoutMask, withoutImage }: Pairing): string[] {
  const expected = OFFICIAL[split];
  if (pairs.length === expected && withoutMask.length + withoutImage.length === 0) return [];
  const alone = (what: string, ids: readonly string[]) =>
    ids.length > 0 ? `; ${ids.length} ${what} (${few(ids)})` : '';
  const absent = `${split}: ${expected - pairs.length} of ${expected} pairs are missing`;
  return [absent + alone('images without mask', withoutMask) + alone('masks without image', withoutImage)];
}

function incomplete(dir: string, missing: readonly string[]): RobustError {
  return new RobustError('DATASET_INCOMPLETE', {
    message: 'ISBI 2016 is not complete.',
    where: dir,
    expected:
      'ISBI2016_ISIC_Part1_Training_Data/ISIC_nnnnnnn.jpg with ' +
      'ISBI2016_ISIC_Part1_Training_GroundTruth/ISIC_nnnnnnn_Segmentation.png (900), and the same for Test (379)',
    received: missing.join('. '),
    next:
      'fetch the four Part 1 archives of 2016 (CC-0, about 840 MB) from https://challenge.isic-archive.com/data/#2016 ' +
      'and unpack them there, or set `allowPartial: true` to use what is present',
  });
}
