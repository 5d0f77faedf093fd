import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RobustError } from '../errors/index.ts';
import { buildNetwork, type Network } from '../models/network.ts';
import { networkSegmenter } from '../models/segmenter.ts';
import { adoptWeights, loadWeights } from '../models/weights.ts';
import type { NetworkPlugin } from '../plugin.ts';
import { readTrainingLog } from '../training/record.ts';
import { trainNetwork } from '../training/trainer.ts';
import type { Segmenter } from '../vocabulary.ts';
import type { SubjectRequest } from './request.ts';

/** What a model plugin contributes to its hook: a segmenter, trained first where its weights are missing. */
export async function openModel(request: SubjectRequest): Promise<Segmenter> {
  const { model } = request.spec;
  if ('open' in model.plugin) {
    return model.plugin.open(
      { ...request.request, train: request.dataset.train },
      model.options,
      request.ctx,
    );
  }
  const network = makeNetwork(model.plugin, request);
  try {
    await bringWeights(network, request);
    return await networkSegmenter(network);
  } catch (error) {
    network.dispose();
    throw error;
  }
}

function makeNetwork(plugin: NetworkPlugin, { spec, request, ctx, onParameters }: SubjectRequest): Network {
  const network = buildNetwork(plugin, spec.model.options, spec.defenses, request, ctx);
  onParameters(network.parameters);
  return network;
}

/** Given weights are taken as they are; others are trained, which ends at once where a run did that before. */
async function bringWeights(network: Network, request: SubjectRequest): Promise<void> {
  const { spec, dataset, engine, seed, dir, ctx } = request;
  const weightsDir = spec.weights ?? join(dir, 'weights');
  if (spec.weights !== null && existsSync(join(spec.weights, 'model.json'))) {
    await loadWeights(network.model, spec.weights);
    const log = await readTrainingLog(spec.weights);
    return log && request.onTrained(log.epochs);
  }
  if (spec.tile) throw untrained(spec);
  if (request.startDir !== null) await startFrom(network, request.startDir, request);
  const { epochs } = await trainNetwork({
    network,
    dataset,
    config: spec.training,
    seed,
    identity: [spec.model.options, spec.defenses.map(({ plugin, options }) => [plugin.name, options])],
    checkpointDir: join(dir, 'checkpoint'),
    weightsDir,
    signal: ctx.signal,
    log: ctx.log,
    ...(engine.compile && { compile: engine.compile.bind(engine) }),
    onProgress: request.onTraining,
  });
  request.onTrained(epochs);
}

function untrained({ name, weights }: SubjectRequest['spec']): RobustError {
  return new RobustError('CONFIG_INVALID', {
    message: 'A network that sees tiles must come with its weights.',
    where: `subjects.${name}.tile`,
    expected: '`weights`, a folder with model.json',
    received: weights ?? 'no weights',
    next: 'train it first on images of the size of a tile',
  });
}

async function startFrom({ model }: Network, dir: string, { spec, ctx }: SubjectRequest): Promise<void> {
  const taken = await adoptWeights(model, dir);
  ctx.log.debug(
    `${spec.name}: ${taken} of ${model.weights.length} weights start as those of ${spec.weightsFrom}`,
  );
}
