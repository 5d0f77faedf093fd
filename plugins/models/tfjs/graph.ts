import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { RobustError, suggestion } from '../../../core/index.ts';
import { unsupported } from '../foreign/failure.ts';
import { installGradients } from '../foreign/gradients.ts';
import type { ForeignModel } from '../foreign/model.ts';
import type { Notes } from '../foreign/notes.ts';
import type { ForeignOptions } from '../foreign/options.ts';
import type { Tree } from '../foreign/tree.ts';
import type { TfjsFile } from './file.ts';

interface Node extends Tree {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
}

/**
 * A graph model, which is run operator by operator: gradients exist where those of the operators do.
 *
 * @throws RobustError CONFIG_INVALID when there is no such output, MODEL_UNSUPPORTED when images are not its only input.
 */
export async function graphModel(
  { topology, specs, weights }: TfjsFile,
  options: Pick<ForeignOptions, 'kind'> & { readonly output: string | null },
  notes: Notes,
): Promise<Omit<ForeignModel, 'path' | 'fingerprint'>> {
  installGradients();
  const model = await loadGraphModel(
    tf.io.fromMemory({ modelTopology: topology, weightSpecs: specs, weightData: weights }),
  );
  const [input] = model.inputs;
  if (!input || model.inputs.length !== 1 || (input.shape && input.shape.length !== 4)) {
    const received = model.inputs
      .map(({ name, shape }) => `${name} [${shape?.join(', ') ?? '?'}]`)
      .join(', ');
    throw unsupported('The model does not have one input for images.', {
      expected: 'one input [N,H,W,C]',
      received,
    });
  }
  const name = chosen(
    model.outputs.map((output) => output.name),
    options.output,
    notes,
  );
  const scored = scoredNode(topology, name, options.kind, notes);
  const [batch, height, width, channels] = (input.shape ?? [-1, -1, -1, -1]).map((side) =>
    side > 0 ? side : undefined,
  );
  return {
    input: { batch, height, width, channels },
    output: { name, kind: scored === name ? (options.kind === 'auto' ? null : options.kind) : 'logits' },
    scale: (high) => ({ value: 1 / high, reason: 'the file does not tell: images from 0 to 1 are assumed' }),
    compute: (images) => {
      const made = model.execute({ [input.name]: images }, scored) as Tensor;
      return { shape: made.shape, as: (order) => tf.transpose(made, [...order]) };
    },
    dispose: () => model.dispose(),
  };
}

function chosen(names: readonly string[], wanted: string | null, notes: Notes): string {
  const name = wanted ?? names[0]!;
  if (!names.includes(name))
    throw new RobustError('CONFIG_INVALID', {
      ...{ message: `The model has no output '${name}'.`, where: 'output', received: name },
      next: suggestion(name, names),
    });
  if (wanted === null && names.length > 1)
    notes.push({
      text: `the first of ${names.length} outputs is scored, '${name}' (option output; there are: ${names.join(', ')})`,
      ...{ option: 'output', value: name },
    });
  return name;
}

/** The node to compute: the output, or what a final softmax or sigmoid is given. */
function scoredNode(topology: Tree, output: string, kind: ForeignOptions['kind'], notes: Notes): string {
  const nodes = new Map((topology['node'] as Node[]).map((node) => [node.name, node]));
  const find = (name: string | undefined) => nodes.get((name ?? '').replace(/^\^|:\d+$/g, ''));
  let node = find(output);
  while (node?.op === 'Identity') node = find(node.input?.[0]);
  const logits = node && ['Softmax', 'Sigmoid'].includes(node.op) ? find(node.input?.[0]) : undefined;
  if (!logits || kind === 'logits' || kind === 'labels') return output;
  notes.push({
    text: `the output is probabilities: attacks work on the logits that '${node!.name}' (${node!.op}) is given`,
  });
  return logits.name;
}
