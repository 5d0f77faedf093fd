import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingConfig } from '../config/types.ts';
import type { EpochRecord, TrainingKey } from './checkpoint.ts';

/** The content of `training.json`: how stored weights came about. */
export interface TrainingLog {
  readonly schema: 'robust-training/1';
  readonly key: TrainingKey;
  readonly config: TrainingConfig;
  readonly epochs: readonly EpochRecord[];
}

/** Writes `training.json` beside the weights. */
export async function writeTrainingLog(
  dir: string,
  key: TrainingKey,
  config: TrainingConfig,
  epochs: readonly EpochRecord[],
): Promise<void> {
  const content: TrainingLog = { schema: 'robust-training/1', key, config, epochs };
  await writeFile(join(dir, 'training.json'), `${JSON.stringify(content, null, 2)}\n`);
}
