import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';

/** What one run of a graph showed. */
export interface Survey {
  /** Shape of the first output of each node. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Nodes between images and the result that have no gradient, with the operator of TensorFlow.js that lacks it. */
  readonly withoutGradient: readonly { readonly name: string; readonly operator: string }[];
}

/** What TensorFlow.js notes down where gradients are wanted. */
interface TapeNode {
  readonly kernelName: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Tensor[];
  readonly gradient?: unknown;
  /** What the gradient would need. */
  readonly saved?: readonly Tensor[] | null;
}

/**
 * Runs a graph once, as if for a gradient, without computing it.
 *
 * @param names of its nodes, the result last
 * @param execute what they compute
 */
export function survey(
  names: readonly string[],
  execute: (images: Tensor4D, names: readonly string[]) => Tensor[],
  images: Tensor4D,
): Survey {
  let found: Survey | undefined;
  let tape: readonly TapeNode[] = [];
  const done = new Error('seen');
  try {
    tf.tidy(() =>
      tf.grad((x) => {
        tape = tf.engine().state.activeTape as unknown as TapeNode[];
        const made = execute(x as Tensor4D, names);
        found = {
          shapes: new Map(made.map(({ shape }, index) => [names[index]!, shape])),
          withoutGradient: missing(tape, x, made, names),
        };
        // Nothing is to be propagated back.
        throw done;
      })(images),
    );
  } catch (error) {
    if (error !== done) throw error;
  } finally {
    // As TensorFlow.js does after a gradient.
    for (const { saved } of tape) tf.dispose(saved as Tensor[]);
  }
  return found!;
}

function missing(
  tape: readonly TapeNode[],
  images: Tensor,
  made: readonly Tensor[],
  names: readonly string[],
): Survey['withoutGradient'] {
  const reached = new Set([images.id]);
  const ahead = tape.filter(({ inputs, outputs }) => {
    if (!Object.values(inputs).some(({ id }) => reached.has(id))) return false;
    for (const { id } of outputs) reached.add(id);
    return true;
  });
  const wanted = new Set([made.at(-1)!.id]);
  const nodeOf = new Map(made.map(({ id }, index) => [id, names[index]!]));
  let name = names.at(-1)!;
  return ahead
    .reverse()
    .flatMap(({ kernelName, inputs, outputs, gradient }) => {
      // Nodes run one after the other: what has no name belongs to the node that comes next.
      name = outputs.map(({ id }) => nodeOf.get(id)).find((known) => known !== undefined) ?? name;
      if (!outputs.some(({ id }) => wanted.has(id))) return [];
      for (const { id } of Object.values(inputs)) wanted.add(id);
      return gradient ? [] : [{ name, operator: kernelName }];
    })
    .reverse();
}
