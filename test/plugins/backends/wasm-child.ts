import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D, Variable } from '@tensorflow/tfjs-core';
import { crossEntropy } from '../../../core/gradients/losses.ts';
import { installGradients } from '../../../core/ops/index.ts';
import wasm from '../../../plugins/backends/wasm/index.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, grey, masks, request } from '../../core/models/support.ts';

/** What a process prints: hashes of the bits of one attack step and one training step of a U-Net. */
export interface Digest {
  readonly threads: number;
  readonly device: string;
  /** Of the input gradient, image by image. */
  readonly images: readonly string[];
  readonly training: string;
}

const log = { info: () => undefined, warn: console.warn, debug: () => undefined };

/** Starts the backend, which a process can do once. `order` says which images of five make the batch. */
export async function digest(threads: number): Promise<(order: readonly number[]) => Digest> {
  installGradients();
  const context = { log, signal: new AbortController().signal, cacheDir: '' };
  const { info } = await wasm.start({ threads }, context);
  const network = build(unet, request(48, 48, 3), { width: 1 / 16, depth: 2, dropout: 0 });
  const [pictures, truths] = [grey([5, 48, 48, 3]), masks([5, 48, 48])];
  return (order) =>
    tf.tidy(() => {
      const x = tf.gather(pictures, [...order]);
      const y = tf.gather(truths, [...order]);
      const loss = (image: Tensor) => crossEntropy(network.model.apply(image) as Tensor4D, y);
      const gradient = tf.grad(loss)(x);
      const weights = network.model.trainableWeights.map((weight) => weight.read() as Variable);
      const { value, grads } = tf.variableGrads(() => loss(x), weights);
      const images = tf.unstack(gradient).map((image) => hash([image]));
      return { ...info, images, training: hash([value, ...Object.values(grads)]) };
    });
}

function hash(tensors: readonly Tensor[]): string {
  const sum = createHash('sha256');
  for (const tensor of tensors) sum.update(new Uint8Array((tensor.dataSync() as Float32Array).buffer));
  return sum.digest('hex');
}

const [, script, threads, order] = process.argv;
if (script?.endsWith('wasm-child.ts') && order !== undefined) {
  const run = await digest(Number(threads));
  // No exit: idle threads must not keep the process alive.
  console.log(JSON.stringify(run(order.split(',').map(Number))));
}
