import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { TrainingConfig } from '../../../core/config/types.ts';
import { crossEntropy } from '../../../core/gradients/losses.ts';
import { dropout } from '../../../core/layers/index.ts';
import { makeRandom } from '../../../core/random.ts';
import type { Trainable } from '../../../core/training/step.ts';
import type { TrainingRequest } from '../../../core/training/trainer.ts';
import type { Dataset, Logger, Sample, Split } from '../../../core/vocabulary.ts';

export const SIZE = 8;
export const domain = { low: 0, high: 255, step: 1 };

export const config: TrainingConfig = {
  epochs: 4,
  batch: 3,
  learningRate: 0.02,
  minLearningRate: 0.001,
  factor: 0.9,
  schedule: 'plateau',
  patience: 10,
  weightDecay: 1e-4,
  flips: true,
  rotation: 10,
  freeze: [],
  validation: 0,
  stopAfter: null,
  keep: 'last',
};

/** A bright rectangle on noise. */
export function sample(index: number): Sample {
  const random = makeRandom(7)('sample', index);
  const mask = new Uint8Array(SIZE * SIZE);
  const [top, left] = [random.below(4), random.below(4)];
  for (let y = top; y < top + 4; y++) mask.fill(1, y * SIZE + left, y * SIZE + left + 4);
  const data = Float32Array.from(mask, (inside) => random.below(100) + (inside ? 120 : 0));
  return {
    id: `s${index}`,
    image: { shape: [SIZE, SIZE, 1], data },
    mask: { shape: [SIZE, SIZE], data: mask },
  };
}

export function split(count: number, get: (index: number) => Sample = sample): Split {
  const ids = Array.from({ length: count }, (_, index) => `s${index}`);
  return { ids, get: (index) => Promise.resolve(get(index)) };
}

export function dataset(count = 7, train = split(count)): Dataset {
  const classes = ['background', 'square'];
  const shape = { height: SIZE, width: SIZE, channels: 1, domain, classes };
  return { ...shape, train, test: split(0), fingerprint: `squares-${count}`, notes: [] };
}

/** Convolution, batch norm, dropout, convolution: every kind of state that a training has. */
export function tinyNetwork({ rate = 0.2, seed = 1 } = {}): Trainable {
  const conv = (name: string, filters: number) => {
    const kernelInitializer = tfl.initializers.glorotNormal({ seed });
    return tfl.layers.conv2d({ name, filters, kernelSize: 3, padding: 'same', kernelInitializer });
  };
  const image = tfl.input({ name: 'image', shape: [SIZE, SIZE, 1] });
  const layers = [
    tfl.layers.rescaling({ name: 'scale', scale: 1 / 255 }),
    conv('first', 4),
    tfl.layers.batchNormalization({ name: 'norm', momentum: 0.9 }),
    tfl.layers.reLU({ name: 'relu' }),
    ...(rate > 0 ? [dropout({ name: 'drop', rate, seed })] : []),
    conv('last', 2),
  ];
  const logits = layers.reduce((x, layer) => layer.apply(x) as SymbolicTensor, image);
  const model = tfl.model({ name: 'tiny', inputs: image, outputs: logits });
  return { model, loss: ([out], masks) => tf.div(crossEntropy(out!, masks), masks.size) };
}

export function logger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const log = (message: string) => void lines.push(message);
  return { lines, info: log, warn: log, debug: () => undefined };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'robust-training-'));
}

export function request(
  overrides: Partial<TrainingRequest> = {},
): TrainingRequest & { log: ReturnType<typeof logger> } {
  const dir = temporaryFolder();
  return {
    network: tinyNetwork(),
    dataset: dataset(),
    config,
    seed: 5,
    checkpointDir: join(dir, 'checkpoint'),
    weightsDir: join(dir, 'weights'),
    signal: new AbortController().signal,
    ...overrides,
    log: logger(),
  };
}

/** All weights of a model, one after the other. */
export function weightsOf({ model }: Trainable): number[] {
  return model.getWeights().flatMap((weight) => [...weight.dataSync()]);
}
