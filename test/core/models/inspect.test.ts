import { describe, expect, test } from 'vitest';
import type { NetworkPlugin } from '../../../core/index.ts';
import type { Defense } from '../../../core/models/network.ts';
import { inspectNetwork } from '../../../core/models/inspect.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import cdnn from '../../../plugins/models/cdnn.ts';
import invertednet from '../../../plugins/models/invertednet.ts';
import nlcen from '../../../plugins/models/nlcen/index.ts';
import nwcn from '../../../plugins/models/nwcn/index.ts';
import slsdeep from '../../../plugins/models/slsdeep.ts';
import unet from '../../../plugins/models/unet.ts';
import { context, defend, optionsOf, request } from './support.ts';

function inspect(plugin: NetworkPlugin, options: object, defenses: Defense[] = [], size = 256, channels = 1) {
  const chosen = optionsOf(plugin, { ...options });
  return inspectNetwork(plugin, chosen, defenses, request(size, size, channels), context());
}

const giga = (description: ReturnType<typeof inspect>) =>
  description.layers.reduce((sum, layer) => sum + layer.multiplyAccumulates!, 0) / 1e9;

// The numbers of the second column are sums over the published layer tables, those of the third over NLCE's formula.
describe('multiply-accumulates at 256 x 256, of the network and of NLCE with all affinities', () => {
  test.each([
    ['unet', unet, {}, 48.1, 0.75],
    ['invertednet', invertednet, {}, 192, 0.02],
    ['nwcn', nwcn, {}, 2 * 0.65, 2 * 0.56],
    ['cdnn', cdnn, {}, 8.5, 0.24],
    ['slsdeep', slsdeep, {}, 46.1, 11.8],
    ['nlcen, ResNet-18', nlcen, {}, 2.9, 1.14 + 0.19 + 0.07 + 0.06],
    ['nlcen, ResNet-50', nlcen, { backbone: 'resnet50' }, 6.4, 5.2 + 1.4 + 0.75 + 0.62],
  ] as [string, NetworkPlugin, object, number, number][])('of %s', (_, plugin, options, own, added) => {
    const bare = giga(inspect(plugin, options));
    expect(Math.abs(bare / own - 1)).toBeLessThan(0.02);
    const all = giga(inspect(plugin, options, [defend(nlce, { subsample: 'never' })]));
    expect(Math.abs(all - bare - added)).toBeLessThan(0.006 + 0.02 * added);
  });
});

test('it lists layers in forward order, with their parameters, the taps and the outputs', () => {
  const { layers, taps, outputs } = inspect(cdnn, { width: 1 / 16 }, [], 32, 3);
  expect(layers[0]).toMatchObject({ name: 'image', type: 'InputLayer', output: [32, 32, 3], trainable: 0 });
  const first = { type: 'Conv2D', output: [32, 32, 1], trainable: 28, fixed: 0 };
  expect(layers).toContainEqual({ name: 'conv1_1', ...first, multiplyAccumulates: 27 * 32 * 32 });
  expect(layers.find(({ name }) => name === 'conv1_2_norm')).toMatchObject({ trainable: 4, fixed: 4 });
  expect(taps).toEqual([{ name: 'bottleneck', shape: [2, 2, 32] }]);
  expect(outputs).toMatchObject([{ type: 'float32', shape: [null, 32, 32, 1] }]);
});
