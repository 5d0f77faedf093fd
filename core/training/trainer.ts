import { setImmediate as nextTurn } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { TrainingConfig } from '../config/types.ts';
import { RobustError } from '../errors/index.ts';
import { fingerprint } from '../models/fingerprint.ts';
import { saveWeights } from '../models/weights.ts';
import type { Engine } from '../plugin.ts';
import { makeRandom } from '../random.ts';
import type { Dataset, Logger, TrainingEpoch } from '../vocabulary.ts';
import { makeBatches, type BatchSource } from './batches.ts';
import { findCheckpoint, saveCheckpoint, type Found, type TrainingKey } from './checkpoint.ts';
import { freeze } from './freeze.ts';
import { bestEpoch, isOver } from './history.ts';
import { Learner, type BatchShape, type Vectors } from './learner.ts';
import { meanDice, monitorBatches } from './monitor.ts';
import { writeTrainingLog } from './record.ts';
import { advancePlateau, epochRate, startPlateau, type PlateauState } from './schedule.ts';
import type { Trainable } from './step.ts';

/** What a training is made of. */
export interface TrainingRequest {
  /** Starts from the weights that its model holds; ends with the trained ones in it. */
  readonly network: Trainable;
  readonly dataset: Dataset;
  readonly config: TrainingConfig;
  readonly seed: number;
  /** What the loss depends on beside the model, such as the options of network and defenses. */
  readonly identity?: unknown;
  /** Where the state is kept after every epoch. */
  readonly checkpointDir: string;
  /** Where the trained weights and `training.json` go. */
  readonly weightsDir: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly compile?: Engine['compile'];
  onProgress?(progress: TrainingProgress): void;
}

/** Told after every step. */
export interface TrainingProgress {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done in this epoch, of `steps`. */
  readonly step: number;
  readonly steps: number;
  /** Mean over this epoch so far. */
  readonly loss: number;
  readonly learningRate: number;
  /** After the last whole epoch, on held-out images where there are any; null in the first epoch. */
  readonly dice: number | null;
  readonly secondsLeft: number;
}

export interface TrainingResult {
  readonly epochs: readonly TrainingEpoch[];
  /** Epochs that an earlier, interrupted training had done. */
  readonly resumed: number;
  /** Spent in this call. */
  readonly seconds: number;
}

/** What changes from epoch to epoch beside the learner. */
interface Course {
  plateau: PlateauState;
  readonly history: TrainingEpoch[];
  /** What the model held after its best epoch; null unless that is kept. */
  best: Vectors | null;
  readonly resumed: number;
  readonly started: number;
}

interface Training extends TrainingRequest {
  readonly batches: BatchSource;
  readonly shape: BatchShape;
  readonly learner: Learner;
  readonly key: TrainingKey;
  readonly course: Course;
}

/**
 * Trains a network on the training images of a data set and stores its weights. An interrupted training goes on after
 * its last whole epoch and ends with the bits of one that was never interrupted.
 *
 * @throws RobustError TRAINING_DIVERGED when loss or weights stop being finite, DATASET_EMPTY, DATASET_INVALID,
 * OUTPUT_NOT_WRITABLE; the reason of `signal` when that is aborted.
 */
export async function trainNetwork(request: TrainingRequest): Promise<TrainingResult> {
  const unfreeze = freeze(request.network.model, request.config.freeze);
  const training = await open(request);
  const { learner, course, config, network, weightsDir } = training;
  try {
    while (!isOver(course.history, config)) await trainEpoch(training);
    if (course.best) learner.restore({ ...(await learner.vectors()), ...course.best });
    learner.commit();
  } finally {
    learner.dispose();
    unfreeze();
  }
  await saveWeights(network.model, weightsDir);
  await writeTrainingLog(weightsDir, training.key, config, course.history);
  return { epochs: course.history, resumed: course.resumed, seconds: since(course.started) };
}

async function open(request: TrainingRequest): Promise<Training> {
  const { network, dataset, config, seed, compile, checkpointDir } = request;
  if (dataset.train.ids.length === 0) {
    throw new RobustError('DATASET_EMPTY', {
      message: 'There are no training images.',
      where: 'dataset, train',
      next: 'name weights that are trained already, or a data set with training images',
    });
  }
  const shape: BatchShape = [config.batch, dataset.height, dataset.width, dataset.channels];
  const key = await trainingKey(request);
  const learner = new Learner(network, config.weightDecay, shape, compile);
  const batches = makeBatches(dataset, config, makeRandom(seed));
  const found = await findCheckpoint(checkpointDir, key);
  if (compile && !('checkpoint' in found && isOver(found.checkpoint.history, config)))
    await warmUp(learner, batches);
  const course = resume(request, found, learner);
  return { ...request, batches, shape, learner, key, course };
}

/** Always with the initial weights and the first batch, so that a resumed training gets the same compiled step. */
async function warmUp(learner: Learner, batches: BatchSource): Promise<void> {
  for await (const batch of batches.epoch(0)) {
    learner.warmUp(batch);
    return;
  }
}

/** On a plateau schedule the number of epochs is no part of it: a longer training goes on from a shorter one. */
async function trainingKey({
  network,
  dataset,
  config,
  seed,
  identity,
}: TrainingRequest): Promise<TrainingKey> {
  return {
    seed,
    dataset: dataset.fingerprint,
    network: await fingerprint(network.model),
    trained: network.model.weights.map((weight) => Number(weight.trainable)).join(''),
    ...(identity === undefined ? {} : { identity }),
    ...config,
    epochs: config.schedule === 'plateau' ? undefined : config.epochs,
  };
}

