import type { Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { tiled } from '../../../../core/models/tiles.ts';
import { expectClose } from '../../../../core/testing/close.ts';
import { floats, longs, sketch, tiny, type Sketch } from './build.ts';
import { open, type Opened } from './open.ts';

/** Grey levels that differ everywhere. */
function noise(n = 2, channels = 3, side = 8): Tensor4D {
  return tf.tensor4d(
    Float32Array.from({ length: n * side * side * channels }, (_, i) => (i * 37) % 251),
    [n, side, side, channels],
  );
}

async function logits(
  sketched: Sketch,
  options = {},
  data: Parameters<typeof open>[2] = {},
  x?: Tensor4D,
): Promise<Opened & { values: number[] }> {
  const opened = await open(sketch(sketched), options, data);
  const values = Array.from(opened.segmenter.logits(x ?? noise(2, data.channels ?? 3)).dataSync());
  return { ...opened, values };
}

/** The logits of the tiny model, which are its first and third channel. */
async function plain(scale = 1 / 255): Promise<number[]> {
  await open(sketch(tiny));
  const [red, , blue] = tf.split(noise(), 3, 3) as [Tensor4D, Tensor4D, Tensor4D];
  return Array.from(tf.mul(tf.concat([red, blue], 3), scale).dataSync());
}

const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 4) as number);

