/** Trains in a process of its own and kills it in the middle of an epoch: `killed.ts CHECKPOINT_DIR EPOCHS`. */
import * as tf from '@tensorflow/tfjs-core';
import { trainNetwork } from '../../../core/training/trainer.ts';
import { config, request } from './helpers.ts';

await tf.setBackend('cpu');
const [checkpointDir, epochs] = process.argv.slice(2);
await trainNetwork({
  ...request({ config: { ...config, epochs: Number(epochs) } }),
  checkpointDir: checkpointDir!,
  onProgress: ({ epoch, step }) => void (epoch === 3 && step === 2 && process.kill(process.pid, 'SIGKILL')),
});
