import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { crossEntropy, type NetworkPlugin } from '../../core/index.ts';
import type { Network } from '../../core/models/network.ts';
import { installGradients } from '../../core/ops/index.ts';
import { outputsOf } from '../../core/training/step.ts';
import cdnn from '../../plugins/models/cdnn.ts';
import invertednet from '../../plugins/models/invertednet.ts';
import nlcen from '../../plugins/models/nlcen/index.ts';
import nwcn from '../../plugins/models/nwcn/index.ts';
import slsdeep from '../../plugins/models/slsdeep.ts';
import { build, request } from '../core/models/support.ts';

interface Packed {
  readonly shape: number[];
  readonly data: string;
}
interface Case {
  readonly network: keyof typeof networks;
  readonly channels: number;
  readonly options: object;
  readonly logits: Packed;
  readonly loss: number;
  readonly inputGradient: Packed;
}

// How the numbers came to be: fixtures/parity/generate/architectures.py and the provenance inside the file.
const path = new URL('../../fixtures/parity/architectures.json', import.meta.url);
const { cases, provenance } = JSON.parse(readFileSync(path, 'utf8')) as {
  cases: Record<string, Case>;
  provenance: { size: [number, number, number] };
};
const networks = { cdnn, invertednet, nlcen, nwcn, slsdeep } satisfies Record<string, NetworkPlugin>;
const [batch, height, width] = provenance.size;

/** The numbers in [0, 1) that the generator makes of the same name. */
function uniform(name: string, size: number): Float64Array {
  let seed = 0x811c9dc5;
  for (const byte of Buffer.from(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float64Array.from({ length: size }, (_, i) => {
    let x = (Math.imul(i, 0x9e3779b9) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
  });
}

function weight(name: string, shape: number[]): Tensor {
  const size = shape.reduce((product, side) => product * side, 1);
  const reach = Math.sqrt(6 / (size / shape.at(-1)!));
  const maps: Record<string, (u: number) => number> = {
    kernel: (u) => (2 * u - 1) * reach,
    gamma: (u) => 0.5 + u,
    moving_variance: (u) => 0.5 + u,
    bias: (u) => 0.1 * u,
  };
  const map = maps[name.split('/').at(-1)!] ?? ((u: number) => 0.2 * (u - 0.5));
  return tf.tensor(Float32Array.from(uniform(name, size), map), shape);
}

function fill({ model }: Network): void {
  const entries = model.weights.map(({ originalName, shape }) => [
    originalName,
    weight(originalName, shape as number[]),
  ]);
  model.loadWeights(Object.fromEntries(entries) as Record<string, Tensor>);
}

function unpack({ shape, data }: Packed): Float32Array {
  const values = new Float32Array(new Uint8Array(Buffer.from(data, 'base64')).buffer);
  expect(values).toHaveLength(shape.reduce((product, side) => product * side, 1));
  return values;
}

beforeAll(installGradients);

const largest = (values: Float32Array) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);

describe.each(Object.entries(cases))('%s agrees with PyTorch', (_, golden) => {
  const network = build(networks[golden.network], request(height, width, golden.channels), {
    ...golden.options,
    ...('dropout' in networks[golden.network].options && { dropout: 0 }),
  });
  fill(network);
  const shape: [number, number, number, number] = [batch, height, width, golden.channels];
  const levels = uniform('image', tf.util.sizeFromShape(shape)).map((u) => Math.floor(256 * u));
  const image = tf.tensor4d(Float32Array.from(levels), shape);
  const truth = Int32Array.from(uniform('masks', batch * height * width), (u) => Number(u > 0.5));
  const masks = tf.tensor3d(truth, [batch, height, width], 'int32');
  const outputs = (x: Tensor4D) => outputsOf(network.model, x, false);

  test('in its logits and its loss', () => {
    const [wanted, all] = [unpack(golden.logits), outputs(image)];
    expect(all[0]!.shape).toEqual(golden.logits.shape);
    const got = all[0]!.dataSync<'float32'>();
    const range = Math.max(...wanted) - Math.min(...wanted);
    expect(range).toBeGreaterThan(0.1);
    expect(largest(got.map((value, i) => value - wanted[i]!)) / range).toBeLessThan(1e-4);
    expect(network.loss(all, masks as Tensor3D).dataSync()[0]! / golden.loss).toBeCloseTo(1, 5);
  });

  test('in its input gradient, and in its sign wherever that is above rounding', () => {
    const wanted = unpack(golden.inputGradient);
    const gradient = tf.grad((x) => crossEntropy(outputs(x as Tensor4D)[0]!, masks as Tensor3D))(image);
    const got = gradient.dataSync<'float32'>();
    const above = [...wanted.keys()].filter((i) => Math.abs(wanted[i]!) > 1e-5 * largest(wanted));
    const agreeing = above.filter((i) => Math.sign(wanted[i]!) === Math.sign(got[i]!));
    expect(above.length / wanted.length).toBeGreaterThan(0.5);
    expect(agreeing.length / above.length).toBeGreaterThanOrEqual(0.999);
    expect(largest(got.map((value, i) => value - wanted[i]!)) / largest(wanted)).toBeLessThan(1e-4);
  });
});
