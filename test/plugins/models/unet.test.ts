import { expect, test } from 'vitest';
import unet from '../../../plugins/models/unet.ts';
import { build, request } from '../../core/models/support.ts';

/** A count is a polynomial of degree 2 in the width: three narrow networks give that of the full one exactly. */
function fullCount(channels: number, options: object): number {
  const [one, two, three] = [1, 2, 3].map((width) => {
    const network = build(unet, request(16, 16, channels), { ...options, width: width / 64 });
    network.dispose();
    return network.parameters;
  }) as [number, number, number];
  return one + 63 * (two - one) + 63 * 31 * (three - 2 * two + one);
}

test.each([
  [1, 'softmax', 31_030_658],
  [3, 'softmax', 31_031_810],
  [1, 'sigmoid', 31_030_593],
  [3, 'sigmoid', 31_031_745],
])('%i image channels and %s output have %i parameters', (channels, output, parameters) => {
  expect(fullCount(channels, { output })).toBe(parameters);
});

test('its layers have the shapes of the table', () => {
  const { model, taps } = build(unet, request(64, 32), { width: 1 / 32 });
  const shape = (name: string) => model.getLayer(name).outputShape;
  expect(shape('enc1_2')).toEqual([null, 64, 32, 2]);
  expect(shape('enc4_2')).toEqual([null, 8, 4, 16]);
  expect(shape('dropout5')).toEqual([null, 4, 2, 32]);
  expect(shape('concat4')).toEqual([null, 8, 4, 32]);
  expect(shape('dec1_1')).toEqual([null, 64, 32, 2]);
  expect(shape('logits')).toEqual([null, 64, 32, 2]);
  expect(taps).toEqual(['bottleneck']);
  const rectified = model.layers.filter((layer) => /^(enc|dec)/.test(layer.name));
  expect(rectified.map((layer) => layer.getConfig()['activation'])).toEqual(Array(18).fill('relu'));
});

test('a size that the poolings do not divide is refused, with a size that works', () => {
  const attempt = () => build(unet, request(100, 64));
  expect(attempt).toThrow(expect.objectContaining({ code: 'MODEL_SHAPE' }));
  expect(attempt).toThrow(/divisible by 16[^]*100 x 64[^]*96 x 64/);
  expect(build(unet, request(100, 64), { width: 1 / 64, depth: 2 }).channels).toBe(2);
});

test('dropout at rate 0 leaves no layer that draws random numbers', () => {
  const names = (dropout: number) =>
    build(unet, request(16), { width: 1 / 64, dropout }).model.layers.map(({ name }) => name);
  expect(names(0)).toEqual(names(0.5).filter((name) => name !== 'dropout5'));
  expect(names(0.5)).toContain('dropout5');
});

test('with batch normalisation in place of biases it has the 31,037,698 parameters of a common version', () => {
  expect(fullCount(3, { norm: true })).toBe(31_037_698);
});
