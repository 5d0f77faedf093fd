import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Stochastic } from '../../../core/layers/index.ts';
import { loadWeights } from '../../../core/models/weights.ts';
import type { CompiledStep, Step } from '../../../core/plugin.ts';
import type { TrainingLog } from '../../../core/training/record.ts';
import { trainNetwork, type TrainingProgress, type TrainingRequest } from '../../../core/training/trainer.ts';
import { config, dataset, request, temporaryFolder, tinyNetwork, weightsOf } from './helpers.ts';

beforeAll(() => tf.setBackend('cpu'));

/** Trains until the given step of the given epoch, then interrupts. */
async function interrupt(given: TrainingRequest, epoch: number, step: number): Promise<void> {
  const controller = new AbortController();
  const stopped = trainNetwork({
    ...given,
    signal: controller.signal,
    onProgress: (at) => void (at.epoch === epoch && at.step === step && controller.abort()),
  });
  await expect(stopped).rejects.toMatchObject({ name: 'AbortError' });
}

function checkpointOf({ checkpointDir }: TrainingRequest): string {
  return join(checkpointDir, 'checkpoint.safetensors');
}

async function withoutInterruption(changes: Partial<TrainingRequest> = {}) {
  const given = request(changes);
  const result = await trainNetwork(given);
  return { weights: weightsOf(given.network), losses: result.epochs.map(({ loss }) => loss) };
}

