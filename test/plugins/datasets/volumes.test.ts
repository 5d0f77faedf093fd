import {
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  rename,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { IGNORED, loadConfig, resolveOptions, Runner, type DatasetPlugin } from '../../../core/index.ts';
import { temporaryFolder, toyNetwork } from '../../../core/testing/index.ts';
import dicom from '../../../plugins/datasets/dicom.ts';
import mha from '../../../plugins/datasets/mha.ts';
import nifti from '../../../plugins/datasets/nifti.ts';
import nrrd from '../../../plugins/datasets/nrrd.ts';
import { dataContext } from '../../core/images/support.ts';

const volumes = fileURLToPath(new URL('../../../fixtures/volumes/', import.meta.url));
const golden = JSON.parse(
  await readFile(fileURLToPath(new URL('../../../fixtures/parity/volumes.json', import.meta.url)), 'utf8'),
) as { volumes: Record<string, { planes: Record<string, { values: number[]; spacing: number[] }> }> };

type Change = Readonly<Record<string, unknown>>;

const load = (plugin: unknown, root: string, change: Change = {}) => {
  const { load: open, ...rest } = plugin as DatasetPlugin;
  const options = resolveOptions({ ...rest, load: open } as DatasetPlugin, {
    root,
    size: 8,
    testFraction: 1,
    ...change,
  });
  return open(options, dataContext());
};

/** A copy of some fixtures that may be spoilt. */
async function copied(...names: readonly string[]): Promise<string> {
  const root = temporaryFolder();
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await cp(join(volumes, name), join(root, name.split('/').slice(1).join('/')), { recursive: true });
  }
  return root;
}

