import { tensor, tensor1d } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compare, expectClose, makeContext } from '../../../core/testing/index.ts';

await makeContext();

describe('compare', () => {
  it.each([
    ['equal lists', [1, 2], [1, 2]],
    ['nested lists', [[1], [2]], [[1], [2]]],
    ['numbers', 3, 3],
    ['typed arrays and lists', Float32Array.of(1, 2), [1, 2]],
    ['tensors and lists', tensor([[1, 2]]), [[1, 2]]],
    ['tensors and arrays of the same type', tensor1d([1, 2], 'int32'), Int32Array.of(1, 2)],
    ['both zeros', [0], [-0]],
    ['NaN where it is wanted', [NaN, 1], [NaN, 1]],
    ['infinities of one sign', [Infinity, -Infinity], [Infinity, -Infinity]],
    ['nothing and nothing', [], []],
  ])('accepts %s', (_, actual, expected) => {
    expect(compare(actual, expected).pass).toBe(true);
  });

  it.each([
    ['NaN for a number', [NaN], [1]],
    ['a number for NaN', [1], [NaN]],
    ['NaN for infinity', [NaN], [Infinity]],
    ['infinity for NaN', [Infinity], [NaN]],
    ['the other infinity', [Infinity], [-Infinity]],
    ['infinity for a number', [Infinity], [3e38]],
    ['a number for infinity', [3e38], [Infinity]],
  ])('rejects %s, whatever the tolerance', (_, actual, expected) => {
    expect(compare(actual, expected, { rtol: 1e9, atol: 1e9 }).pass).toBe(false);
  });

  it('compares shapes before values', () => {
    expect(compare([[1, 2]], [1, 2]).message).toContain('shape [1,2], expected [2]');
    expect(compare(tensor([1, 2, 3, 4], [2, 2]), [1, 2, 3, 4]).message).toContain(
      'shape [2,2], expected [4]',
    );
    expect(compare([], [1]).pass).toBe(false);
  });

  it('compares types before values', () => {
    const { pass, message } = compare(Float32Array.of(1), Int32Array.of(1));
    expect(pass).toBe(false);
    expect(message).toContain('type float32, expected int32');
  });

  it('is exact unless a tolerance is given', () => {
    expect(compare([1 + 2 ** -52], [1]).pass).toBe(false);
    expect(compare([1.001], [1], { atol: 0.0011 }).pass).toBe(true);
    expect(compare([1001], [1000], { rtol: 1e-3 }).pass).toBe(true);
    expect(compare([1001.1], [1000], { rtol: 1e-3 }).pass).toBe(false);
  });

  it('names the worst value, and the largest absolute and relative differences', () => {
    const { message } = compare(
      [
        [1, 2.5],
        [100, 4],
      ],
      [
        [1, 2],
        [103, 4],
      ],
      { rtol: 0.1 },
    );
    expect(message).toContain('1 of 4 values differ');
    expect(message).toContain('worst at [0,1]: actual 2.5, expected 2');
    expect(message).toContain('absolute 3, relative 0.25');
  });

  it('finds the index of a non-finite value', () => {
    expect(compare([1, 2, NaN], [5, 2, 3]).message).toContain('worst at [2]: actual NaN, expected 3');
  });

  it('refuses ragged lists', () => {
    expect(() => compare([[1], [1, 2]], [[1], [1, 2]])).toThrow('unequal lengths');
  });
});

describe('expectClose and toBeAllClose', () => {
  it('throw with the message of compare', () => {
    expect(() => expectClose([1], [2])).toThrow('worst at [0]: actual 1, expected 2');
    expect(() => expect([1]).toBeAllClose([2])).toThrow('worst at [0]: actual 1, expected 2');
    expect(() => expect([1]).not.toBeAllClose([1])).toThrow('all 1 values agree');
  });

  it('pass where values agree', () => {
    expectClose([1], [1]);
    expect([1.05]).toBeAllClose([1], { atol: 0.1 });
  });
});
