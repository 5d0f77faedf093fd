import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

type Conv2DArgs = Parameters<typeof tfl.layers.conv2d>[0];
type Standard = Pick<tfl.layers.Layer, 'call'> & { new (args: Conv2DArgs): StandardConv2D };

/** The fields of the standard layer that its subclass reads; tf.layers exports no class of its own. */
interface StandardConv2D extends tfl.layers.Layer {
  readonly kernel: tfl.LayerVariable;
  readonly bias: tfl.LayerVariable | null;
  readonly activation: { getClassName(): string };
  readonly strides: [number, number];
  readonly padding: 'same' | 'valid';
}

const probe = tfl.layers.conv2d({ filters: 1, kernelSize: 1, name: 'probe' });
const Standard = probe.constructor as unknown as Standard;

/**
 * The standard Conv2D (and saved as one), except that a linear one takes the unfused operators under a gradient:
 * the gradient of the fused operator always computes the filter gradient, which an attack does not want.
 */
class LazyConv2D extends Standard {
  override call(
    inputs: Tensor | Tensor[],
    kwargs: Parameters<tfl.layers.Layer['call']>[1],
  ): Tensor | Tensor[] {
    if (this.activation.getClassName() !== 'linear' || tf.engine().state.gradientDepth === 0) {
      return super.call(inputs, kwargs);
    }
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as Tensor4D;
      const y = tf.conv2d(x, this.kernel.read() as Tensor4D, this.strides, this.padding);
      return this.bias === null ? y : tf.add(y, this.bias.read());
    });
  }
}

/**
 * A convolution layer `[N,H,W,Cin]` to `[N,H',W',filters]` whose filter gradient is computed only when it is asked
 * for. Takes the arguments of `tf.layers.conv2d` except dilations, whose gradient TensorFlow.js refuses.
 */
export function conv2d(args: Omit<Conv2DArgs, 'dilationRate' | 'dataFormat'>): tfl.layers.Layer {
  return new LazyConv2D(args);
}
