import { create } from '@bufbuild/protobuf';
import { invalid } from './failure.ts';
import {
  AttributeProtoSchema,
  NodeProtoSchema,
  type AttributeProto,
  type FunctionProto,
  type NodeProto,
} from './proto/onnx_pb.ts';

/** Functions may call functions, but not without end. */
const DEEPEST = 32;

/** Nodes with calls of the model's own functions replaced by what those do. */
export function expandFunctions(
  nodes: readonly NodeProto[],
  functions: readonly FunctionProto[],
  depth = 0,
): NodeProto[] {
  if (functions.length === 0) return [...nodes];
  if (depth > DEEPEST)
    throw invalid('Functions of the model call each other in a circle.', { where: nodes[0]?.opType ?? '' });
  return nodes.flatMap((node, index) => {
    const called = functions.find(({ name, domain }) => name === node.opType && domain === node.domain);
    return called
      ? expandFunctions(
          inlined(called, node, `${node.name || node.opType}#${depth}.${index}`),
          functions,
          depth + 1,
        )
      : [node];
  });
}

function inlined(called: FunctionProto, call: NodeProto, prefix: string): NodeProto[] {
  const outside = new Map([
    ...called.input.map((name, i) => [name, call.input[i] ?? ''] as const),
    ...called.output.flatMap((name, i) => (call.output[i] ? [[name, call.output[i]] as const] : [])),
  ]);
  const rename = (name: string) => (name === '' ? '' : (outside.get(name) ?? `${prefix}/${name}`));
  const given = new Map([...called.attributeProto, ...call.attribute].map((each) => [each.name, each]));
  return called.node.map((node) =>
    create(NodeProtoSchema, {
      ...node,
      name: `${prefix}/${node.name || node.opType}`,
      input: node.input.map(rename),
      output: node.output.map(rename),
      attribute: node.attribute.flatMap((attribute) => resolved(attribute, given)),
    }),
  );
}

/** An attribute that stands for one of the function's is replaced by what the call gave, if it gave one. */
function resolved(attribute: AttributeProto, given: ReadonlyMap<string, AttributeProto>): AttributeProto[] {
  if (attribute.refAttrName === '') return [attribute];
  const value = given.get(attribute.refAttrName);
  return value ? [create(AttributeProtoSchema, { ...value, name: attribute.name })] : [];
}
