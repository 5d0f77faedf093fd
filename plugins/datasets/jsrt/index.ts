import { resolve } from 'node:path';
import { defineDataset, openSamples, repeatGrey, type SampleFiles } from '../../../core/index.ts';
import { hasNodule, readClinical } from './clinical.ts';
import { blankNotes, checkComplete, foldNotes } from './complete.ts';
import { findJsrt, NAMES, type JsrtFiles, type Outline } from './files.ts';
import { inspectMasks, readMasks } from './masks.ts';
import { inspectRadiograph, readRadiograph } from './pixels.ts';
import { sizeOptions } from '../listing/options.ts';

/** Millimetres between pixels of the films as they were scanned, 2048 to a side. */
const SCANNED = { side: 2048, millimetres: 0.175 };

/** The outlines that make up an organ. */
const ORGANS = {
  lungs: ['left-lung', 'right-lung'],
  'left-lung': ['left-lung'],
  'right-lung': ['right-lung'],
  heart: ['heart'],
  clavicles: ['left-clavicle', 'right-clavicle'],
  'left-clavicle': ['left-clavicle'],
  'right-clavicle': ['right-clavicle'],
} as const satisfies Record<string, readonly Outline[]>;
type Organ = keyof typeof ORGANS;

/** A radiograph with the class of each of its mask files. */
interface Radiograph extends SampleFiles {
  readonly outlined: readonly number[];
}

export default defineDataset({
  name: 'jsrt',
  summary: 'Chest radiographs of JSRT with the SCR masks: 124 training and 123 test images.',
  references: [
    'Shiraishi et al., Development of a Digital Image Database for Chest Radiographs, AJR 174, 2000',
    'van Ginneken, Stegmann, Loog, Segmentation of anatomical structures in chest radiographs, MedIA 10, 2006',
  ],
  options: {
    root: {
      description:
        'Folder that holds images (JPCLN001.IMG to JPCNN093.IMG, or the same as PNG) and SCR masks, at any depth.',
      type: 'string',
      minLength: 1,
    },
    allowPartial: {
      description: 'Go on when images or masks are missing; the report then says how many.',
      type: 'boolean',
      default: false,
    },
    organs: {
      description: 'Classes beside the background; of two that overlap the later one wins.',
      type: 'array',
      items: { enum: Object.keys(ORGANS) as Organ[] },
      minItems: 1,
      default: ['lungs'] as const,
    },
    polarity: {
      description:
        'What converted images hold: display (bone bright, as on a light box) or density (lungs bright, as in the raw files).',
      enum: ['display', 'density'],
      default: 'display',
    },
    ...sizeOptions,
    channels: { description: '1 for grey, 3 for grey three times.', enum: [1, 3], default: 1 },
  },
  async load({ root, allowPartial, organs, polarity, size, channels, scoring }, ctx) {
    const dir = resolve(ctx.baseDir, root);
    const native = scoring === 'native';
    const files = await findJsrt(dir);
    const found = NAMES.flatMap((id) => radiograph(id, organs, files));
    const present = found.map(({ id }) => id);
    const notes = [...checkComplete(dir, files, present, allowPartial), ...foldNotes(files)];
    const clinical = await readClinical(files.clinical);
    const samples = found.map((sample) => ({
      ...sample,
      metadata: { nodule: hasNodule(sample.id), ...clinical.get(sample.id) },
    }));
    return openSamples(
      {
        train: samples.filter(({ id }) => isOdd(id)),
        test: samples.filter(({ id }) => !isOdd(id)),
        classes: ['background', ...organs],
        notes: [...notes, ...(await blankNotes(files, present))],
      },
      {
        ...{ size, channels, native, key: polarity },
        async inspect(sample) {
          const side = await inspectMasks(sample.files.slice(1), await inspectRadiograph(sample.files[0]!));
          return { ...sample, spacing: spacing(native ? side : size) };
        },
        read: async ({ files: [image, ...masks], outlined }) => ({
          image: repeatGrey(await readRadiograph(image!, polarity), channels),
          mask: await readMasks(masks, outlined),
        }),
      },
      ctx,
    );
  },
});

/** SCR's first fold holds the odd numbers; it is the training set, as in the literature that the paper follows. */
function isOdd(id: string): boolean {
  return Number(id.slice(-3)) % 2 === 1;
}

/** Of films that have so many pixels to a side. */
function spacing(size: number): readonly [number, number] {
  const millimetres = (SCANNED.millimetres * SCANNED.side) / size;
  return [millimetres, millimetres];
}

/** The sample of a name, if its image and the masks of all organs are there. */
function radiograph(id: string, organs: readonly Organ[], { images, masks }: JsrtFiles): Radiograph[] {
  const image = images.get(id);
  const perOrgan = organs.map((organ) => outlines(organ, masks.get(id)));
  if (image === undefined || perOrgan.some((paths) => paths.length === 0)) return [];
  const outlined = perOrgan.flatMap((paths, index) => paths.map(() => index + 1));
  return [{ id, files: [image, ...perOrgan.flat()], outlined }];
}

/** The mask files of an organ; none when one is missing. */
function outlines(organ: Organ, masks: ReadonlyMap<Outline, string> = new Map()): string[] {
  const paths = ORGANS[organ].flatMap((outline) => masks.get(outline) ?? []);
  if (paths.length === ORGANS[organ].length) return paths;
  const both = organ === 'lungs' ? masks.get('lungs') : undefined;
  return both === undefined ? [] : [both];
}
