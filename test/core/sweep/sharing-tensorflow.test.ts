import { describe, it } from 'vitest';
import tensorflow from '../../../plugins/backends/tensorflow/index.ts';
import { sharingSuite } from './sharing.ts';

const ctx = { log: console, signal: new AbortController().signal, cacheDir: '.' };
const { available, detail } = await tensorflow.probe({ threads: null, device: 'any' }, ctx);

if (available) sharingSuite('tensorflow');
else describe.skip(`a shared sweep on tensorflow: ${detail}`, () => it('does not run here', () => undefined));
