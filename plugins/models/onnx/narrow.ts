import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { types } from './types.ts';

/** A floating-point format with few bits. */
interface Format {
  /** Bits behind the point. */
  readonly mantissa: number;
  /** Smallest exponent of a number with a leading 1. */
  readonly lowest: number;
  readonly largest: number;
  /** What larger values become where they are not cut off. */
  readonly beyond: number;
}

const formats: Readonly<Record<number, Format>> = {
  [types.BFLOAT16]: { mantissa: 7, lowest: -126, largest: 2 ** 127 * (2 - 2 ** -7), beyond: Infinity },
  [types.FLOAT8E4M3FN]: { mantissa: 3, lowest: -6, largest: 448, beyond: NaN },
  [types.FLOAT8E4M3FNUZ]: { mantissa: 3, lowest: -7, largest: 240, beyond: NaN },
  [types.FLOAT8E5M2]: { mantissa: 2, lowest: -14, largest: 57344, beyond: Infinity },
  [types.FLOAT8E5M2FNUZ]: { mantissa: 2, lowest: -15, largest: 57344, beyond: NaN },
  [types.FLOAT4E2M1]: { mantissa: 1, lowest: 0, largest: 6, beyond: 6 },
};

export function isNarrow(type: number): boolean {
  return type in formats;
}

/** Rounds to the nearest number of a narrow format, ties to even; the gradient passes as if nothing happened. */
export function narrow(x: Tensor, type: number, saturate: boolean): Tensor {
  const format = formats[type]!;
  const limit = saturate && type !== types.BFLOAT16 ? format.largest : format.beyond;
  const straight = tf.customGrad((value) => ({
    value: rounded(value as Tensor, format, limit),
    gradFunc: (dy: Tensor) => dy,
  }));
  return straight(x);
}

function rounded(x: Tensor, { mantissa, lowest, largest, beyond }: Format, limit: number): Tensor {
  const size = tf.maximum(tf.abs(x), 2 ** lowest);
  const guess = tf.pow(2, tf.floor(tf.div(tf.log(size), Math.LN2)));
  // The logarithm is not exact beside a power of two.
  const lower = tf.where(tf.greater(guess, size), tf.div(guess, 2), guess);
  const power = tf.where(tf.lessEqual(tf.mul(lower, 2), size), tf.mul(lower, 2), lower);
  const step = tf.mul(power, 2 ** -mantissa);
  const near = tf.mul(tf.round(tf.div(x, step)), step);
  const isBeyond = tf.logicalOr(tf.greater(tf.abs(near), largest), tf.isInf(x));
  const finite = tf.where(isBeyond, tf.mul(tf.sign(x), limit), near);
  // A format without NaN has its largest number in its place.
  return Number.isNaN(beyond) || beyond === Infinity
    ? finite
    : tf.where(tf.isNaN(x), tf.fill(x.shape, beyond), finite);
}
