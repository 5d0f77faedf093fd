import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Scalar, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, it } from 'vitest';
import { lossGradient } from '../../../core/gradients/model.ts';
import { resolveOptions, type Segmenter } from '../../../core/index.ts';
import { engineOf, makeContext } from '../../../core/testing/context.ts';
import { tinyDataset } from '../../../core/testing/toys.ts';
import onnx from '../../../plugins/models/onnx/index.ts';
import { expectAlike } from '../alike.ts';

/** What PyTorch computes: see fixtures/parity/generate/onnx_networks.py. Tensors are `[N,C,H,W]`. */
interface Golden {
  readonly image: string;
  readonly shape: readonly [number, number, number, number];
  readonly weights: string;
  readonly logits: string;
  readonly gradient: string;
}

const fixture = (path: string) => fileURLToPath(new URL(`../../../fixtures/${path}`, import.meta.url));
const golden = JSON.parse(readFileSync(fixture('parity/onnx-networks.json'), 'utf8')) as Record<
  string,
  Golden
>;

/** Compares logits and input gradients of exported networks with those of PyTorch. */
export function networkSuite(backend: string): void {
  describe(`exported networks on ${backend}`, () => {
    for (const [name, wanted] of Object.entries(golden)) {
      for (const exporter of ['torchscript', 'dynamo']) {
        it(`${name}, by the ${exporter} exporter`, () => compare(backend, `${name}.${exporter}`, wanted));
      }
    }
  });
}

async function compare(backend: string, name: string, wanted: Golden): Promise<void> {
  const ctx = await makeContext({ backend });
  const { tf } = ctx;
  const options = resolveOptions(onnx, { path: fixture(`onnx/${name}.onnx`), scale: '1/255' });
  const request = {
    height: 32,
    width: 32,
    channels: 3,
    classes: ['background', 'foreground'],
    domain: { low: 0, high: 255, step: 1 },
    train: tinyDataset().train,
  };
  const segmenter = await onnx.open(request, options, ctx);
  const image = images(tf, Uint8Array.from(Buffer.from(wanted.image, 'base64')), [2, 3, 32, 32]);
  const weights = images(tf, decode(wanted.weights), wanted.shape);
  const step = (x: unknown) =>
    gradientAndLogits(tf, segmenter, x as Tensor4D, weights, name.startsWith('squeeze'));
  // As the sweep runs it, compiled where the engine can; the second call is the compiled one.
  const engine = await engineOf(backend);
  const run = engine.compile?.((x) => step(x)) ?? ((x) => step(x));
  run(image);
  const [logits, gradient] = run(image);
  expectAlike(logits!.dataSync(), images(tf, decode(wanted.logits), wanted.shape).dataSync());
  expectAlike(gradient!.dataSync(), images(tf, decode(wanted.gradient), [2, 3, 32, 32]).dataSync());
  segmenter.dispose();
}

type Tf = Awaited<ReturnType<typeof makeContext>>['tf'];

/** A softmax that was left out shows: what PyTorch has are logarithms of probabilities. */
function gradientAndLogits(
  tf: Tf,
  segmenter: Segmenter,
  x: Tensor4D,
  weights: Tensor4D,
  normalised: boolean,
): Tensor4D[] {
  const shown = (logits: Tensor4D) => (normalised ? (tf.logSoftmax(logits) as Tensor4D) : logits);
  const loss = (logits: Tensor4D) => tf.sum(tf.mul(shown(logits), weights)) as Scalar;
  return [shown(segmenter.logits(x)), lossGradient(segmenter, x, loss)];
}

function decode(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}

/** `[N,C,H,W]` as `[N,H,W,C]`. */
function images(tf: Tf, values: ArrayLike<number>, shape: readonly number[]): Tensor4D {
  const given = tf.tensor(Float32Array.from(values), [...shape]);
  return tf.transpose(given, [0, 2, 3, 1]) as Tensor4D;
}
