import { describe, expect, test } from 'vitest';
import type { NetworkPlugin } from '../../../core/index.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import cdnn from '../../../plugins/models/cdnn.ts';
import invertednet from '../../../plugins/models/invertednet.ts';
import unet from '../../../plugins/models/unet.ts';
import { build, defend, request } from '../../core/models/support.ts';

/** Trainable parameters of a network at 256 x 256 with NLCE at its taps, and of what the defense added. */
function counts(plugin: NetworkPlugin, channels: number, options: object, classes = 2) {
  const names = ['background', 'lungs', 'clavicles', 'heart'].slice(0, classes);
  const wanted = { ...request(256, 256, channels), classes: names };
  const network = build(plugin, wanted, { ...options }, [defend(nlce)]);
  const sizes = network.model.trainableWeights.map(({ originalName, shape }) => ({
    added: originalName.includes('_nlce_'),
    size: shape.reduce<number>((product, side) => product * side!, 1),
  }));
  const added = sizes.filter((weight) => weight.added).reduce((sum, { size }) => sum + size, 0);
  network.dispose();
  return { without: network.parameters - added, added };
}

describe('trainable parameters at the width of the paper', () => {
  test.each([
    ['U-Net', unet, 1, {}, 31_030_658, 3_168_864],
    ['InvertedNet', invertednet, 1, {}, 3_140_257, 1_752],
    ['InvertedNet in colour', invertednet, 3, {}, 3_144_865, 1_752],
    ['CDNN', cdnn, 1, {}, 5_038_593, 1_068_896],
    ['CDNN in colour', cdnn, 3, {}, 5_038_881, 1_068_896],
    ['CDNN without biases', cdnn, 3, { bias: false }, 5_036_417, 1_068_896],
  ] as [string, NetworkPlugin, number, object, number, number][])(
    '%s',
    (_, plugin, channels, options, without, added) => {
      expect(counts(plugin, channels, options)).toEqual({ without, added });
    },
  );

  test('InvertedNet with three classes, and the all-dropout variant with four', () => {
    expect(counts(invertednet, 1, { output: 'softmax' }, 3).without).toBe(3_140_771);
    expect(counts(invertednet, 1, { output: 'softmax', variant: 'all-dropout' }, 4).without).toBe(31_377_988);
  });
});