describe('trainNetwork', () => {
  it('learns, stores the weights, and tells how it went', async () => {
    const progress: TrainingProgress[] = [];
    const given = request({
      config: { ...config, epochs: 12 },
      onProgress: (event) => void progress.push(event),
    });
    const { epochs, resumed } = await trainNetwork(given);
    expect(resumed).toBe(0);
    expect(epochs.at(-1)!.loss).toBeLessThan(0.6 * epochs[0]!.loss);
    expect(epochs.at(-1)!.dice).toBeGreaterThan(0.8);
    expect(progress).toHaveLength(36);
    expect(progress[0]).toMatchObject({
      epoch: 1,
      epochs: 12,
      step: 1,
      steps: 3,
      learningRate: 0.02,
      dice: null,
    });
    expect(progress.at(-1)).toMatchObject({ epoch: 12, step: 3, secondsLeft: 0, dice: epochs.at(-2)!.dice });
    expect(progress.at(-1)!.loss).toBe(epochs.at(-1)!.loss);

    const loaded = tinyNetwork({ seed: 99 });
    await loadWeights(loaded.model, given.weightsDir);
    expect(weightsOf(loaded)).toEqual(weightsOf(given.network));
    const log = JSON.parse(readFileSync(join(given.weightsDir, 'training.json'), 'utf8')) as TrainingLog;
    expect(log).toMatchObject({
      schema: 'robust-training/1',
      key: { seed: 5, dataset: 'squares-7' },
      epochs,
    });
  });

  it('is reproducible, and depends on the seed', async () => {
    const first = await withoutInterruption();
    expect(await withoutInterruption()).toEqual(first);
    expect((await withoutInterruption({ seed: 6 })).weights).not.toEqual(first.weights);
  });

  it('numbers its steps over the whole training, also for dropout', async () => {
    const network = tinyNetwork();
    const layer = network.model.getLayer('drop') as unknown as Stochastic;
    const drawn = vi.spyOn(layer, 'drawMask');
    await trainNetwork(request({ network, config: { ...config, epochs: 2 } }));
    expect(drawn.mock.calls).toEqual([1, 2, 3, 4, 5, 6].map((step) => [step, config.batch]));
  });

  it('works with fewer images than a batch holds', async () => {
    const { losses } = await withoutInterruption({
      dataset: dataset(2),
      config: { ...config, batch: 5, epochs: 20 },
    });
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  it('leaves no tensors behind', async () => {
    const given = request();
    await trainNetwork({ ...given, config: { ...config, epochs: 1 } });
    const before = tf.memory().numTensors;
    await trainNetwork(given);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('refuses to train on nothing', async () => {
    await expect(trainNetwork(request({ dataset: dataset(0) }))).rejects.toMatchObject({
      code: 'DATASET_EMPTY',
    });
  });
});

describe('resuming', () => {
  // A high rate and no patience make the schedule's memory matter.
  const eventful = { ...config, epochs: 6, learningRate: 0.3, patience: 0, factor: 0.5 };

  it.each([
    [1, 2],
    [3, 1],
    [6, 2],
  ])('after an interruption in epoch %i, step %i ends with the same bits', async (epoch, step) => {
    const given = request({ config: eventful });
    await interrupt({ ...given, network: tinyNetwork() }, epoch, step);
    const { resumed, epochs } = await trainNetwork(given);
    expect(resumed).toBe(epoch - 1);
    const found = { weights: weightsOf(given.network), losses: epochs.map(({ loss }) => loss) };
    expect(found).toEqual(await withoutInterruption({ config: eventful }));
    expect(new Set(epochs.map(({ learningRate }) => learningRate)).size).toBeGreaterThan(1);
  });

  it('after kill -9 ends with the same bits', async () => {
    const given = request();
    const script = fileURLToPath(new URL('killed.ts', import.meta.url));
    const args = ['--import', 'jiti/register', script, given.checkpointDir, String(config.epochs)];
    expect(spawnSync(process.execPath, args).signal).toBe('SIGKILL');
    expect((await trainNetwork(given)).resumed).toBe(2);
    expect(weightsOf(given.network)).toEqual((await withoutInterruption()).weights);
  });

  it('ends with the same bits where an engine records a step during its first call', async () => {
    // Such an engine computes the first call in another way than the others.
    const compile = (step: Step): CompiledStep => {
      let calls = 0;
      const call = (...inputs: Tensor[]) =>
        calls++ === 0 ? step(...inputs).map((tensor) => tf.mul(tensor, 1.001)) : step(...inputs);
      return Object.assign(call, { dispose: () => undefined });
    };
    const changes = { compile, network: tinyNetwork({ rate: 0 }) };
    const given = request(changes);
    await interrupt({ ...given, network: tinyNetwork({ rate: 0 }) }, 3, 1);
    expect((await trainNetwork(given)).resumed).toBe(2);
    const { weights } = await withoutInterruption({ ...changes, network: tinyNetwork({ rate: 0 }) });
    expect(weightsOf(given.network)).toEqual(weights);
  });

  it('of a finished training gives its weights and statistics without a step', async () => {
    const given = request();
    await trainNetwork(given);
    const again = { ...given, network: tinyNetwork(), onProgress: vi.fn() };
    expect((await trainNetwork(again)).resumed).toBe(4);
    expect(weightsOf(again.network)).toEqual(weightsOf(given.network));
    expect(again.onProgress).not.toHaveBeenCalled();
  });

  it('goes on when more epochs are wanted, as if they always had been', async () => {
    const given = request();
    await trainNetwork(given);
    const longer = { ...given, network: tinyNetwork(), config: { ...config, epochs: 6 } };
    expect((await trainNetwork(longer)).resumed).toBe(4);
    expect(weightsOf(longer.network)).toEqual((await withoutInterruption({ config: longer.config })).weights);
  });

  it.each([
    ['config', { config: { ...config, learningRate: 0.01 } }, 'other learningRate'],
    ['seed', { seed: 6 }, 'other seed'],
    ['data set', { dataset: dataset(8) }, 'other dataset'],
    ['initial weights', { network: tinyNetwork({ seed: 2 }) }, 'other network'],
    ['options', { identity: { loss: 'dice' } }, 'other identity'],
    ['length', { config: { ...config, epochs: 1 } }, 'has 2 epochs'],
  ])('does not happen with another %s, and says so', async (_what, change, message) => {
    const given = request({ config: { ...config, epochs: 2 } });
    await trainNetwork(given);
    const other = request({
      config: { ...config, epochs: 2 },
      checkpointDir: given.checkpointDir,
      ...change,
    });
    expect((await trainNetwork(other)).resumed).toBe(0);
    expect(other.log.lines.join()).toContain(message);
  });

  it.each([
    ['cut short', (file: string) => truncateSync(file, statSync(file).size - 40), 'checksum'],
    ['emptied', (file: string) => truncateSync(file, 0), 'truncated'],
    ['overwritten', (file: string) => writeFileSync(file, 'x'.repeat(500)), 'truncated'],
    [
      'changed in one bit',
      (file: string) => {
        const bytes = readFileSync(file);
        bytes[bytes.length - 5]! ^= 1;
        writeFileSync(file, bytes);
      },
      'checksum',
    ],
  ])('starts over from a checkpoint that was %s', async (_how, damage, message) => {
    const given = request();
    await trainNetwork(given);
    damage(checkpointOf(given));
    const again = { ...given, network: tinyNetwork() };
    expect((await trainNetwork(again)).resumed).toBe(0);
    expect(given.log.lines.join()).toMatch(new RegExp(`is damaged .*${message}`));
    expect(weightsOf(again.network)).toEqual(weightsOf(given.network));
  });

  it('needs one whole file and leaves nothing else behind', async () => {
    const given = request();
    await trainNetwork(given);
    expect(readdirSync(given.checkpointDir)).toEqual(['checkpoint.safetensors']);
  });

  it('says when the checkpoint cannot be written', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const blocked = trainNetwork(request({ checkpointDir: join(file, 'below') }));
    await expect(blocked).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
  });
});

describe('divergence', () => {
  it('is an error with place, learning rate and advice', async () => {
    const network = tinyNetwork();
    const { loss } = network;
    let steps = 0;
    const spoilt: typeof loss = (outputs, masks) =>
      ++steps === 5 ? tf.mul(loss(outputs, masks), NaN) : loss(outputs, masks);
    const given = request({ network: { ...network, loss: spoilt } });
    await expect(trainNetwork(given)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      message: expect.stringContaining('learning rate of 0.02'),
      parts: { where: 'epoch 2 of 4, step 2 of 3', received: 'NaN', next: expect.stringContaining('=0.002') },
    });
  });

  it('of the weights in the last step of an epoch is never stored', async () => {
    const given = request({ config: { ...config, learningRate: Infinity, epochs: 1 }, dataset: dataset(3) });
    await expect(trainNetwork(given)).rejects.toMatchObject({
      code: 'TRAINING_DIVERGED',
      parts: { expected: 'finite weights' },
    });
    expect(() => readFileSync(checkpointOf(given))).toThrow('ENOENT');
  });
});
