import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingConfig } from '../config/types.ts';
import type { TrainingEpoch } from '../vocabulary.ts';
import type { TrainingKey } from './checkpoint.ts';

/** The content of `training.json`: how stored weights came about. */
export interface TrainingLog {
  readonly schema: 'robust-training/1';
  readonly key: TrainingKey;
  readonly config: TrainingConfig;
  readonly epochs: readonly TrainingEpoch[];
}

const FILE = 'training.json';

/** Writes `training.json` beside the weights. */
export async function writeTrainingLog(
  dir: string,
  key: TrainingKey,
  config: TrainingConfig,
  epochs: readonly TrainingEpoch[],
): Promise<void> {
  const content: TrainingLog = { schema: 'robust-training/1', key, config, epochs };
  await writeFile(join(dir, FILE), `${JSON.stringify(content, null, 2)}\n`);
}

/** The log beside stored weights; undefined where there is none that this program wrote. */
export async function readTrainingLog(dir: string): Promise<TrainingLog | undefined> {
  const file = join(dir, FILE);
  if (!existsSync(file)) return undefined;
  const log = JSON.parse(await readFile(file, 'utf8')) as TrainingLog;
  return log.schema === 'robust-training/1' ? log : undefined;
}
