import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../core/index.ts';
import { expectClose } from '../../../core/testing/close.ts';
import { record } from '../../../plugins/backends/tensorflow/capture.ts';
import { fuse } from '../../../plugins/backends/tensorflow/fusion.ts';
import { native, operators, random, run, startNative } from './graphs.ts';

const WINOGRAD = 'RobustWinogradConv2D';

/**
 * The suite for 3x3 convolutions by Winograd's algorithm, with the instructions that `limit`, a value of
 * ONEDNN_MAX_CPU_ISA, allows. A process can have one limit only.
 */
export async function testWinograd(limit: string): Promise<void> {
  process.env['ONEDNN_MAX_CPU_ISA'] = limit;
  const available = await startNative();
  describe.runIf(available)(`convolutions of many channels, ${limit}`, winogradTests);
}

function winogradTests(): void {
  const kernel = (from: number, to: number, seed = 2) => random(seed, [3, 3, from, to]);
  const x = (channels: number, seed = 1) => random(seed, [2, 17, 14, channels]);

  /** Both forms of a step, which must agree but for rounding; the operators of the rewritten one. */
  function compare(step: Step, inputs: Tensor[]): string[] {
    const { graph, outputs } = record(native(), step, inputs);
    const rewritten = fuse(graph, native().binding);
    for (const [i, found] of run(rewritten, inputs).entries()) {
      const size = tf.max(tf.abs(outputs[i]!)).dataSync()[0]!;
      expectClose(found, outputs[i]!, { rtol: 0, atol: 1e-5 * size });
    }
    return operators(rewritten);
  }

  describe.each(['same', 'valid'] as const)('with padding %s', (padding) => {
    it.each([
      [32, 32],
      [48, 80],
      [128, 96],
      [32, 272],
    ])('run as Winograd: %i to %i channels', (from, to) => {
      const weights = kernel(from, to);
      const made = compare((input) => [tf.conv2d(input as Tensor4D, weights, 1, padding)], [x(from)]);
      expect(made).toContain(WINOGRAD);
      expect(made).not.toContain('Conv2D');
    });

    it('as do their input gradients', () => {
      const weights = kernel(128, 96);
      const dy = random(3, [2, 17, 14, 96]);
      const value = (z: Tensor) => tf.conv2d(z as Tensor4D, weights, 1, padding);
      const given = padding === 'same' ? dy : tf.slice(dy, [0, 1, 1, 0], [2, 15, 12, 96]);
      const made = compare((input, g) => [tf.grad(value)(input!, g)], [x(128), given]);
      expect(made).toContain(WINOGRAD);
      expect(made).not.toContain('Conv2DBackpropInput');
    });
  });

  it('join the channels that go in', () => {
    const weights = kernel(80, 64);
    const step: Step = (a, b) => [
      tf.conv2d(tf.concat([a as Tensor4D, b as Tensor4D], 3), weights, 1, 'same'),
    ];
    const made = compare(step, [x(32), x(48, 4)]);
    expect(made).toContain(WINOGRAD);
    expect(made).not.toContain('ConcatV2');
  });

  it('apply bias and ReLU, and the gradient of a ReLU', () => {
    const [first, second, bias] = [
      kernel(32, 48),
      kernel(48, 64, 5),
      tf.randomNormal([48], 0, 20, 'float32', 6),
    ];
    const dy = random(7, [2, 17, 14, 64]);
    const value = (z: Tensor) => {
      const hidden = tf.relu(tf.add(tf.conv2d(z as Tensor4D, first, 1, 'same'), bias));
      return tf.conv2d(hidden as Tensor4D, second, 1, 'same');
    };
    const made = compare((input, g) => [value(input!), tf.grad(value)(input!, g)], [x(32), dy]);
    expect(made.filter((op) => op === WINOGRAD)).toHaveLength(5);
    for (const op of ['Relu', 'ReluGrad', '_FusedConv2D']) expect(made).not.toContain(op);
  });

  it('stay as they are before max pooling, which tells equal neighbours apart', () => {
    const weights = kernel(32, 32);
    const value = (z: Tensor) => tf.maxPool(tf.conv2d(z as Tensor4D, weights, 1, 'same'), 2, 2, 'valid');
    const flat = tf.mul(tf.ones<tf.Rank.R4>([2, 16, 16, 32]), random(8, [1, 1, 1, 32]));
    const dy = random(9, [2, 8, 8, 32]);
    const made = compare((input, g) => [tf.grad(value)(input!, g)], [flat, dy]);
    expect(made.filter((op) => /Conv2D/.test(op))).toEqual(['Conv2D', WINOGRAD]);
  });

  it('compute the same on one thread and on several, to the bit', () => {
    const weights = kernel(64, 96);
    const large = random(9, [3, 61, 70, 64]);
    const { graph } = record(native(), (z) => [tf.conv2d(z as Tensor4D, weights, 1, 'same')], [large]);
    const values = ['1', '2', '5'].map((threads) => {
      process.env['TF_NUM_INTRAOP_THREADS'] = threads;
      return run(fuse(graph, native().binding), [large])[0]!.dataSync();
    });
    delete process.env['TF_NUM_INTRAOP_THREADS'];
    expect(values[1]).toEqual(values[0]);
    expect(values[2]).toEqual(values[0]);
  });

  it('give NaN where NaN goes in', () => {
    const weights = kernel(32, 32);
    const { graph } = record(
      native(),
      (input) => [tf.relu(tf.conv2d(input as Tensor4D, weights, 1, 'same'))],
      [x(32)],
    );
    const [found] = run(fuse(graph, native().binding), [tf.fill([2, 17, 14, 32], NaN)]);
    expect(found!.dataSync().every(Number.isNaN)).toBe(true);
  });
}