describe('slices of volumes', () => {
  it('have names, patients, and a spacing that follows the resizing', async () => {
    const data = await load(dicom, join(volumes, 'dicom'));
    expect(data.test.ids.filter((id) => id.startsWith('one'))).toEqual([
      'one/0',
      'one/1',
      'one/2',
      'one/3',
      'one/4',
    ]);
    const { spacing } = await data.test.get(0);
    // 6 rows of 0.75 mm and 9 columns of 0.5 mm become 8 and 8.
    expect(spacing![0]).toBeCloseTo((0.75 * 6) / 8, 12);
    expect(spacing![1]).toBeCloseTo((0.5 * 9) / 8, 12);
    const native = await (await load(dicom, join(volumes, 'dicom'), { scoring: 'native' })).test.get(0);
    expect([native.spacing, native.reference!.shape]).toEqual([
      [0.75, 0.5],
      [6, 9],
    ]);
  });

  it('keep a patient together, and the name of the patient out', async () => {
    const data = await load(dicom, join(volumes, 'dicom'));
    const samples = await Promise.all(data.test.ids.map((_, i) => data.test.get(i)));
    const groups = new Map(samples.map(({ id, group }) => [id.split('/')[0], group]));
    expect(Object.fromEntries(groups)).toEqual({ one: 'one', two: 'one', three: 'three' });
    expect(JSON.stringify([data, samples])).not.toMatch(/P-4711|P-0815|Invented/);
  });

  it('split by patient', async () => {
    const data = await load(dicom, join(volumes, 'dicom'), { testFraction: 0.5 });
    const patients = (ids: readonly string[]) =>
      new Set(ids.map((id) => id.replace(/^two/, 'one').split('/')[0]));
    const [train, test] = [patients(data.train.ids), patients(data.test.ids)];
    expect([...train].filter((patient) => test.has(patient))).toEqual([]);
    expect(data.train.ids.length + data.test.ids.length).toBe(5 + 4 + 5 + 1);
  });

  it.each(['axial', 'coronal', 'sagittal'])(
    'of the %s plane are those of SimpleITK in a window',
    async (plane) => {
      const root = await copied('nifti/images/oblique.nii.gz', 'nifti/masks/oblique.nii.gz');
      const data = await load(nifti, root, { plane, window: [100, 400] });
      const { values } = golden.volumes['nifti/images/oblique.nii.gz']!.planes[plane]!;
      const grey = values.map((value) => Math.min(255, Math.max(0, ((value + 100) / 400) * 255)));
      const mean = async (index: number) => {
        const { image } = await data.test.get(index);
        return image.data.reduce((sum, value) => sum + value, 0) / image.data.length;
      };
      const area = values.length / data.test.ids.length;
      for (const index of data.test.ids.keys()) {
        const own = grey.slice(index * area, (index + 1) * area);
        // Enlarging keeps the mean about where it is.
        expect(
          Math.abs((await mean(index)) - own.reduce((sum, value) => sum + value, 0) / area),
        ).toBeLessThan(12);
      }
    },
  );

  it('may be links', async () => {
    const root = temporaryFolder();
    const series = (await readdir(join(volumes, 'dicom/images/one'))).map(
      (name) => `dicom/images/one/${name}`,
    );
    for (const name of ['nrrd/images/a.nrrd', 'nrrd/masks/a.nrrd', 'dicom/masks/one.nrrd', ...series]) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await symlink(join(volumes, name), join(root, name));
    }
    for (const [plugin, format] of [
      [nrrd, 'nrrd'],
      [dicom, 'dicom'],
    ] as const) {
      const [linked, plain] = [
        await load(plugin, join(root, format)),
        await load(plugin, join(volumes, format)),
      ];
      expect(await linked.test.get(2)).toEqual(await plain.test.get(2));
    }
  });

  it('may have two masks, each in a line of its own', async () => {
    const root = await copied('nrrd/images/a.nrrd', 'nrrd/masks/a.nrrd');
    const content = await readFile(join(root, 'masks/a.nrrd'));
    const start = content.indexOf('\n\n') + 2;
    const blank = gzipSync(Buffer.alloc(gunzipSync(content.subarray(start)).length));
    await writeFile(join(root, 'masks/blank.nrrd'), Buffer.concat([content.subarray(0, start), blank]));
    const lines = ['x,images/a.nrrd,masks/a.nrrd', 'y,images/a.nrrd,masks/blank.nrrd'];
    await writeFile(join(root, 'list.csv'), ['id,image,mask', ...lines].join('\n'));
    const { test } = await load(nrrd, root, { manifest: 'list.csv' });
    const [x, y] = [await test.get(2), await test.get(7)];
    expect([x.id, y.id]).toEqual(['x/2', 'y/2']);
    expect(x.image).toEqual(y.image);
    expect([x, y].map(({ mask }) => mask.data.includes(1))).toEqual([true, false]);
  });

  it('need a window with a width', async () => {
    const attempt = load(nrrd, join(volumes, 'nrrd'), { window: [40, 0] });
    await expect(attempt).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('may be thinned out, and those without foreground left out', async () => {
    const root = join(volumes, 'nrrd');
    expect((await load(nrrd, root, { every: 2 })).test.ids).toEqual(['a/0', 'a/2', 'a/4']);
    const filled = await load(nrrd, root, { skipEmpty: true });
    expect(filled.test.ids).toEqual(['a/1', 'a/2', 'a/3', 'a/4']);
    expect(filled.notes).toEqual(['1 of 5 slices without foreground were left out']);
  });

  it('name the values of masks, and ignore one', async () => {
    const data = await load(mha, join(volumes, 'mha'), { classes: { 1: 'liver' }, ignore: 3 });
    expect(data.classes).toEqual(['background', 'liver']);
    const { mask } = await data.test.get(2);
    expect(new Set(mask.data)).toEqual(new Set([0, 1, IGNORED]));
    await expect(
      load(mha, join(volumes, 'mha'), { classes: { 1: 'liver' } }).then(({ test }) => test.get(2)),
    ).rejects.toMatchObject({ code: 'MASK_VALUES', parts: { expected: 'one of 0, 1', received: '3' } });
  });

  it('take a mask for each class', async () => {
    const root = await copied('nrrd/images/a.nrrd', 'nrrd/masks/a.nrrd', 'mha/masks/a.mha');
    await rename(join(root, 'masks/a.nrrd'), join(root, 'masks/a_box.nrrd'));
    const masks = { box: 'masks/*_box.nrrd', again: 'masks/*.mha' };
    const error = await load(nrrd, root, { masks })
      .then(({ test }) => test.get(1))
      .catch((thrown: unknown) => thrown);
    // The two lie in different places of two random volumes with one geometry.
    expect(error).toMatchObject({ mask: { shape: [8, 8] } });
    const data = await load(nrrd, root, { masks });
    expect(data.classes).toEqual(['background', 'box', 'again']);
    expect(new Set((await data.test.get(1)).mask.data)).toEqual(new Set([0, 2]));
    await expect(load(nrrd, root, { masks, classes: { 1: 'x' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('come from a manifest with its groups and splits', async () => {
    const root = await copied(
      'nrrd/images/a.nrrd',
      'nrrd/masks/a.nrrd',
      'mha/images/a.mha',
      'mha/masks/a.mha',
    );
    await writeFile(
      join(root, 'list.csv'),
      'id,image,mask,group,split\na,images/a.nrrd,masks/a.nrrd,x,train\nb,images/a.mha,masks/a.mha,y,test\n',
    );
    const data = await load(nrrd, root, { manifest: 'list.csv', every: 5 });
    expect([data.train.ids, data.test.ids]).toEqual([['a/0'], ['b/0']]);
    expect([(await data.train.get(0)).group, (await data.test.get(0)).group]).toEqual(['x', 'y']);
  });

  it('are the same wherever the files lie, and whatever the slices of a series are called', async () => {
    const root = await copied('dicom/images/one', 'dicom/masks/one.nrrd');
    const before = await load(dicom, root);
    const sample = await before.test.get(1);
    await rename(join(root, 'images/one/0.dcm'), join(root, 'images/one/IM99'));
    const after = await load(dicom, root);
    expect(after.fingerprint).toBe(before.fingerprint);
    expect(await after.test.get(1)).toEqual(sample);
  });
});

describe('radiographs', () => {
  const films = (change = {}) =>
    load(dicom, join(volumes, 'film'), { images: 'images/*.dcm', masks: 'masks/*.png', ...change });

  it('of MONOCHROME1 are inverted, with their window', async () => {
    const { test } = await films();
    expect(test.ids).toEqual(['bright', 'dark']);
    const [bright, dark] = [await test.get(0), await test.get(1)];
    const sums = bright.image.data.map((value, i) => value + dark.image.data[i]!);
    expect(Math.max(...sums.map((sum) => Math.abs(sum - 255)))).toBeLessThanOrEqual(1);
    expect(new Set(bright.image.data).size).toBeGreaterThan(20);
  });

  it('have pictures for masks, and the spacing of the detector', async () => {
    const { mask, spacing } = await (await films()).test.get(0);
    expect(mask.data.reduce((sum, value) => sum + value, 0)).toBeGreaterThan(8);
    expect(spacing![0]).toBeCloseTo((0.2 * 7) / 8, 12);
  });
});

describe('volumes that cannot be read', () => {
  const failure = async (plugin: unknown, root: string, change: Change = {}) => {
    const data = load(plugin, root, change).then(({ test }) => test.get(0));
    return data.then(() => undefined).catch((error: unknown) => error);
  };
  const written = vi.spyOn(console, 'log');

  it.each([
    [nifti, 'nifti', 'oblique.nii.gz'],
    [nrrd, 'nrrd', 'a.nrrd'],
    [mha, 'mha', 'a.mha'],
  ])('are cut off: %o', async (plugin, format, name) => {
    const root = await copied(`${format}/images/${name}`, `${format}/masks/${name}`);
    const path = join(root, 'images', name);
    await truncate(path, (await readFile(path)).length - 100);
    expect(await failure(plugin, root)).toMatchObject({ code: 'IMAGE_UNREADABLE', parts: { where: path } });
    expect(written).not.toHaveBeenCalled();
  });

  it('are NIfTI files that ITK would fill up with zeros', async () => {
    const root = await copied('nifti/images/oblique.nii.gz', 'nifti/masks/oblique.nii.gz');
    const whole = gunzipSync(await readFile(join(root, 'images/oblique.nii.gz')));
    await writeFile(join(root, 'images/oblique.nii'), whole.subarray(0, -50));
    expect(await failure(nifti, root, { images: 'images/*.nii' })).toMatchObject({
      code: 'IMAGE_UNREADABLE',
      parts: { received: 'a truncated file: 842 of 892 bytes' },
    });
  });

  it.each([
    ['three sides of 30,000', [3, 30_000, 30_000, 30_000], 'IMAGE_TOO_LARGE'],
    ['one slice of 30,000 x 30,000', [3, 30_000, 30_000, 1], 'IMAGE_TOO_LARGE'],
    ['a gigabyte of voxels in a few bytes', [3, 9000, 9000, 3], 'IMAGE_UNREADABLE'],
    ['many axes', [4, 5, 6, 7, 2], 'IMAGE_UNREADABLE'],
    ['a negative side', [3, -5, 8, 8], 'IMAGE_TOO_LARGE'],
  ])('have %s', async (_what, sides, expected) => {
    const root = await copied('nifti/images/oblique.nii.gz', 'nifti/masks/oblique.nii.gz');
    const path = join(root, 'images/oblique.nii.gz');
    const content = gunzipSync(await readFile(path));
    sides.forEach((side, i) => content.writeInt16LE(side, 40 + 2 * i));
    await writeFile(path, gzipSync(content));
    expect(await failure(nifti, root)).toMatchObject({ code: expected });
  });

  it.each([
    [
      'nrrd',
      nrrd,
      'NRRD0004\ntype: short\ndimension: 3\nsizes: 9 6 5\nencoding: raw\ndata file: ../../x\n\n',
    ],
    [
      'mha',
      mha,
      'ObjectType = Image\nNDims = 3\nDimSize = 9 6 5\nElementType = MET_SHORT\nElementDataFile = ../../x\n',
    ],
  ])('keep their voxels in another file: %s', async (format, plugin, header) => {
    const root = await copied(`${format}/images/a.${format}`, `${format}/masks/a.${format}`);
    await writeFile(join(root, `images/a.${format}`), header);
    expect(await failure(plugin, root)).toMatchObject({
      code: 'IMAGE_UNREADABLE',
      parts: { received: expect.stringContaining('../../x') },
    });
  });

  it('are something else under that name', async () => {
    const root = await copied('nifti/images/oblique.nii.gz', 'nifti/masks/oblique.nii.gz');
    await writeFile(join(root, 'images/oblique.nii.gz'), gzipSync(Buffer.alloc(1000, 'x')));
    expect(await failure(nifti, root)).toMatchObject({ parts: { received: 'no NIfTI header' } });
    await writeFile(join(root, 'images/oblique.nii.gz'), 'x');
    expect(await failure(nifti, root)).toMatchObject({ code: 'IMAGE_UNREADABLE' });
  });

  it('unpack to far more than their header says: what is too much is not read', async () => {
    const root = await copied('nifti/images/oblique.nii.gz', 'nifti/masks/oblique.nii.gz');
    const path = join(root, 'images/oblique.nii.gz');
    const content = gunzipSync(await readFile(path));
    await writeFile(path, gzipSync(Buffer.concat([content, Buffer.alloc(2 ** 26)])));
    const before = process.memoryUsage().rss;
    expect(await failure(nifti, root)).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 26);
  });

  it('lie elsewhere than their mask', async () => {
    const root = await copied('nrrd/images/a.nrrd', 'dicom/masks/one.nrrd');
    await rename(join(root, 'masks/one.nrrd'), join(root, 'masks/a.nrrd'));
    expect(await failure(nrrd, root)).toMatchObject({
      code: 'MASK_SIZE',
      parts: { expected: expect.stringContaining('5 slices of 6 x 9, spacing 0.6 x 0.7 x 2 mm') },
    });
  });

  it('are missing, or their masks are', async () => {
    const root = await copied('nrrd/images/a.nrrd', 'nrrd/masks/a.nrrd');
    const manifest = 'list.csv';
    await writeFile(join(root, manifest), 'image,mask\nimages/z.nrrd,masks/a.nrrd\n');
    expect(await failure(nrrd, root, { manifest })).toMatchObject({ code: 'IMAGE_MISSING' });
    await writeFile(join(root, manifest), 'image,mask\nimages/a.nrrd,masks/z.nrrd\n');
    expect(await failure(nrrd, root, { manifest })).toMatchObject({ code: 'MASK_MISSING' });
  });
});

describe('series that cannot be read', () => {
  const spoilt = async (spoil: (root: string) => Promise<unknown>) => {
    const root = await copied('dicom/images/one', 'dicom/masks/one.nrrd');
    await spoil(join(root, 'images/one'));
    const error = await load(dicom, root)
      .then(({ test }) => test.get(0))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'IMAGE_UNREADABLE' });
    return (error as { parts: { received: string } }).parts.received;
  };
  const other = (name: string) => join(volumes, 'dicom/images', name);

  it('lack a slice in the middle', async () => {
    // The files are named 1, 4, 2, 0, 3 from the feet upwards.
    expect(await spoilt((root) => rename(join(root, '2.dcm'), join(root, '.2.dcm')))).toContain('missing');
  });

  it('hold a slice twice', async () => {
    expect(await spoilt((root) => copyFile(join(root, '1.dcm'), join(root, '9.dcm')))).toContain('doubled');
  });

  it('hold another series', async () => {
    expect(await spoilt((root) => copyFile(join(other('three'), '0.dcm'), join(root, '9.dcm')))).toBe(
      '2 series in one folder',
    );
  });

  it('hold what is no DICOM file', async () => {
    expect(await spoilt((root) => writeFile(join(root, 'notes.txt'), 'x'))).toContain('no DICOM file');
  });

  it('hold a file that is cut off', async () => {
    expect(await spoilt((root) => truncate(join(root, '0.dcm'), 860))).toContain('damaged');
  });

  /** Changes a 16-bit number of a tag in a file with explicit value representations. */
  const patched = async (path: string, [group, element]: readonly [number, number], value: number) => {
    const content = await readFile(path);
    const tag = Buffer.from([group & 255, group >> 8, element & 255, element >> 8]);
    content.writeUInt16LE(value, content.indexOf(tag) + 8);
    await writeFile(path, content);
  };

  it('are of more pixels than the file holds', async () => {
    const spoil = (root: string) => patched(join(root, '0.dcm'), [0x28, 0x10], 7);
    expect(await spoilt(spoil)).toBe('7 x 9 pixels in 108 bytes');
  });

  it('are in colour', async () => {
    const spoil = (root: string) => patched(join(root, '0.dcm'), [0x28, 0x02], 3);
    expect(await spoilt(spoil)).toBe('a colour image of 3 samples a pixel');
  });

  it('are of 60,000 x 60,000 pixels', async () => {
    const root = await copied('film/images/dark.dcm', 'film/masks/dark.png');
    for (const element of [0x10, 0x11]) await patched(join(root, 'images/dark.dcm'), [0x28, element], 60_000);
    await expect(load(dicom, root, { images: 'images/*.dcm', masks: 'masks/*.png' })).rejects.toMatchObject({
      code: 'IMAGE_TOO_LARGE',
    });
  });

  it('are compressed in a way that nobody reads', async () => {
    const root = await copied('film/masks/bright.png');
    const images = 'images/*.dcm';
    await mkdir(join(root, 'images'));
    await copyFile(join(volumes, 'other/unknown.dcm'), join(root, 'images/bright.dcm'));
    const data = await load(dicom, root, { images, masks: 'masks/*.png' });
    await expect(data.test.get(0)).rejects.toMatchObject({
      parts: { received: expect.stringContaining('1.2.840.10008.1.2.4.201') },
    });
    await copyFile(join(volumes, 'other/rle.dcm'), join(root, 'images/bright.dcm'));
    const plain = await load(dicom, join(volumes, 'film'), { images, masks: 'masks/*.png' });
    const compressed = await load(dicom, root, { images, masks: 'masks/*.png' });
    expect(await compressed.test.get(0)).toEqual(await plain.test.get(0));
  });

  it('hold several frames in one file', async () => {
    const spoil = (root: string) => copyFile(join(volumes, 'other/frames.dcm'), join(root, '0.dcm'));
    expect(await spoilt(spoil)).toBe('2 frames in one file');
  });
});

describe('a run on DICOM files', () => {
  it('puts no patient field into its folder', async () => {
    const cwd = temporaryFolder();
    const here = (path: string) => new URL(`../../../${path}/`, import.meta.url);
    const dataset = { use: 'dicom', root: join(volumes, 'dicom'), size: 8, testFraction: 0.5 };
    const loaded = await loadConfig({
      cwd,
      presets: here('presets'),
      target: {
        ...{ output: cwd, backend: 'wasm', dataset, eps: [4], limit: 2, batch: 2 },
        ...{ reporters: ['json', 'markdown', 'junit'], metrics: ['dice', 'hd95'], audit: 'off' },
        ...{ subjects: { toy: { model: toyNetwork() } }, training: { epochs: 1, batch: 4 } },
      },
    });
    const runner = new Runner({ ...dataContext(), cwd, bundledPlugins: here('plugins') });
    const report = await runner.run(loaded, { print: () => undefined, columns: 80, colour: false });
    expect(report.rows.every(({ group }) => /^(one|two|three)$/.test(group))).toBe(true);
    const written = await readdir(cwd, { recursive: true, withFileTypes: true });
    const files = written.filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name)).toContain('report.json');
    for (const { parentPath, name } of files) {
      expect(await readFile(join(parentPath, name), 'latin1'), name).not.toMatch(/P-4711|P-0815|Invented/);
    }
  });
});
