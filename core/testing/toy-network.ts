import * as tfl from '@tensorflow/tfjs-layers';
import { connect, scaledNormal, unitRange } from '../layers/index.ts';
import { defineNetwork, type NetworkPlugin } from '../plugin.ts';

/** The smallest network that can be trained and defended: 3x3 convolution, ReLU, the given taps, 1x1 convolution. */
export function toyNetwork(taps: readonly string[] = ['features']): NetworkPlugin {
  return defineNetwork({
    name: 'toy-network',
    summary: 'Two convolutions with taps between them.',
    taps,
    options: {},
    build({ image, domain, classes, seed, tap }) {
      const kernel = scaledNormal(9 * image.shape[3]!, seed());
      const first = tfl.layers.conv2d({
        name: 'first',
        filters: 4,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        kernelInitializer: kernel,
      });
      const features = taps.reduce((x, name) => tap(name, x), connect(first, unitRange(image, domain)));
      const last = tfl.layers.conv2d({
        name: 'last',
        filters: classes.length,
        kernelSize: 1,
        kernelInitializer: scaledNormal(4, seed()),
      });
      return connect(last, features);
    },
  });
}
