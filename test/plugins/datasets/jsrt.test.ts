import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import sharp from 'sharp';
import type { Sample } from '../../../core/index.ts';
import jsrt from '../../../plugins/datasets/jsrt/index.ts';
import { dataContext } from '../../core/images/support.ts';
import * as files from './jsrt-files.ts';

const SIDE = 64;
const options = {
  allowPartial: true,
  organs: ['lungs'] as const,
  polarity: 'display' as const,
  size: 32,
  channels: 1 as const,
  scoring: 'resized' as const,
};
const load = (root: string, change: Partial<Omit<Parameters<typeof jsrt.load>[0], 'root'>> = {}) =>
  jsrt.load({ ...options, ...change, root }, dataContext());

const names = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${prefix}${String(i + 1).padStart(3, '0')}`);
const all = [...names('JPCLN', 154), ...names('JPCNN', 93)];

/** What every layout shows: inverted density at the wanted size, and the union of the lungs. */
function expectChest({ id, image, mask }: Sample): void {
  const [size] = mask.shape;
  const lung = (at: number) =>
    files.inside('left lung', id, size, at) || files.inside('right lung', id, size, at);
  const differing = mask.data.filter((value, at) => value !== Number(lung(at)));
  expect(differing.length).toBeLessThan(0.02 * mask.data.length);
  const centre = 14 * size + Math.round((0.32 + (Number(id.slice(-3)) % 10) / 200) * size);
  expect(mask.data[centre]).toBe(1);
  const row = (14.5 / size) * 600;
  expect(Math.abs(image.data[centre]! - 255 * (1 - (3000 + row) / 4095))).toBeLessThan(2);
  expect(Math.abs(image.data[14 * size + 1]! - 255 * (1 - (400 + row) / 4095))).toBeLessThan(2);
}

const eight = (id: string, side = SIDE) =>
  Uint8Array.from(files.density(id, side), (value) => Math.round((255 * value) / 4095));
const inverted = (values: Uint8Array) => values.map((value) => 255 - value);
const maskPng = (id: string, organs: readonly files.OrganName[]) =>
  files.greyPng(
    SIDE,
    Uint8Array.from({ length: SIDE * SIDE }, (_, at) =>
      organs.some((organ) => files.inside(organ, id, SIDE, at)) ? 255 : 0,
    ),
  );
const lungs = ['left lung', 'right lung'] as const;
const three = ['JPCLN001', 'JPCLN002', 'JPCNN003'];

type Files = Record<string, Buffer>;
const each = async (make: (id: string) => Promise<Files> | Files, ids: readonly string[] = three) =>
  files.folderOf(Object.assign({}, ...(await Promise.all(ids.map(make)))) as Files);

const layouts = {
  'merged folds, palette PNG with a reversed ramp': () =>
    each(async (id) => ({
      [`JSRT/jsrt_images/images/${id}.IMG.png`]: files.reversedPng(SIDE, eight(id)),
      [`JSRT/masks/masks/left_lung/${id}.gif`]: files.gifFile(SIDE, 'left lung', id),
      [`JSRT/masks/masks/right_lung/${id}.gif`]: files.gifFile(SIDE, 'right lung', id),
      [`JSRT/masks/masks/left_lung_png/${id}.png`]: await maskPng(id, []),
    })),
  'one mask beside each image': () =>
    each(async (id) => ({
      [`${id}.png`]: await files.greyPng(SIDE, inverted(eight(id))),
      [`${id}msk.png`]: await maskPng(id, lungs),
    })),
  'image and label folders': () =>
    each(async (id) => ({
      [`JSRT/image/${id}.png`]: await files.greyPng(SIDE, inverted(eight(id))),
      [`JSRT/label/${id}_seg.png`]: await maskPng(id, lungs),
    })),
  'masks in a folder of their own': () =>
    each(async (id) => ({
      [`images/${id}.png`]: await files.greyPng(SIDE, inverted(eight(id))),
      [`masks/${id}.png`]: await maskPng(id, lungs),
    })),
};

describe('jsrt', () => {
  it('reads the two archives as they unpack, dirty files included', async () => {
    const root = files.folderOf(files.original(['JPCLN031', 'JPCLN122']));
    const data = await load(root);
    expect(data.train.ids).toEqual(['JPCLN031']);
    expect(data.test.ids).toEqual(['JPCLN122']);
    for (const split of [data.train, data.test]) {
      const sample = await split.get(0);
      expectChest(sample);
      expect(sample.spacing).toEqual([11.2, 11.2]);
      expect(Math.max(...sample.image.data) - Math.min(...sample.image.data)).toBeGreaterThan(150);
    }
  });

  it('scores on demand at the size of the masks, whose pixels are half as fine as those of the films', async () => {
    const root = files.folderOf(files.original(['JPCLN031', 'JPCLN122']));
    const { reference, spacing } = await (await load(root, { scoring: 'native' })).test.get(0);
    expect([reference?.shape, spacing]).toEqual([
      [1024, 1024],
      [0.35, 0.35],
    ]);
  });

  it.each(Object.entries(layouts))('reads %s', async (_name, make) => {
    const data = await load(await make());
    expect(data.train.ids).toEqual(['JPCLN001', 'JPCNN003']);
    expect(data.test.ids).toEqual(['JPCLN002']);
    expectChest(await data.train.get(1));
    expectChest(await data.test.get(0));
  });

  it('clips the 12 bits of a 16-bit file, and inverts film density when told', async () => {
    const root = await each(async (id) => {
      const values = files.density(id, SIDE);
      values[5] = 65535;
      return {
        [`${id}.png`]: await files.greyPng(SIDE, values),
        [`${id}_mask.png`]: await maskPng(id, lungs),
      };
    });
    expectChest(await (await load(root, { polarity: 'density' })).test.get(0));
  });

  it('takes 16 bits that are used whole as they are', async () => {
    const root = await each(async (id) => ({
      [`${id}.png`]: await files.greyPng(
        SIDE,
        Uint16Array.from(inverted(eight(id)), (value) => 257 * value),
      ),
      [`${id}_mask.png`]: await maskPng(id, lungs),
    }));
    expectChest(await (await load(root)).test.get(0));
  });

  it('gives other organs as classes, the later one on top', async () => {
    const root = await each(
      async (id) => ({
        [`${id}.png`]: await files.greyPng(SIDE, eight(id)),
        ...Object.fromEntries(
          files.organNames.map((organ) => [`fold2/masks/${organ}/${id}.gif`, files.gifFile(SIDE, organ, id)]),
        ),
      }),
      ['JPCNN004'],
    );
    const organs = ['left-lung', 'right-lung', 'heart', 'clavicles'] as const;
    const data = await load(root, { organs });
    expect(data.classes).toEqual(['background', ...organs]);
    const { mask } = await data.test.get(0);
    const classAt = (x: number, y: number) => mask.data[Math.floor(y * 32) * 32 + Math.floor(x * 32)];
    expect([classAt(0.7, 0.45), classAt(0.34, 0.45), classAt(0.57, 0.62), classAt(0.7, 0.2)]).toEqual([
      1, 2, 3, 4,
    ]);
    expect(classAt(0.05, 0.05)).toBe(0);
  });

  it('repeats grey for three channels', async () => {
    const { image } = await (
      await load(await layouts['one mask beside each image'](), { channels: 3 })
    ).test.get(0);
    expect(image.shape).toEqual([32, 32, 3]);
    expect(image.data[0]).toBe(image.data[2]);
  });

  it('reads findings, age and sex from the clinical texts', async () => {
    const root = await layouts['one mask beside each image']();
    const nodules = [
      'JPCLN001.IMG\t5\t15\t53\tMale\t1634\t692\tmalignant\tleft upper lobe\t\tlung cancer\t',
      'JPCLN002.IMG\t4\t9.5\t?\tFemale\t1634\t692\tbenign\tleft\tlobe\tpulmonary he\tmatoma',
    ];
    const texts = {
      'CLNDAT_EN.txt': nodules.join('\r'),
      'CNNDAT_EN.TXT': 'JPCNN003.IMG    58     Female   non-nodule\r',
    };
    const { cp } = await import('node:fs/promises');
    await cp(files.folderOf(texts), join(root, 'Clinical_Information'), { recursive: true });
    const { train, test } = await load(root);
    expect((await train.get(0)).metadata).toEqual({
      nodule: true,
      subtlety: 5,
      noduleMillimetres: 15,
      age: 53,
      sex: 'male',
      malignant: true,
    });
    expect((await test.get(0)).metadata).toEqual({
      nodule: true,
      subtlety: 4,
      noduleMillimetres: 9.5,
      sex: 'female',
      malignant: false,
    });
    expect((await train.get(1)).metadata).toEqual({ nodule: false, age: 58, sex: 'female' });
  });

  it('tells when masks lie in the fold of the other parity', async () => {
    const root = await each(async (id) => ({
      [`${id}.png`]: await files.greyPng(SIDE, eight(id)),
      [`fold2/masks/left lung/${id}.png`]: await maskPng(id, ['left lung']),
      [`fold2/masks/right lung/${id}.png`]: await maskPng(id, ['right lung']),
    }));
    expect((await load(root)).notes).toContain(
      '2 masks lie in the fold of the other parity, the split goes by number: JPCLN001, JPCNN003',
    );
  });

  it('tells which images a careless conversion left almost blank', async () => {
    const root = await each(
      async (id) => ({
        [`${id}.IMG.png`]: files.reversedPng(
          SIDE,
          files.stretched(files.density(id, SIDE).fill(65535, 0, 1)),
        ),
        [`${id}msk.png`]: await maskPng(id, lungs),
      }),
      ['JPCLN122'],
    );
    expect((await load(root)).notes).toContain(
      '1 images were converted without clipping and are almost blank: JPCLN122',
    );
  });
});

describe('a complete copy', () => {
  const image = files.greyPng(
    8,
    new Uint8Array(64).map((_, i) => 4 * i),
  );
  const mask = files.greyPng(
    8,
    new Uint8Array(64).map((_, i) => (i < 32 ? 255 : 0)),
  );
  const complete = async (without: readonly string[] = []) => {
    const content = { png: await image, msk: await mask };
    const names = all
      .flatMap((id) => [`${id}.png`, `${id}msk.png`])
      .filter((name) => !without.includes(name));
    return files.folderOf(
      Object.fromEntries(names.map((name) => [name, name.includes('msk') ? content.msk : content.png])),
    );
  };

  it('has 124 training and 123 test images', async () => {
    const data = await load(await complete(), { allowPartial: false, size: 8 });
    expect([data.train.ids.length, data.test.ids.length]).toEqual([124, 123]);
    expect(data.train.ids.every((id) => Number(id.slice(-3)) % 2 === 1)).toBe(true);
  });

  it('of 246 images is refused', async () => {
    const root = await complete(['JPCNN093.png', 'JPCNN093msk.png']);
    await expect(load(root, { allowPartial: false })).rejects.toMatchObject({
      code: 'DATASET_INCOMPLETE',
      parts: { where: root, received: '1 of 247 images are missing: JPCNN093' },
    });
    const { notes, test, train } = await load(root, { size: 8 });
    expect(train.ids.length + test.ids.length).toBe(246);
    expect(notes).toContain('1 of 247 images are missing: JPCNN093');
  });

  it('without one mask is refused', async () => {
    await expect(load(await complete(['JPCLN100msk.png']), { allowPartial: false })).rejects.toMatchObject({
      code: 'MASK_MISSING',
      parts: { received: '1 images have no mask: JPCLN100' },
    });
  });
});

describe('jsrt refuses', () => {
  it('an empty folder, saying what the data set is and where it comes from', async () => {
    for (const [allowPartial, code] of [
      [false, 'DATASET_EMPTY'],
      [true, 'DATASET_EMPTY'],
    ] as const) {
      const error = await load(files.folderOf({}), { allowPartial }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code });
      for (const part of [
        '247',
        'SCR',
        'research only',
        'db.jsrt.or.jp',
        'All247images/JPCLN001.IMG',
        'left lung',
      ])
        expect(String(error)).toContain(part);
    }
  });

  it.each([
    ['that lacks one byte', (bytes: Buffer) => bytes.subarray(1), '8388607 bytes'],
    [
      'with the bytes swapped',
      (bytes: Buffer) => bytes.swap16(),
      'values above 4095 in more than 1 % of the pixels',
    ],
  ])('a raw file %s', async (_what, damage, received) => {
    const path = 'All247images/JPCLN002.IMG';
    const raw = files.rawFile(new Uint16Array(2048 * 2048).fill(1000));
    const mask = files.gifFile(16, 'left lung', 'JPCLN002');
    const root = files.folderOf({ [path]: damage(raw), 'lungs/JPCLN002.gif': mask });
    await expect(load(root)).rejects.toMatchObject({
      code: 'IMAGE_UNREADABLE',
      parts: { where: join(root, path), received },
    });
  });

  it('two files that may be the same mask', async () => {
    const root = await each(async (id) => ({
      [`${id}.png`]: await files.greyPng(SIDE, eight(id)),
      [`${id}msk.png`]: await maskPng(id, lungs),
      [`copy/${id}_mask.png`]: await maskPng(id, lungs),
    }));
    await expect(load(root)).rejects.toMatchObject({ code: 'DATASET_INVALID' });
  });

  it('a mask of another shape', async () => {
    const root = await each(async (id) => ({
      [`${id}.png`]: await files.greyPng(SIDE, eight(id)),
      [`${id}msk.png`]: await sharp(await maskPng(id, lungs))
        .resize(SIDE, 32, { fit: 'fill' })
        .png()
        .toBuffer(),
    }));
    await expect(load(root)).rejects.toMatchObject({
      code: 'MASK_SIZE',
      parts: { received: '64 x 32 pixels' },
    });
  });
});

describe('the look-alikes', () => {
  it('are byte for byte what the originals are', async () => {
    const gif = files.gifFile(1024, 'heart', 'JPCLN001');
    expect(gif.subarray(0, 13)).toEqual(Buffer.from([...Buffer.from('GIF89a'), 0, 4, 0, 4, 0xf7, 189, 0]));
    const { data, info } = await sharp(gif).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([1024, 1024]);
    const wanted = Array.from({ length: 256 * 256 }, (_, at) =>
      files.inside('heart', 'JPCLN001', 256, at) ? 255 : 0,
    );
    expect(
      wanted.filter((value, i) => value !== data[1024 * 4 * Math.floor(i / 256) + 4 * (i % 256)]),
    ).toEqual([]);
    expect(new Set(data)).toEqual(new Set([0, 255]));
    const raw = files.rawFile(files.density('JPCLN001', 2048));
    expect(raw.length).toBe(8_388_608);
    expect(raw.readUInt16BE(0)).toBe(400);
  });
});
