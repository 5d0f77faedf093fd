import { engine, tidy, Variable, type Tensor } from '@tensorflow/tfjs-core';
import type { CompiledStep, Logger, Step } from '../../../core/index.ts';
import { difference, OTHER_OPERATORS, record, type Recording } from './capture.ts';
import { fuse } from './fusion.ts';
import { closeSession, openSession, type Graph, type Session } from './graph.ts';
import type { NativeBackend } from './native.ts';
import { disagreement } from './agreement.ts';

/** How a step runs for inputs of certain shapes: as one native call, or as it is. */
type Plan = Session | 'eager';

let recording = false;

/**
 * Runs a step natively: at the first call with inputs of new shapes and dtypes the step is recorded (and once more without computing
 * anything, to find out whether it is the same each time), written as one TensorFlow graph and compared with what the step itself computed; from
 * then on a call is one session run. A step that cannot be captured runs as it is, and the log says why.
 *
 * Tensors that the step uses without being given them become constants of the graph, as {@link Step} allows.
 * Variables among the inputs may also be used by the step directly: they stay inputs.
 */
export function compileStep(backend: NativeBackend, step: Step, log: Logger): CompiledStep {
  const plans = new Map<string, Plan>();
  const call = (...inputs: Tensor[]): Tensor[] => {
    // Inside a gradient or another recording the operators themselves must be seen.
    if (recording || gradientDepth() > 0) return runEager(step, inputs);
    const key = inputs.map(({ dtype, shape }) => `${dtype}[${shape}]`).join();
    const plan = plans.get(key);
    if (plan === 'eager') return runEager(step, inputs);
    if (plan) return runSession(backend, plan, inputs);
    const made = capture(backend, step, inputs);
    plans.set(key, made.plan);
    for (const remark of made.remarks) log.debug(`tensorflow: ${remark}`);
    return made.outputs;
  };
  const dispose = () => {
    for (const plan of plans.values()) if (plan !== 'eager') closeSession(plan, backend.binding);
    plans.clear();
  };
  return Object.assign(call, { dispose });
}

function gradientDepth(): number {
  return (engine() as unknown as { state: { gradientDepth: number } }).state.gradientDepth;
}

/** A step may hand back an input; its caller disposes outputs and inputs apart, so that becomes a tensor of its own. */
function runEager(step: Step, inputs: readonly Tensor[]): Tensor[] {
  return tidy(() => step(...inputs).map((tensor) => (inputs.includes(tensor) ? tensor.clone() : tensor)));
}

function runSession(backend: NativeBackend, session: Session, inputs: Tensor[]): Tensor[] {
  const ids = backend.getInputTensorIds(inputs);
  const made = backend.binding.runSavedModel(session.id, ids, session.inputs, session.outputs);
  return made.map((metadata) => backend.createOutputTensor(metadata));
}

interface Captured {
  readonly plan: Plan;
  readonly outputs: Tensor[];
  readonly remarks: readonly string[];
}

function capture(backend: NativeBackend, step: Step, inputs: readonly Tensor[]): Captured {
  const { eager, refusal, graph } = recordTwice(backend, step, inputs);
  if (refusal !== undefined) {
    return { plan: 'eager', outputs: eager, remarks: [`a step runs operator by operator: ${refusal}`] };
  }
  const { binding } = backend;
  // Each form rounds less than the one before.
  const forms = [
    { name: 'with Winograd convolutions', rewritten: true, make: () => fuse(graph, binding) },
    { name: 'rewritten', rewritten: true, make: () => fuse(graph, binding, { winograd: false }) },
    { name: 'as it was recorded', rewritten: false, make: () => graph },
  ];
  const remarks: string[] = [];
  for (const { name, rewritten, make } of forms) {
    const made = tryGraph(backend, make, rewritten, inputs, eager);
    if (typeof made !== 'string') {
      for (const tensor of eager) tensor.dispose();
      return { ...made, remarks };
    }
    remarks.push(`a step is not run ${name}: ${made}`);
  }
  return { plan: 'eager', outputs: eager, remarks: [...remarks, 'a step runs operator by operator'] };
}

/** Both recordings run on copies (free: TensorFlow shares the memory), so that a tensor the step also holds itself is a constant. */
function recordTwice(backend: NativeBackend, step: Step, inputs: readonly Tensor[]) {
  recording = true;
  try {
    const graphs: Graph[] = [];
    let refusal: string | undefined;
    const eager = tidy(() => {
      const copies = () => inputs.map((tensor) => own(backend, tensor));
      const first = record(backend, step, copies());
      refusal = first.refusal ?? deviation(first, () => record(backend, step, copies(), first));
      graphs.push(first.graph);
      return first.outputs.map((tensor) => tensor.clone());
    });
    return { eager, refusal, graph: graphs[0]! };
  } finally {
    recording = false;
  }
}

/** Why a second run is not the first one again; only another one can stumble over tensors without values. */
function deviation(first: Recording, again: () => Recording): string | undefined {
  try {
    return difference(first, again());
  } catch {
    return OTHER_OPERATORS;
  }
}

function own(backend: NativeBackend, tensor: Tensor): Tensor {
  if (tensor instanceof Variable) return tensor;
  const dtype = backend.tensorMap.get(tensor.dataId).dtype;
  const attribute = { name: 'T', type: backend.binding.TF_ATTR_TYPE, value: dtype };
  return backend.executeSingleOutput('Identity', [attribute], [tensor]);
}

/** The graph as a session with its outputs, or why it does not serve. */
function tryGraph(
  backend: NativeBackend,
  graph: () => Graph,
  rewritten: boolean,
  inputs: readonly Tensor[],
  eager: readonly Tensor[],
): Omit<Captured, 'remarks'> | string {
  let session: Session | undefined;
  try {
    session = openSession(graph(), backend.binding, rewritten);
    const outputs = runSession(backend, session, [...inputs]);
    const reason = disagreement(outputs, eager);
    if (reason === undefined) return { plan: session, outputs };
    for (const tensor of outputs) tensor.dispose();
    closeSession(session, backend.binding);
    return reason;
  } catch (error) {
    if (session) closeSession(session, backend.binding);
    return `its graph fails: ${error instanceof Error ? error.message : String(error)}`;
  }
}
