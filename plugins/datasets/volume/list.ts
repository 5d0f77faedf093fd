import { resolve } from 'node:path';
import { RobustError, type Labels } from '../../../core/index.ts';
import { namedClasses } from '../listing/classes.ts';
import { readManifest } from '../listing/manifest.ts';
import { findPairs } from '../listing/patterns.ts';

/** An image and its masks: one with all classes, or one for each. */
export interface VolumeFiles {
  readonly id: string;
  readonly group?: string;
  readonly split?: 'train' | 'test';
  readonly image: string;
  readonly masks: readonly string[];
}

/** Where the files are, and what the values of their masks mean. */
export interface Listing {
  readonly dir: string;
  readonly images: string;
  readonly masks: string | Readonly<Record<string, string>>;
  readonly manifest: string | null;
  readonly allowPartial: boolean;
  readonly classes: Readonly<Record<string, string>> | null;
  readonly ignore: string | number | null;
}

/** The volumes of a data set, and its classes. */
export interface Listed {
  readonly volumes: readonly VolumeFiles[];
  readonly classes: readonly string[];
  /** Class by mask value; without it each mask file is one class. */
  readonly labels?: Labels;
  readonly notes: readonly string[];
}

/** @throws RobustError CONFIG_INVALID, DATASET_EMPTY, DATASET_INVALID, MASK_MISSING, MASK_WITHOUT_IMAGE. */
export async function listVolumes(listing: Listing): Promise<Listed> {
  const { dir, images, masks, manifest, classes: names, allowPartial } = listing;
  if (typeof masks === 'string' || manifest !== null) {
    const { pairs, notes } =
      manifest === null
        ? await findPairs(dir, { images, masks: masks as string }, allowPartial)
        : { pairs: await readManifest(resolve(dir, manifest)), notes: [] };
    const volumes = pairs.map(({ mask, spacing: _, ...pair }) => ({ ...pair, masks: [mask] }));
    return {
      volumes,
      notes,
      ...(names ? namedClasses(names, listing.ignore) : { classes: ['background', 'foreground'] }),
    };
  }
  if (names) throw twice();
  const found = await Promise.all(
    Object.values(masks).map((pattern) => findPairs(dir, { images, masks: pattern }, allowPartial)),
  );
  const byId = found.map(({ pairs }) => new Map(pairs.map((pair) => [pair.id, pair])));
  const whole = found[0]!.pairs.filter(({ id }) => byId.every((pairs) => pairs.has(id)));
  const volumes = whole.map(({ id, image }) => ({
    id,
    image,
    masks: byId.map((pairs) => pairs.get(id)!.mask),
  }));
  const notes = new Set(found.flatMap((each) => each.notes));
  return { volumes, classes: ['background', ...Object.keys(masks)], notes: [...notes] };
}

function twice(): RobustError {
  return new RobustError('CONFIG_INVALID', {
    message: 'The classes are named twice.',
    where: 'dataset.classes',
    expected: '`masks` with a pattern for each class, or one pattern and `classes` by mask value',
    received: 'both',
    next: 'leave one of the two out',
  });
}
