import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sliceGrid, type Plane } from '../../plugins/datasets/volume/geometry.ts';
import { openVolume } from '../../plugins/datasets/volume/volume.ts';

// How the numbers came to be: fixtures/parity/generate/volumes.py and the provenance inside the file.

interface Golden {
  readonly size: readonly number[];
  readonly spacing: readonly number[];
  readonly origin: readonly number[];
  readonly direction: readonly number[];
  readonly planes: Readonly<Record<Plane, Slices>>;
}

interface Slices {
  /** Slices, rows, columns. */
  readonly shape: readonly [number, number, number];
  readonly spacing: readonly number[];
  readonly values: readonly number[];
}

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const golden = JSON.parse(readFileSync(`${fixtures}parity/volumes.json`, 'utf8')) as {
  volumes: Record<string, Golden>;
};

/** NIfTI stores its geometry in single precision, and SimpleITK and ITK in WebAssembly round differently. */
function near(found: readonly number[], expected: readonly number[], tolerance = 1e-5): void {
  expect(found).toHaveLength(expected.length);
  const worst = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst).toBeLessThan(tolerance);
}

describe.each(Object.entries(golden.volumes))('%s', (name, expected) => {
  const open = () => openVolume(`${fixtures}volumes/${name}`, 'IMAGE_MISSING');

  it('lies where SimpleITK says', async () => {
    const { geometry } = await open();
    expect(geometry.size).toEqual(expected.size);
    near(geometry.spacing, expected.spacing);
    near(geometry.direction, expected.direction);
    near(geometry.origin, expected.origin, 1e-4);
  });

  it('has the slices of SimpleITK', async () => {
    const volume = await open();
    const voxels = await volume.voxels();
    for (const [plane, { shape, spacing, values }] of Object.entries(expected.planes)) {
      const { slices, rows, columns, ...grid } = sliceGrid(volume.geometry, plane as Plane);
      expect([slices, rows, columns], plane).toEqual(shape);
      near(grid.spacing, spacing);
      const found = values.map(
        (_, i) =>
          voxels[grid.at(Math.floor(i / rows / columns), Math.floor(i / columns) % rows, i % columns)],
      );
      expect(found, plane).toEqual(values);
    }
  });
});
