import { expect, test } from 'vitest';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, defend, request } from '../../core/models/support.ts';

test.each([
  [1, 'softmax', 31_030_658],
  [3, 'softmax', 31_031_810],
  [1, 'sigmoid', 31_030_593],
  [3, 'sigmoid', 31_031_745],
])('%i image channels and %s output have %i parameters', (channels, output, parameters) => {
  // A count is a polynomial of degree 2 in the width: three narrow networks give that of the full one exactly.
  const [one, two, three] = [1, 2, 3].map((width) => {
    const network = build(unet, request(16, 16, channels), { output, width });
    network.dispose();
    return network.parameters;
  }) as [number, number, number];
  const [slope, bend] = [two - one, (three - 2 * two + one) / 2];
  expect(one + 63 * slope + 63 * 62 * bend).toBe(parameters);
});

test('at full width and with NLCE it has 34,199,522 parameters', () => {
  const network = build(unet, request(256), {}, [defend(nlce)]);
  expect(network.parameters).toBe(31_030_658 + 3_168_864);
  network.dispose();
});

test('its layers have the shapes of the table', () => {
  const { model, taps } = build(unet, request(64, 32), { width: 2 });
  const shape = (name: string) => model.getLayer(name).outputShape;
  expect(shape('enc1_2')).toEqual([null, 64, 32, 2]);
  expect(shape('enc4_2')).toEqual([null, 8, 4, 16]);
  expect(shape('dropout')).toEqual([null, 4, 2, 32]);
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
  expect(build(unet, request(100, 64), { width: 1, depth: 2 }).channels).toBe(2);
});

test('dropout at rate 0 leaves no layer that draws random numbers', () => {
  const names = (dropout: number) =>
    build(unet, request(16), { width: 1, dropout }).model.layers.map(({ name }) => name);
  expect(names(0)).toEqual(names(0.5).filter((name) => name !== 'dropout'));
  expect(names(0.5)).toContain('dropout');
});
