import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Scalar, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { lossGradient } from '../../../core/gradients/model.ts';
import { resolveOptions, type Context, type ModelPlugin, type Segmenter } from '../../../core/index.ts';
import { engineOf, makeContext } from '../../../core/testing/context.ts';
import { tinyDataset } from '../../../core/testing/toys.ts';
import keras from '../../../plugins/models/keras/index.ts';
import savedmodel from '../../../plugins/models/savedmodel/index.ts';
import tfjs from '../../../plugins/models/tfjs/index.ts';
import { expectAlike } from '../alike.ts';

/** What TensorFlow computes: see fixtures/parity/generate/keras_models.py and saved_models.py. */
interface Golden {
  readonly scale: number;
  readonly image: string;
  readonly weights: string;
  readonly channels: number;
  readonly logits: string;
  readonly gradient: string;
}

const fixture = (path: string) => fileURLToPath(new URL(`../../../fixtures/${path}`, import.meta.url));
const read = (name: string) => JSON.parse(readFileSync(fixture(`parity/${name}`), 'utf8')) as Goldens;
type Goldens = Record<string, Golden>;
const golden = { ...read('keras-models.json'), ...read('saved-models.json') };

const kerasFiles = ['keras2.h5', 'keras2.keras', 'keras3.h5', 'keras3.keras'];

/** Compares logits and input gradients of saved models with those of TensorFlow. */
export function savedModelSuite(backend: string): void {
  const check = (name: string, plugin: ModelPlugin, path: string) =>
    it(path, () => compare(backend, plugin, fixture(path), golden[name]!));
  describe(`saved models on ${backend}`, () => {
    for (const name of ['unet', 'sequential']) {
      for (const ending of kerasFiles) check(name, keras as never as ModelPlugin, `keras/${name}.${ending}`);
    }
    check('sequential', tfjs as never as ModelPlugin, 'tfjs/sequential.layers/model.json');
    check('unet.graph', tfjs as never as ModelPlugin, 'tfjs/unet.graph/model.json');
    for (const name of ['keras3', 'keras2', 'module', 'first'])
      check(name, savedmodel as never as ModelPlugin, `savedmodel/${name}`);
  });
}

async function compare(backend: string, plugin: ModelPlugin, path: string, wanted: Golden): Promise<void> {
  const ctx = await makeContext({ backend });
  const side = Math.sqrt(decode(wanted.image).length / 6);
  const segmenter = await open(ctx, plugin, path, side, wanted);
  const images = (text: string, channels: number) => ctx.tf.tensor4d(decode(text), [2, side, side, channels]);
  const [x, weights] = [images(wanted.image, 3), images(wanted.weights, wanted.channels)];
  const loss = (logits: Tensor4D) => ctx.tf.sum(ctx.tf.mul(logits, weights)) as Scalar;
  const step = (image: unknown) => [
    segmenter.logits(image as Tensor4D),
    lossGradient(segmenter, image as Tensor4D, loss),
  ];
  // As the sweep runs it, compiled where the engine can; the second call is the compiled one.
  const engine = await engineOf(backend);
  const run = engine.compile?.((image) => step(image)) ?? ((image) => step(image));
  run(x);
  const [logits, gradient] = run(x);
  expectAlike(logits!.dataSync(), decode(wanted.logits));
  expectAlike(gradient!.dataSync(), decode(wanted.gradient));
  segmenter.dispose();
}

async function open(
  ctx: Context,
  plugin: ModelPlugin,
  path: string,
  side: number,
  { scale, channels }: Golden,
): Promise<Segmenter> {
  if (!('open' in plugin)) throw new Error('no model with a file');
  const request = {
    ...{ height: side, width: side, channels: 3, classes: ['background', 'foreground', 'other'] },
    domain: { low: 0, high: 255, step: 1 },
    train: tinyDataset().train,
  };
  const classes = request.classes.slice(0, Math.max(2, channels));
  // Of several outputs the masks are scored.
  const output = /keras[23]$/.test(path) ? { output: 'mask' } : {};
  return plugin.open({ ...request, classes }, resolveOptions(plugin, { path, scale, ...output }), ctx);
}

function decode(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}
