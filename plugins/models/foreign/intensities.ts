import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { RobustError, type ImageRequest } from '../../../core/index.ts';
import type { ForeignModel, Scale } from './model.ts';
import { misfit, type Notes } from './notes.ts';
import type { ForeignOptions } from './options.ts';

/** Intensities become what the network was trained on: `(x scale - mean) / std`, channel by channel. */
export function normalisation(
  { input, scale: scaleOf }: Pick<ForeignModel, 'input' | 'scale'>,
  request: ImageRequest,
  options: ForeignOptions,
  notes: Notes,
): (x: Tensor4D) => Tensor4D {
  const { mean, std, order } = options;
  const channels = input.channels ?? request.channels;
  for (const list of [mean, std]) {
    if (list.length === 1 || list.length === channels) continue;
    throw misfit(
      'There must be one value, or one for each channel.',
      `1 or ${channels} values`,
      `${list.length} values`,
      "check 'mean' and 'std'",
    );
  }
  const scale =
    options.scale === null ? said(scaleOf(request.domain.high), notes) : parseScale(options.scale);
  const at = (list: readonly number[], channel: number) => list[channel] ?? list[0]!;
  const factor = Float32Array.from({ length: channels }, (_, channel) => scale / at(std, channel));
  const offset = Float32Array.from(
    { length: channels },
    (_, channel) => -at(mean, channel) / at(std, channel),
  );
  const flipped = order === 'bgr' && channels === 3;
  const adapt = channelAdapter(request.channels, channels, notes);
  const shifts = offset.some((value) => value !== 0);
  return (x) => {
    const adapted = adapt(x);
    const ordered = flipped ? tf.reverse(adapted, 3) : adapted;
    const scaled = factor.some((value) => value !== 1) ? tf.mul(ordered, tf.tensor1d(factor)) : ordered;
    return (shifts ? tf.add(scaled, tf.tensor1d(offset)) : scaled) as Tensor4D;
  };
}

function said({ value, reason }: Scale, notes: Notes): number {
  const fraction = value === 1 ? 1 : `1/${Number((1 / value).toPrecision(12))}`;
  const text = `intensities are multiplied by ${fraction}: ${reason} (options scale, mean, std)`;
  notes.push({ text, option: 'scale', value: fraction });
  return value;
}

/** Grey images are shown to a model of three channels three times over; colour ones to a grey model by their luminance. */
function channelAdapter(given: number, wanted: number, notes: Notes): (x: Tensor4D) => Tensor4D {
  if (given === wanted) return (x) => x;
  if (given === 1) {
    notes.push({ text: `grey images are repeated: the model takes ${wanted} channels` });
    return (x) => tf.tile(x, [1, 1, 1, wanted]);
  }
  if (given === 3 && wanted === 1) {
    notes.push({ text: 'colour images are reduced to their luminance: the model takes one channel' });
    const weights = [0.299, 0.587, 0.114];
    return (x) => tf.conv2d(x, tf.tensor4d(weights, [1, 1, 3, 1]), 1, 'valid');
  }
  throw misfit(
    'The model takes another number of channels than the images have.',
    `${wanted} channels`,
    `${given} channels`,
    "check 'layout', and 'channels' of the data set",
  );
}

/** The number that a text such as `1/255` means. */
function parseScale(given: number | string): number {
  const [, above, below] = /^\s*([\d.]+)\s*\/\s*([\d.]+)\s*$/.exec(String(given)) ?? [];
  const value = above === undefined ? Number(given) : Number(above) / Number(below);
  if (Number.isFinite(value) && value !== 0) return value;
  throw new RobustError('CONFIG_INVALID', {
    message: 'This is not a scale.',
    where: 'scale',
    expected: "a number, or a fraction such as '1/255'",
    received: String(given),
  });
}
