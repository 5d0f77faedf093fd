import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { makeRandom } from '../../core/random.ts';
import { datasetContract, temporaryFolder, type DatasetSettings } from '../../core/testing/index.ts';
import { bundled } from './bundled.ts';

/** The options of a data set of volumes that one file or folder fills: a few slices of it are test. */
const volumes = (name: string, split = 0.5): DatasetSettings => ({
  options: {
    root: fileURLToPath(new URL(`../../fixtures/volumes/${name}`, import.meta.url)),
    ...{ size: 16, testFraction: split },
  },
  changed: { window: [0, 50] },
});

/** Data sets that read files get a few of them; the rest is generated at a small size. */
const settings: Record<string, DatasetSettings> = {
  folder: {
    options: {
      root: await written(
        Array.from({ length: 12 }, (_, i) => [`images/${i}.png`, `masks/${i}.png`] as const),
      ),
      size: 16,
    },
    changed: { threshold: 10, channels: 1 },
  },
  isbi2016: {
    options: {
      root: await written([...challenge('Training', 4), ...challenge('Test', 3)]),
      size: 16,
      allowPartial: true,
    },
    changed: { exclude: ['ISIC_0000001'] },
  },
  jsrt: {
    options: {
      root: await written(
        Array.from({ length: 8 }, (_, i) => [`JPCLN00${i + 1}.png`, `JPCLN00${i + 1}msk.png`] as const),
      ),
      size: 16,
      allowPartial: true,
    },
    changed: { polarity: 'density' },
  },
  nifti: volumes('nifti'),
  dicom: volumes('dicom'),
  nrrd: volumes('nrrd', 1),
  mha: volumes('mha', 1),
};

for (const plugin of await bundled('dataset')) {
  datasetContract(plugin, settings[plugin.name] ?? small(plugin.options));
}

/** What generators have in common, where they have it. */
function small(options: object): DatasetSettings {
  const wanted = { size: 32, train: 3, test: 3 };
  const known = Object.entries(wanted).filter(([name]) => name in options);
  const changed = 'seed' in options ? { changed: { seed: 12345 } } : {};
  return { options: Object.fromEntries(known), ...changed };
}

function challenge(split: string, count: number): (readonly [image: string, mask: string])[] {
  const folder = `ISBI2016_ISIC_Part1_${split}`;
  const start = split === 'Test' ? 100 : 0;
  return Array.from({ length: count }, (_, i) => {
    const id = `ISIC_${String(start + i).padStart(7, '0')}`;
    return [`${folder}_Data/${id}.jpg`, `${folder}_GroundTruth/${id}_Segmentation.png`] as const;
  });
}

/** Writes noisy images with a bright disc, and masks of that disc; returns the folder. */
async function written(pairs: readonly (readonly [image: string, mask: string])[]): Promise<string> {
  const root = temporaryFolder();
  for (const [index, [image, mask]] of pairs.entries()) {
    for (const path of [image, mask]) mkdirSync(join(root, dirname(path)), { recursive: true });
    const { below } = makeRandom(0)('files', index);
    const [cx, cy, radius] = [12 + below(8), 10 + below(4), 4 + below(4)];
    const inside = (at: number) => Math.hypot((at % 32) - cx, Math.floor(at / 32) - cy) < radius;
    const pixels = Uint8Array.from(
      { length: 32 * 24 * 3 },
      (_, i) => (inside(Math.floor(i / 3)) ? 150 : 50) + below(80),
    );
    const labels = Uint8Array.from({ length: 32 * 24 }, (_, i) => (inside(i) ? 255 : 0));
    await sharp(pixels, { raw: { width: 32, height: 24, channels: 3 } }).toFile(join(root, image));
    await sharp(labels, { raw: { width: 32, height: 24, channels: 1 } }).toFile(join(root, mask));
  }
  return root;
}