describe('outputs', () => {
  it('that are logits are taken as they are, and said to be', async () => {
    const { values, notes, segmenter } = await logits({
      ...tiny,
      constants: [floats('w', [2, 3, 1, 1], [2, 0, 0, 0, 0, -1])],
    });
    expect(segmenter.channels).toBe(2);
    expect(values.slice(0, 2)).toEqual(close([0, -74 / 255]));
    expect(notes.join()).toContain('taken for logits: it has negative values');
  });

  it.each(['Softmax', 'Sigmoid'])('behind a %s are its logits', async (op) => {
    const nodes = [
      ['Conv', 'x w', 'a'],
      [op, 'a', 'y', op === 'Softmax' ? { axis: 1 } : {}],
    ] as const;
    const { values, notes } = await logits({ ...tiny, nodes });
    expect(values).toEqual(close(await plain()));
    expect(notes.join()).toContain(`attacks work on the logits that 'node 1' (${op}) is given`);
  });

  it('behind a softmax, in another order of axes, are its logits too', async () => {
    const nodes = [
      ['Conv', 'x w', 'a'],
      ['Softmax', 'a', 'b', { axis: 1 }],
      ['Transpose', 'b', 'y', { perm: [0, 2, 3, 1] }],
    ] as const;
    expect((await logits({ ...tiny, nodes })).values).toEqual(close(await plain()));
  });

  it('that are labels of an argmax are what it was given', async () => {
    const nodes = [
      ['Conv', 'x w', 'a'],
      ['ArgMax', 'a', 'y', { axis: 1, keepdims: 0 }],
    ] as const;
    const { values, notes } = await logits({ ...tiny, nodes });
    expect(values).toEqual(close(await plain()));
    expect(notes.join()).toContain('ArgMax');
  });

  it('that are probabilities by their values become logarithms, of one channel or several', async () => {
    const half = [
      ['Conv', 'x w', 'a'],
      ['Softmax', 'a', 'b', { axis: 1 }],
      ['Mul', 'b one', 'y'],
    ] as const;
    const one = floats('one', [1], [1]);
    const { values, notes } = await logits({ ...tiny, nodes: half, constants: [...tiny.constants!, one] });
    const wanted = tf.logSoftmax(tf.tensor(await plain(), [2, 8, 8, 2])).dataSync();
    expect(values).toEqual(close(Array.from(wanted)));
    expect(notes.join()).toContain('taken for probabilities: its values add up to 1');
    const single = [
      ['Conv', 'x w', 'a'],
      ['Sigmoid', 'a', 'b'],
      ['Mul', 'b one', 'y'],
    ] as const;
    const w = floats('w', [1, 3, 1, 1], [1, 0, 0]);
    const got = await logits({ nodes: single, constants: [w, one] });
    expect(got.segmenter.channels).toBe(1);
    expect(got.values.slice(0, 2)).toEqual(close([0, (111 % 251) / 255]));
  });

  it('that are whole numbers are labels without a gradient, said loudly', async () => {
    const nodes = [
      ['Conv', 'x w', 'a'],
      ['ArgMax', 'a', 'b', { axis: 1 }],
      ['Add', 'b zero', 'y'],
    ] as const;
    const { values, notes } = await logits({
      ...tiny,
      nodes,
      constants: [...tiny.constants!, { ...longs('zero', [0]) }],
    });
    expect(new Set(values)).toEqual(new Set([0, 20]));
    expect(notes.join()).toContain('only black-box attacks work');
  });

  it('are chosen by name, and the first one is said to be taken', async () => {
    const nodes = [
      ['Conv', 'x w', 'y'],
      ['Neg', 'y', 'z'],
    ] as const;
    const both = { ...tiny, nodes, outputs: 'y z' };
    expect((await logits(both)).notes.join()).toContain("the first of 2 outputs is scored, 'y'");
    expect((await logits(both, { output: 'z' })).values).toEqual(
      close((await plain()).map((value) => -value)),
    );
    await expect(open(sketch(both), { output: 'w' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('smaller than the image are enlarged', async () => {
    const nodes = [['Conv', 'x w', 'y', { strides: [2, 2] }]] as const;
    const { segmenter, notes } = await logits({ ...tiny, nodes });
    expect(segmenter.logits(noise()).shape).toEqual([2, 8, 8, 2]);
    expect(notes.join()).toContain('logits of 4 x 4 are enlarged');
  });

  it('that do not fit the classes, or are no map, are refused', async () => {
    await expect(open(sketch(tiny), {}, { classes: ['a', 'b', 'c'] })).rejects.toMatchObject({
      code: 'MODEL_SHAPE',
    });
    await expect(open(sketch({ nodes: [['Flatten', 'x', 'y']] }))).rejects.toMatchObject({
      code: 'MODEL_SHAPE',
    });
  });
});

describe('inputs', () => {
  it('may come channels-last', async () => {
    const nodes = [
      ['Transpose', 'x', 'a', { perm: [0, 3, 1, 2] }],
      ['Conv', 'a w', 'y'],
    ] as const;
    const { values, notes } = await logits({ ...tiny, nodes, input: ['N', 'H', 'W', 3] });
    expect(values).toEqual(close(await plain()));
    expect(notes.join()).toContain('channels-last');
  });

  it.each([1, 4])('of a fixed batch of %i are computed in portions', async (batch) => {
    const { values } = await logits({ ...tiny, input: [batch, 3, 8, 8] }, {}, {}, noise(3));
    await open(sketch(tiny));
    const whole = await logits(tiny, {}, {}, noise(3));
    expect(values).toEqual(whole.values);
  });

  it('are computed one at a time where the model holds a batch of 1 inside', async () => {
    const nodes = [
      ['Conv', 'x w', 'a'],
      ['Reshape', 'a s', 'y'],
    ] as const;
    const { values, notes } = await logits({
      ...tiny,
      nodes,
      constants: [...tiny.constants!, longs('s', [1, 2, 8, 8])],
    });
    expect(values).toEqual(close(await plain()));
    expect(notes.join()).toContain('one at a time');
  });

  it('are scaled as the first operators tell, and that is said', async () => {
    const own = [
      ['Div', 'x d', 'a'],
      ['Conv', 'a w', 'y'],
    ] as const;
    const got = await logits({
      ...tiny,
      nodes: own,
      constants: [...tiny.constants!, floats('d', [1], [255])],
    });
    expect(got.values).toEqual(close(await plain()));
    expect(got.notes.join()).toContain('multiplied by 1: the model normalises by itself');
    const unit = [
      ['Sub', 'x d', 'a'],
      ['Conv', 'a w', 'y'],
    ] as const;
    const shifted = await logits({
      ...tiny,
      nodes: unit,
      constants: [...tiny.constants!, floats('d', [1], [0.5])],
    });
    expect(shifted.notes.join()).toContain('from 0 to 1');
    expect((await logits(tiny)).notes.join()).toContain('the file does not tell');
    const bytes = [
      ['Cast', 'x', 'a', { to: 1 }],
      ['Conv', 'a w', 'y'],
    ] as const;
    expect((await logits({ ...tiny, nodes: bytes, type: 2 })).notes.join()).toContain(
      'the input takes whole numbers',
    );
  });

  it('are normalised and reordered as options say', async () => {
    const { values } = await logits(tiny, { scale: '1/2', mean: [1, 2, 3], std: [1, 1, 4], order: 'bgr' });
    // The first channel the model sees is blue, the third red.
    expect(values.slice(0, 2)).toEqual(close([74 / 2 - 1, (0 / 2 - 3) / 4]));
    await expect(open(sketch(tiny), { scale: 'much' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(open(sketch(tiny), { mean: [1, 2] })).rejects.toMatchObject({ code: 'MODEL_SHAPE' });
  });

  it('of another number of channels are adapted, or refused', async () => {
    const grey = await logits(tiny, { scale: 1 }, { channels: 1 });
    expect(grey.values.slice(0, 4)).toEqual([0, 0, 37, 37]);
    const w = floats('w', [2, 1, 1, 1], [1, -1]);
    const colour = await logits({ nodes: tiny.nodes, input: ['N', 1, 8, 8], constants: [w] }, { scale: 1 });
    expect(colour.values[0]).toBeCloseTo(0.587 * 37 + 0.114 * 74, 3);
    await expect(open(sketch(tiny), {}, { channels: 4 })).rejects.toMatchObject({ code: 'MODEL_SHAPE' });
  });

  it.each(['stretch', 'letterbox'])('of another size are brought to that of the model: %s', async (fit) => {
    const small = await logits({ ...tiny, input: ['N', 3, 4, 6] }, { scale: 1, fit });
    expect(small.segmenter.logits(noise()).shape).toEqual([2, 8, 8, 2]);
    expect(small.notes.join()).toContain('the model takes 4 x 6 only');
    const flat = tf.fill([1, 8, 8, 3], 9) as Tensor4D;
    expect(new Set(small.segmenter.logits(flat).dataSync())).toEqual(new Set([9]));
  });

  it('are padded to a multiple, and the logits cropped', async () => {
    const nodes = [
      ['MaxPool', 'x', 'a', { kernel_shape: [3, 3], strides: [3, 3] }],
      [
        'Resize',
        'a - s',
        'b',
        { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      ],
      ['Conv', 'b w', 'y'],
    ] as const;
    const { segmenter } = await logits(
      {
        ...tiny,
        nodes,
        input: ['N', 3, 'H', 'W'],
        constants: [...tiny.constants!, floats('s', [4], [1, 1, 3, 3])],
      },
      { multiple: 3, scale: 1 },
    );
    const got = segmenter.logits(noise(1));
    expect(got.shape).toEqual([1, 8, 8, 2]);
    const flat = noise(1).arraySync()[0]!;
    const wanted = Math.max(...flat.slice(6, 8).flatMap((row) => row.slice(6, 8).map((pixel) => pixel[0]!)));
    expect(got.arraySync()[0]![7]![7]![0]).toBe(wanted);
  });

  it('other than one for images are refused', async () => {
    await expect(open(sketch({ ...tiny, input: ['N', 3] }))).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
    });
  });
});

it('of a fixed size and batch sees larger images through tiles, forward and back', async () => {
  const weights = Array.from({ length: 54 }, (_, i) => Math.sin(i));
  const convolution: Sketch = {
    nodes: [['Conv', 'x w', 'y', { pads: [1, 1, 1, 1] }]],
    constants: [floats('w', [2, 3, 3, 3], weights)],
  };
  const larger = { height: 12, width: 12 };
  const fixed = await open(sketch({ ...convolution, input: [4, 3, 8, 8] }), { kind: 'logits' });
  const free = await open(sketch({ ...convolution, input: ['N', 3, 12, 12] }), { kind: 'logits' }, larger);
  const through = tiled(fixed.segmenter, larger, { size: 8, overlap: 4 });
  for (const count of [4, 3]) {
    const x = noise(count, 3, 12);
    const both = [through, free.segmenter].map(({ logits }) =>
      tf.valueAndGrad((input) => tf.sum(tf.square(logits(input as Tensor4D))))(x),
    );
    expectClose(through.logits(x), free.segmenter.logits(x), { rtol: 1e-4, atol: 1e-4 });
    expectClose(both[0]!.grad, both[1]!.grad, { rtol: 1e-4, atol: 1e-4 });
  }
});

it('has another fingerprint with other weights or options', async () => {
  const fingerprint = async (sketched: Sketch, options = {}) =>
    (await open(sketch(sketched), options)).segmenter.fingerprint;
  const first = await fingerprint(tiny);
  expect(await fingerprint(tiny)).toBe(first);
  expect(await fingerprint(tiny, { scale: 1 })).not.toBe(first);
  expect(await fingerprint({ ...tiny, constants: [floats('w', [2, 3, 1, 1], [1, 0, 0, 0, 0, 2])] })).not.toBe(
    first,
  );
});
