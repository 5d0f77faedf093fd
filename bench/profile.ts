import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Engine } from '../core/plugin.ts';
import { record } from '../plugins/backends/tensorflow/capture.ts';
import { fuse } from '../plugins/backends/tensorflow/fusion.ts';
import {
  closeSession,
  openSession,
  reachable,
  type Edge,
  type Node,
} from '../plugins/backends/tensorflow/graph.ts';
import type { NativeBackend } from '../plugins/backends/tensorflow/native.ts';
import type { ProfileLine } from './cases.ts';
import type { Task } from './tasks.ts';

const ROUNDS = 4;

/** Where the time of a step goes, by operator, the slowest first. */
export async function profile({ step, ...task }: Task, engine: Engine): Promise<ProfileLine[]> {
  const inputs = task.inputs();
  const times = new Map<string, { count: number; seconds: number }>();
  const add = (op: string, seconds: number) => {
    const before = times.get(op) ?? { count: 0, seconds: 0 };
    times.set(op, { count: before.count + 1, seconds: before.seconds + seconds });
  };
  if (engine.info.backend === 'tensorflow') profileGraph(step, inputs, add);
  else await profileKernels(() => tf.tidy(() => step(...inputs)), add);
  return [...times].map(([op, line]) => ({ op, ...line })).sort((a, b) => b.seconds - a.seconds);
}

type Add = (op: string, seconds: number) => void;

async function profileKernels(run: () => Tensor[], add: Add): Promise<void> {
  tf.dispose(run());
  const { kernels } = await tf.profile(run);
  // `__op` is what consists of the kernels around it.
  const single = kernels.filter(({ name }) => !name.endsWith('__op'));
  for (const { name, kernelTimeMs } of single) add(name, Number(await kernelTimeMs) / 1000);
}

/**
 * A captured step runs as one native call that tells nothing about its parts. So every node of its rewritten graph runs
 * here in a session of its own; the sum is a little more than the step takes, which overlaps small operators.
 */
function profileGraph(step: Task['step'], inputs: readonly Tensor[], add: Add): void {
  const backend = tf.backend() as unknown as NativeBackend;
  tf.tidy(() => {
    const graph = fuse(record(backend, step, inputs).graph, backend.binding);
    const values = new Map<Node, Tensor[]>(graph.inputs.map((node, i) => [node, [inputs[i]!]]));
    const nodes = reachable(graph);
    for (const node of nodes) {
      if (values.has(node) || node.op === 'Const') continue;
      const given = node.inputs.filter(isComputed).map((edge) => values.get(edge.node)![edge.index]!);
      const { outputs, seconds } = runAlone(backend, node, given);
      values.set(node, outputs);
      add(label(node), seconds);
    }
  });
}

const isComputed = ({ node }: Edge) => node.op !== 'Const';

/** One node between placeholders, with its constants; the fastest run counts. */
function runAlone(backend: NativeBackend, node: Node, given: Tensor[]) {
  const { binding } = backend;
  const placeholders = node.inputs.filter(isComputed).map((edge): Node => {
    const type = edge.node.outputs[edge.index]!;
    const attributes = [
      { name: 'dtype', type: binding.TF_ATTR_TYPE, value: type.dtype },
      { name: 'shape', type: binding.TF_ATTR_SHAPE, value: type.shape },
    ];
    return { op: 'Placeholder', attributes, inputs: [], outputs: [type] };
  });
  const fresh = placeholders.values();
  const inputs = node.inputs.map((edge) =>
    isComputed(edge) ? { node: fresh.next().value!, index: 0 } : edge,
  );
  const alone: Node = { ...node, inputs };
  const outputs = node.outputs.map((_, index) => ({ node: alone, index }));
  const session = openSession({ inputs: placeholders, outputs }, binding);
  const ids = backend.getInputTensorIds(given);
  const run = () => binding.runSavedModel(session.id, ids, session.inputs, session.outputs);
  let [outputTensors, seconds]: [Tensor[], number] = [[], Infinity];
  for (let round = 0; round < ROUNDS; round++) {
    // Fresh memory would have to be cleared first, which a step in its session never waits for.
    tf.dispose(outputTensors);
    const started = performance.now();
    const made = run();
    seconds = Math.min(seconds, (performance.now() - started) / 1000);
    outputTensors = made.map((one) => backend.createOutputTensor(one));
  }
  closeSession(session, binding);
  return { outputs: outputTensors, seconds };
}

/** Convolutions by the size of their kernel: they are what most of the time goes to. */
function label({ op, inputs }: Node): string {
  const kernel = /Conv2D/.test(op) ? inputs[1]!.node.outputs[inputs[1]!.index]!.shape : [];
  return kernel.length === 4 ? `${op} ${kernel[0]}x${kernel[1]}` : op;
}
