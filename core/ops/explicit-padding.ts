import * as tf from '@tensorflow/tfjs-core';
import type { KernelConfig, NamedAttrMap, Tensor, Tensor4D } from '@tensorflow/tfjs-core';

type Size4D = [number, number, number, number];
type Pads = [number, number][];
type Inputs = Record<string, Tensor>;
type Run = (inputs: Inputs, attrs: NamedAttrMap) => Tensor;
/** Computes with explicit pads what `run`, which takes none, computes with `valid` padding. */
type Padded = (run: Run, inputs: Inputs, attrs: NamedAttrMap, pads: Pads) => Tensor;

/**
 * Lets a backend whose convolution and pooling kernels know only `same` and `valid` padding take amounts of padding
 * as well, forward and backward, by padding the input and cropping its gradient. A backend plugin calls it when it
 * starts, once per process.
 */
export function padExplicitly(backendName: string): void {
  for (const [kernelName, padded] of Object.entries(kernels)) {
    const config = tf.getKernel(kernelName, backendName) as KernelConfig | undefined;
    if (!config) continue;
    tf.unregisterKernel(kernelName, backendName);
    tf.registerKernel({ ...config, kernelFunc: (args) => dispatch(config, args, padded) });
  }
}

type Call = Parameters<KernelConfig['kernelFunc']>[0];

function dispatch(
  { kernelFunc }: KernelConfig,
  args: Call,
  padded: Padded,
): ReturnType<KernelConfig['kernelFunc']> {
  const pads = padsOf(args.attrs?.['pad']);
  if (!pads || args.attrs?.['dataFormat'] === 'NCHW') return kernelFunc(args);
  const run: Run = (inputs, attrs) => kernelFunc({ ...args, inputs, attrs }) as Tensor;
  const valid = { ...args.attrs, pad: 'valid' } as NamedAttrMap;
  return tf.tidy(() => padded(run, args.inputs as Inputs, valid, pads));
}

/** Pads of the four axes; nothing for padding by name. */
function padsOf(pad: unknown): Pads | undefined {
  if (typeof pad === 'number')
    return [
      [0, 0],
      [pad, pad],
      [pad, pad],
      [0, 0],
    ];
  return Array.isArray(pad) ? (pad as Pads) : undefined;
}

const pad = (x: Tensor | undefined, pads: Pads, value = 0) => tf.pad(x as Tensor4D, pads, value);

function crop(x: Tensor, pads: Pads): Tensor {
  const size = x.shape.map((side, axis) => side - pads[axis]![0] - pads[axis]![1]);
  return tf.slice(
    x,
    pads.map(([before]) => before),
    size,
  );
}

const input =
  (value: number): Padded =>
  (run, { x, ...rest }, attrs, pads) =>
    run({ ...rest, x: pad(x, pads, value) }, attrs);

/** The gradient with respect to an input whose shape is an attribute. */
const inputGradient: Padded = (run, inputs, attrs, pads) => {
  const shape = attrs['inputShape'] as Size4D;
  const inputShape = shape.map((side, axis) => side + pads[axis]![0] + pads[axis]![1]);
  return crop(run(inputs, { ...attrs, inputShape }), pads);
};

const maxPoolGradient: Padded = (run, { input, ...rest }, attrs, pads) =>
  crop(run({ ...rest, input: pad(input, pads, -Infinity) }, attrs), pads);

/** An average counts only the pixels inside: the share of the window that they fill is pooled too. */
const averagePool: Padded = (run, { x }, attrs, pads) => {
  const share = run({ x: pad(tf.onesLike(x!), pads) }, attrs);
  return tf.div(run({ x: pad(x, pads) }, attrs), share);
};

const kernels: Readonly<Record<string, Padded>> = {
  [tf.Conv2D]: input(0),
  [tf.FusedConv2D]: input(0),
  [tf.Conv2DBackpropInput]: inputGradient,
  [tf.Conv2DBackpropFilter]: input(0),
  [tf.DepthwiseConv2dNative]: input(0),
  [tf.FusedDepthwiseConv2D]: input(0),
  [tf.DepthwiseConv2dNativeBackpropInput]: inputGradient,
  [tf.DepthwiseConv2dNativeBackpropFilter]: input(0),
  [tf.MaxPool]: input(-Infinity),
  [tf.MaxPoolGrad]: maxPoolGradient,
  [tf.AvgPool]: averagePool,
};
