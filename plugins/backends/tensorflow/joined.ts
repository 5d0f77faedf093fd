import type { Edge } from './graph.ts';
import { attribute, constantOf, shapeOf, type Builder, type Rule } from './rewrite.ts';

/**
 * Where channels were joined, as at a skip connection, the gradient of the convolution behind is split again: computed
 * in parts, each from its own channels of the kernel, it is never written as a whole and copied apart.
 */
export function splitGradient(build: Builder): Rule {
  return ({ node, now, uses }) => {
    const gradient = node.inputs[0]?.node;
    if (node.op !== 'SplitV' || gradient?.op !== 'Conv2DBackpropInput') return undefined;
    if (uses(gradient) > 1) return undefined;
    const [, filter, dy] = gradient.inputs as [Edge, Edge, Edge];
    const kernel = constantOf(filter);
    const axis = constantOf(node.inputs[2]!)?.[0];
    if (!kernel || axis !== 3 || attribute(gradient, 'data_format') !== 'NHWC') return undefined;
    let start = 0;
    return node.outputs.map(({ shape }) => {
      const end = start + shape[3]!;
      const part = takeInputs(build, kernel as Float32Array, shapeOf(filter), start, end);
      start = end;
      const size = build.constant(Int32Array.from(shape), [4]);
      return build.node(gradient.op, gradient.attributes, [size, part, now(dy)], shape);
    });
  };
}

/** Input channels `start` to `end` of a kernel `[kh,kw,in,out]`. */
function takeInputs(
  build: Builder,
  kernel: Float32Array,
  shape: readonly number[],
  start: number,
  end: number,
): Edge {
  const [kh, kw, from, to] = shape as [number, number, number, number];
  const size = (end - start) * to;
  const part = new Float32Array(kh * kw * size);
  for (let k = 0; k < kh * kw; k++) {
    const begin = (k * from + start) * to;
    part.set(kernel.subarray(begin, begin + size), k * size);
  }
  return build.constant(part, [kh, kw, end - start, to]);
}
