import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { AttackPlugin, Sample, Segmenter } from '../../core/index.ts';
import { makeContext } from '../../core/testing/index.ts';
import { attack } from '../plugins/attacks/support.ts';
import cospgd from '../../plugins/attacks/cospgd.ts';
import ifgsm from '../../plugins/attacks/ifgsm.ts';
import mifgsm from '../../plugins/attacks/mi-fgsm.ts';
import pgd from '../../plugins/attacks/pgd.ts';
import segpgd from '../../plugins/attacks/segpgd.ts';

interface Golden {
  readonly side: number;
  readonly eps: number;
  readonly steps: number;
  readonly first: number[];
  readonly second: number[];
  readonly image: number[];
  readonly mask: number[];
  readonly attacks: Readonly<Record<string, number[]>>;
}

// How the numbers came to be: fixtures/parity/generate/attacks.py and the provenance inside the file.
const path = new URL('../../fixtures/parity/attacks.json', import.meta.url);
const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
const { side, eps, steps, attacks } = golden;
const { tf } = await makeContext();

const first = tf.tensor4d(golden.first, [3, 3, 1, 4]);
const second = tf.tensor4d(golden.second, [3, 3, 4, 2]);
const segmenter: Segmenter = {
  ...{ channels: 2, fingerprint: 'golden', dispose: () => tf.dispose([first, second]) },
  logits: (x) =>
    tf.tidy(() => tf.conv2d(tf.tanh(tf.conv2d(tf.sub(x, 128), first, 1, 'same')), second, 1, 'same')),
};
const sample: Sample = {
  id: 'golden',
  image: { shape: [side, side, 1], data: Float32Array.from(golden.image) },
  mask: { shape: [side, side], data: Uint8Array.from(golden.mask) },
};

const projected = { steps, randomStart: false };
const cases: [AttackPlugin, Record<string, unknown>][] = [
  [ifgsm as never, {}],
  [mifgsm as never, {}],
  [pgd as never, projected],
  [segpgd as never, projected],
  [cospgd as never, projected],
];

it.each(cases)('$name makes the images that a loop in PyTorch makes', async (plugin, options) => {
  const { images } = await attack(plugin, options, { segmenter, samples: [sample], eps: [eps] });
  expect([...images.get(eps)!]).toEqual(attacks[plugin.name]);
});