/** Goes on from the checkpoint of this very training, or starts; says which. */
function resume(request: TrainingRequest, found: Found, learner: Learner): Course {
  const { checkpointDir, config, log } = request;
  const fresh: Course = {
    plateau: startPlateau(config),
    history: [],
    best: null,
    resumed: 0,
    started: performance.now(),
  };
  const startOver = (why: string): Course => {
    log.warn(`The checkpoint in ${checkpointDir} ${why}: training starts over and replaces it.`);
    return fresh;
  };
  if ('missing' in found) return found.missing === null ? fresh : startOver(found.missing);
  const { vectors, plateau, history, backend } = found.checkpoint;
  if (!learner.fits(vectors)) return startOver('does not fit the network');
  if (history.length > config.epochs) return startOver(`has ${history.length} epochs, more than are wanted`);
  if (backend !== tf.getBackend()) {
    log.warn(
      `The checkpoint was made on backend '${backend}': on '${tf.getBackend()}' the last bits may differ.`,
    );
  }
  learner.restore(vectors);
  if (!isOver(history, config))
    log.info(`Training goes on after epoch ${history.length} of ${config.epochs}.`);
  const best = config.keep === 'best' ? part(vectors, BEST, '') : null;
  return { ...fresh, plateau, history: [...history], best, resumed: history.length };
}

async function trainEpoch(training: Training): Promise<void> {
  const { learner, course, batches, config, key, checkpointDir, log } = training;
  const started = performance.now();
  const learningRate = currentRate(training);
  const loss = await runSteps(training);
  const vectors = await learner.vectors();
  if (!vectors['weights']!.every(Number.isFinite)) throw diverged(training, batches.steps, 'weights', NaN);
  learner.commit();
  const scores = await scoreEpoch(training);
  const epoch = course.history.length + 1;
  course.plateau = advancePlateau(course.plateau, loss, config);
  course.history.push({ epoch, loss, learningRate, ...scores, seconds: since(started) });
  const { plateau, history } = course;
  if (config.keep === 'best' && bestEpoch(history) === history.at(-1)) course.best = part(vectors, '', '');
  const stored = { ...vectors, ...(course.best && part(course.best, '', BEST)) };
  await saveCheckpoint(checkpointDir, key, { backend: tf.getBackend(), plateau, history, vectors: stored });
  const dice = (scores.validation ?? scores.dice).toFixed(3);
  log.debug(`epoch ${epoch}/${config.epochs}: loss ${loss.toFixed(4)}, Dice ${dice}, rate ${learningRate}`);
}

/** Dice shows progress; on the images that are trained on it is no estimate of the score on new ones. */
async function scoreEpoch({ network, batches, shape }: Training) {
  const plain = batches.plain(monitorBatches(batches.steps));
  const dice = await meanDice(network, plain, batches.trained, shape);
  if (batches.held === 0) return { dice, validation: null };
  return { dice, validation: await meanDice(network, batches.heldOut(), batches.held, shape) };
}

/** Beginning of the names that the best epoch's vectors have in a checkpoint. */
const BEST = 'best ';

/** What a model holds, among vectors whose names begin with `from`, under names that begin with `to`. */
function part(vectors: Vectors, from: string, to: string): Vectors {
  const names = ['weights', 'fixed'].filter((name) => vectors[from + name]);
  return Object.fromEntries(names.map((name) => [to + name, vectors[from + name]!]));
}

/** All steps of the next epoch; returns their mean loss. */
async function runSteps(training: Training): Promise<number> {
  const { learner, course, batches, signal } = training;
  const epoch = course.history.length;
  const learningRate = currentRate(training);
  let [step, sum] = [0, 0];
  for await (const batch of batches.epoch(epoch)) {
    // Engines work synchronously: without a turn of the event loop no interrupt would ever arrive.
    await nextTurn();
    signal.throwIfAborted();
    step++;
    const loss = await learner.learn(batch, learningRate, epoch * batches.steps + step);
    if (!Number.isFinite(loss)) throw diverged(training, step, 'loss', loss);
    sum += loss;
    report(training, step, sum / step);
  }
  return sum / batches.steps;
}

function report(training: Training, step: number, loss: number) {
  const {
    onProgress,
    course,
    batches: { steps },
    config: { epochs },
  } = training;
  const { history, resumed, started } = course;
  const done = (history.length - resumed) * steps + step;
  const left = (epochs - history.length) * steps - step;
  onProgress?.({
    epoch: history.length + 1,
    epochs,
    step,
    steps,
    loss,
    learningRate: currentRate(training),
    dice: history.at(-1)?.validation ?? history.at(-1)?.dice ?? null,
    secondsLeft: (since(started) / done) * left,
  });
}

function currentRate({ course, config }: Training): number {
  return epochRate(course.plateau, course.history.length, config);
}

function diverged(training: Training, step: number, what: string, received: number): RobustError {
  const { course, batches, config } = training;
  const learningRate = currentRate(training);
  return new RobustError('TRAINING_DIVERGED', {
    message: `Training diverged: the ${what} stopped being finite at a learning rate of ${learningRate}.`,
    where: `epoch ${course.history.length + 1} of ${config.epochs}, step ${step} of ${batches.steps}`,
    expected: `finite ${what}`,
    received: String(received),
    next: `lower it, for example --set training.learningRate=${Number((config.learningRate / 10).toPrecision(3))}`,
  });
}

function since(start: number): number {
  return (performance.now() - start) / 1000;
}
