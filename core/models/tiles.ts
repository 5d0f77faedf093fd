import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { RobustError } from '../errors/index.ts';
import type { Segmenter } from '../vocabulary.ts';

/** How large images are cut for a model of fixed size. */
export interface Tile {
  /** Rows and columns of what the model sees. */
  readonly size: number;
  /** Pixels that neighbours share at least. */
  readonly overlap: number;
}

/** A tile along one axis: it starts at `start`, and its logits count from `from` up to, but without, `to`. */
interface Stretch {
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/**
 * A segmenter for images that are larger than what a model sees. Each pixel's logits come from the one tile in which
 * it lies farthest from the edge: where a pixel's logits depend on less than half the overlap around it, and tiles
 * start at multiples of the model's stride, they are those of the untiled model. Gradients flow through all tiles.
 * The model sees one tile of every image of the batch at a time, so its batch size does not change.
 *
 * @throws RobustError CONFIG_INVALID when a tile is larger than the image, or not larger than the overlap.
 */
export function tiled(
  model: Segmenter,
  { height, width }: { readonly height: number; readonly width: number },
  tile: Tile,
): Segmenter {
  checkTile(tile, height, width);
  const [rows, columns] = [stretches(height, tile), stretches(width, tile)];
  const part = (x: Tensor4D, row: Stretch, column: Stretch) => {
    const seen = tf.slice(x, [0, row.start, column.start, 0], [-1, tile.size, tile.size, -1]);
    const logits = model.logits(seen);
    const from = [0, row.from - row.start, column.from - column.start, 0];
    return tf.slice(logits, from, [-1, row.to - row.from, column.to - column.from, -1]);
  };
  const identity = JSON.stringify([model.fingerprint, 'tiles', height, width, tile.size, tile.overlap]);
  return {
    ...model,
    fingerprint: createHash('sha256').update(identity).digest('hex'),
    logits: (x) =>
      tf.tidy(() => {
        const strip = (row: Stretch) =>
          tf.concat(
            columns.map((column) => part(x, row, column)),
            2,
          );
        return tf.concat(rows.map(strip), 1);
      }),
    dispose: () => model.dispose(),
  };
}

/** Tiles that cover an axis; the last one ends where the axis does. */
function stretches(length: number, { size, overlap }: Tile): Stretch[] {
  const count = 1 + Math.ceil((length - size) / (size - overlap));
  const starts = Array.from({ length: count }, (_, i) => Math.min(i * (size - overlap), length - size));
  // Neighbours meet in the middle of what they share.
  const bounds = starts.map((start, i) => (i === 0 ? 0 : Math.ceil((starts[i - 1]! + size + start) / 2)));
  return starts.map((start, i) => ({ start, from: bounds[i]!, to: bounds[i + 1] ?? length }));
}

function checkTile({ size, overlap }: Tile, height: number, width: number): void {
  if (size <= Math.min(height, width) && overlap < size) return;
  throw new RobustError('CONFIG_INVALID', {
    message: 'The tiles do not fit the images.',
    where: 'subjects.*.tile',
    expected: `a size of at most ${Math.min(height, width)}, and an overlap below the size`,
    received: `size ${size}, overlap ${overlap}`,
    next: 'choose smaller tiles, or a larger `size` of the data set',
  });
}
