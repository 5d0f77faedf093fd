import { describe, expect, test } from 'vitest';
import type { NetworkPlugin } from '../../../core/index.ts';
import type { Network } from '../../../core/models/network.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import cdnn from '../../../plugins/models/cdnn.ts';
import invertednet from '../../../plugins/models/invertednet.ts';
import nlcen from '../../../plugins/models/nlcen/index.ts';
import nwcn from '../../../plugins/models/nwcn/index.ts';
import slsdeep from '../../../plugins/models/slsdeep.ts';
import unet from '../../../plugins/models/unet.ts';
import { defend, outline, request } from '../../core/models/support.ts';

/** Trainable parameters whose names match. */
function count({ model }: Network, names: RegExp): number {
  return model.trainableWeights
    .filter(({ originalName }) => names.test(originalName))
    .reduce((sum, { shape }) => sum + shape.reduce<number>((product, side) => product * side!, 1), 0);
}

/** Parameters of a network at 256 x 256 with NLCE at its taps: those of its own, and of the two parts of the defense. */
function counts(plugin: NetworkPlugin, channels: number, options: object, classes = 2) {
  const names = ['background', 'lungs', 'clavicles', 'heart'].slice(0, classes);
  const wanted = { ...request(256, 256, channels), classes: names };
  const network = outline(plugin, wanted, { ...options }, [defend(nlce)]);
  const nonLocal = count(network, /_nlce_(theta|phi|g|w|w_norm)\//);
  const contextEncoder = count(network, /_nlce_(project|project_norm|encoding|encoding_norm|gate)\//);
  network.dispose();
  return [network.parameters - nonLocal - contextEncoder, nonLocal, contextEncoder];
}

describe('trainable parameters at the width of the papers: of the network, the non-local part, the context encoder', () => {
  test.each([
    ['U-Net', unet, 1, {}, [31_030_658, 2_101_760, 1_067_104]],
    ['InvertedNet', invertednet, 1, {}, [3_140_257, 584, 1_168]],
    ['InvertedNet in colour', invertednet, 3, {}, [3_144_865, 584, 1_168]],
    ['CDNN', cdnn, 1, {}, [5_038_593, 526_592, 542_304]],
    ['CDNN in colour', cdnn, 3, {}, [5_038_881, 526_592, 542_304]],
    ['CDNN without biases', cdnn, 3, { bias: false }, [5_036_417, 526_592, 542_304]],
    ['NWCN', nwcn, 1, {}, [243_424, 2 * 2_192, 2 * 3_264]],
    ['NWCN in colour', nwcn, 3, {}, [244_576, 2 * 2_192, 2 * 3_264]],
    [
      'SLSDeep with normalised class scores',
      slsdeep,
      1,
      { classNorm: true },
      [46_713_668, 8_397_824, 2_116_704],
    ],
    ['SLSDeep in colour', slsdeep, 3, {}, [46_714_818, 8_397_824, 2_116_704]],
    ['NLCEN on ResNet-18', nlcen, 1, {}, [12_936_394, 700_640, 730_304]],
    ['NLCEN on ResNet-50 in colour', nlcen, 3, { backbone: 'resnet50' }, [26_011_466, 11_158_400, 3_866_240]],
  ] as [string, NetworkPlugin, number, object, number[]][])(
    '%s',
    (_, plugin, channels, options, expected) => {
      expect(counts(plugin, channels, options)).toEqual(expected);
    },
  );

  test('InvertedNet with three classes, and the all-dropout variant with four', () => {
    expect(counts(invertednet, 1, { output: 'softmax' }, 3)[0]).toBe(3_140_771);
    expect(counts(invertednet, 1, { output: 'softmax', variant: 'all-dropout' }, 4)[0]).toBe(31_377_988);
  });

  test('the parts of NWCN and of the backbones of NLCEN', () => {
    const stages = outline(nwcn, request(64), {});
    expect(count(stages, /^stage1.*\/kernel/)).toBe(120_672);
    expect(count(stages, /^stage2.*\/kernel/)).toBe(120_960);
    const trunk = (backbone: string) => count(outline(nlcen, request(64, 64, 3), { backbone }), /^conv[1-5]/);
    expect(trunk('resnet18')).toBe(11_176_512);
    expect(trunk('resnet50')).toBe(23_508_032);
  });
});
