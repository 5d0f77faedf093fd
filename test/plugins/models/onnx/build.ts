import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { temporaryFolder } from '../../../../core/testing/context.ts';
import {
  ModelProtoSchema,
  type AttributeProtoSchema,
  type ModelProto,
  type TensorProtoSchema,
} from '../../../../plugins/models/onnx/proto/onnx_pb.ts';

type Attribute = MessageInitShape<typeof AttributeProtoSchema>;
type Tensor = MessageInitShape<typeof TensorProtoSchema>;

/** A node as `[operator, inputs, outputs, attributes]`. */
export type NodeText = readonly [
  op: string,
  inputs: string,
  outputs: string,
  attributes?: Record<string, unknown>,
];

/** What a small model is made of: names are separated by blanks. */
export interface Sketch {
  readonly nodes: readonly NodeText[];
  readonly input?: readonly (number | string)[];
  readonly outputs?: string;
  readonly constants?: readonly Tensor[];
  readonly opset?: number;
  readonly type?: number;
}

/** A float tensor. */
export function floats(name: string, dims: readonly number[], values: readonly number[]): Tensor {
  return { name, dims: dims.map(BigInt), dataType: 1, floatData: [...values] };
}

/** A tensor of whole numbers, as shapes are. */
export function longs(name: string, values: readonly number[]): Tensor {
  return { name, dims: [BigInt(values.length)], dataType: 7, int64Data: values.map(BigInt) };
}

/** A model with one input `x` for images. */
export function sketch(given: Sketch): ModelProto {
  const { nodes, input = ['N', 3, 8, 8], outputs = 'y', constants = [], opset = 17, type = 1 } = given;
  const dim = input.map((side) =>
    typeof side === 'number' ? { dimValue: BigInt(side) } : { dimParam: side },
  );
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: {
      node: nodes.map(([opType, inputs, results, attributes = {}], index) => ({
        opType,
        name: `node ${index}`,
        input: names(inputs),
        output: names(results),
        attribute: Object.entries(attributes).map(([name, value]) => ({ name, ...attribute(value) })),
      })),
      input: [{ name: 'x', type: { tensorType: { elemType: type, shape: { dim } } } }],
      output: names(outputs).map((name) => ({ name })),
      initializer: [...constants],
    },
  });
}

function names(text: string): string[] {
  return text.split(' ').map((name) => (name === '-' ? '' : name));
}

function attribute(value: unknown): Attribute {
  if (typeof value === 'string') return { s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return Number.isInteger(value) ? { i: BigInt(value) } : { f: value };
  return { ints: (value as number[]).map(BigInt) };
}

/** Writes a model into a new folder, and returns its path. */
export function written(model: ModelProto, folder = temporaryFolder()): string {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, toBinary(ModelProtoSchema, model));
  return path;
}

/** A 1x1 convolution from three channels to two: the smallest segmentation network. */
export const tiny: Sketch = {
  nodes: [['Conv', 'x w', 'y']],
  constants: [floats('w', [2, 3, 1, 1], [1, 0, 0, 0, 0, 1])],
};
