import * as tfc from '@tensorflow/tfjs-core';
import {
  getGradient,
  registerGradient,
  unregisterGradient,
  type GradConfig,
  type Tensor,
} from '@tensorflow/tfjs-core';
import type { Attribute, NativeBackend } from './native.ts';

/**
 * Registers TensorFlow's own gradient operators of activations, which TensorFlow.js composes of several elementwise ones:
 * the gradient of a ReLU takes a tenth of the time. Gradients are global to the process, and so is the backend.
 */
export function registerNativeGradients(backend: NativeBackend): void {
  const { TF_ATTR_TYPE, TF_ATTR_FLOAT, TF_FLOAT } = backend.binding;
  const T: Attribute = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  const native = (op: string, inputs: Tensor[], ...more: Attribute[]) =>
    backend.executeSingleOutput(op, [T, ...more], inputs);
  const gradients = [
    fromOutput('Relu', 'x', (dy, y) => native('ReluGrad', [dy, y])),
    fromOutput('Relu6', 'x', (dy, y) => native('Relu6Grad', [dy, y])),
    fromOutput('Selu', 'x', (dy, y) => native('SeluGrad', [dy, y])),
    fromOutput('Sigmoid', 'x', (dy, y) => native('SigmoidGrad', [y, dy])),
    fromOutput('Tanh', 'x', (dy, y) => native('TanhGrad', [y, dy])),
    fromInput('Softplus', 'x', (dy, x) => native('SoftplusGrad', [dy, x])),
    fromInput('LeakyRelu', 'x', (dy, x, attributes) => {
      return native('LeakyReluGrad', [dy, x], {
        name: 'alpha',
        type: TF_ATTR_FLOAT,
        value: attributes['alpha'],
      });
    }),
  ];
  for (const gradient of gradients) replace(gradient);
}

/**
 * Loads a module and leaves the gradients as they were. tfjs-node brings a bundle of all of TensorFlow.js, which
 * registers the original gradients in place of those that core installed: wrong ones for some operators.
 */
export function keepingGradients<T>(load: () => T): T {
  const kernels = Object.values(tfc).filter((value) => typeof value === 'string');
  const before = kernels.flatMap((kernel) => getGradient(kernel) ?? []);
  const loaded = load();
  for (const gradient of before) replace(gradient);
  return loaded;
}

function replace(gradient: GradConfig): void {
  if (getGradient(gradient.kernelName)) unregisterGradient(gradient.kernelName);
  registerGradient(gradient);
}

function fromOutput(kernelName: string, input: string, grad: (dy: Tensor, y: Tensor) => Tensor): GradConfig {
  const gradFunc: GradConfig['gradFunc'] = (dy, [y]) => ({ [input]: () => grad(dy as Tensor, y!) });
  return { kernelName, outputsToSave: [true], gradFunc };
}

function fromInput(
  kernelName: string,
  input: string,
  grad: (dy: Tensor, x: Tensor, attributes: Readonly<Record<string, unknown>>) => Tensor,
): GradConfig {
  const gradFunc: GradConfig['gradFunc'] = (dy, [x], attributes) => ({
    [input]: () => grad(dy as Tensor, x!, attributes),
  });
  return { kernelName, inputsToSave: [input], gradFunc };
}
