import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findFiles, pairFiles, patternSegments } from '../../../core/index.ts';
import { temporaryFolder } from '../../../core/testing/context.ts';

async function tree(...paths: string[]): Promise<string> {
  const root = temporaryFolder();
  for (const path of paths) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), '');
  }
  return root;
}

describe('findFiles', () => {
  it('takes the id from what the star matches', async () => {
    const root = await tree('img/a1.png', 'img/b.png', 'img/note.txt', 'img/deep/c.png', 'other/d.png');
    const found = await findFiles(root, patternSegments('img/*.png'));
    expect([...found].sort()).toEqual([
      ['a1', join(root, 'img/a1.png')],
      ['b', join(root, 'img/b.png')],
    ]);
  });

  it('allows stars in several segments', async () => {
    const root = await tree('p1/img/x.png', 'p2/img/x.png', 'p2/img/y.png');
    const found = await findFiles(root, patternSegments('./*/img/*.png'));
    expect([...found.keys()].sort()).toEqual(['p1_x', 'p2_x', 'p2_y']);
  });

  it('takes every other character literally', async () => {
    const root = await tree('left lung (1)/a+b.png', 'left lung (1)/aab.png');
    expect([...(await findFiles(root, patternSegments('left lung (1)/a+*.png'))).keys()]).toEqual(['b']);
  });

  it('finds nothing where there is no folder', async () => {
    expect((await findFiles('/nowhere', patternSegments('*.png'))).size).toBe(0);
  });

  it('refuses two files of one id', async () => {
    const root = await tree('a/b_c.png', 'a_b/c.png');
    await expect(findFiles(root, patternSegments('*/*.png'))).rejects.toMatchObject({
      code: 'DATASET_INVALID',
    });
  });
});

describe('pairFiles', () => {
  it('orders ids naturally and tells what is alone', () => {
    const files = (...ids: string[]) => new Map(ids.map((id) => [id, `/${id}`]));
    const pairing = pairFiles(
      files('x10', 'x9', 'x01', 'x1', 'lone'),
      files('x1', 'x10', 'x9', 'x01', 'stray2', 'stray10'),
    );
    expect(pairing.pairs.map(({ id }) => id)).toEqual(['x01', 'x1', 'x9', 'x10']);
    expect(pairing.withoutMask).toEqual(['lone']);
    expect(pairing.withoutImage).toEqual(['stray2', 'stray10']);
  });
});
