import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { crossEntropy } from '../core/gradients/losses.ts';
import { lossGradient } from '../core/gradients/model.ts';
import type { Step } from '../core/plugin.ts';
import { Learner } from '../core/training/learner.ts';
import { trainingStep } from '../core/training/step.ts';
import type { What } from './cases.ts';
import type { Subject } from './subject.ts';

const WEIGHT_DECAY = 1e-4;
const LEARNING_RATE = 1e-4;

/** One thing to measure. */
export interface Task {
  /** Runs it once, result on the host; gives a number that tells whether two programs computed the same. */
  run(): Promise<number>;
  /** The step that it runs, and what it is run with. */
  readonly step: Step;
  inputs(): Tensor[];
}

const known = new WeakMap<Subject, Readonly<Record<Exclude<What, 'sweep'>, Task>>>();

export function tasksOf(subject: Subject): Readonly<Record<Exclude<What, 'sweep'>, Task>> {
  const tasks = known.get(subject) ?? {
    forward: compiled('forward', subject, ({ segmenter }) => (x) => [segmenter.logits(x as Tensor4D)]),
    gradient: compiled('gradient', subject, gradientOf),
    training: training(subject),
  };
  known.set(subject, tasks);
  return tasks;
}

function gradientOf({ segmenter }: Subject): Step {
  return (x, goal) => [
    lossGradient(segmenter, x as Tensor4D, (logits) => crossEntropy(logits, goal as Tensor3D)),
  ];
}

/** A step in its fastest form, with its first output read back; the sum of magnitudes tells what it computed. */
function compiled(key: string, subject: Subject, make: (subject: Subject) => Step): Task {
  const step = make(subject);
  const inputs = [subject.x, ...(key === 'gradient' ? [subject.goal] : [])];
  const call = subject.steps.compile(key, step);
  let value: number | undefined;
  const run = async () => {
    const [output] = tf.tidy(() => call(...inputs));
    const values = await output!.data<'float32'>();
    output!.dispose();
    return (value ??= values.reduce((sum, each) => sum + Math.abs(each), 0));
  };
  return { run, step, inputs: () => inputs };
}

/** The real training step, batch upload and loss included. */
function training({ network, engine, shape, batch }: Subject): Task {
  const learner = new Learner(network, WEIGHT_DECAY, shape, engine.compile?.bind(engine));
  let step = 0;
  const run = () => learner.learn(batch, LEARNING_RATE, ++step);
  return {
    run,
    step: trainingStep(network, WEIGHT_DECAY),
    inputs: () => learner.inputs(batch, LEARNING_RATE, 1),
  };
}
