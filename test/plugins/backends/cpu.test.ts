import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import cpu from '../../../plugins/backends/cpu.ts';

const program = `
  import * as tf from '@tensorflow/tfjs-core';
  import cpu from './plugins/backends/cpu.ts';
  const { info } = await cpu.start({}, {});
  console.log(JSON.stringify([info, Array.from(tf.add([1, 2], 3).dataSync())]));
`;

test('runs in plain JavaScript, without a banner, and only when asked for by name', async () => {
  const script = `import('jiti').then(async ({ createJiti }) => {
    await createJiti(process.cwd() + '/').evalModule(${JSON.stringify(program)}, { async: true, filename: process.cwd() + '/program.ts' });
  })`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--eval', script]);
  const [info, sums] = JSON.parse(stdout) as [unknown, number[]];
  expect(stderr).toBe('');
  expect(info).toMatchObject({ backend: 'cpu', device: 'CPU', threads: 1 });
  expect(sums).toEqual([4, 5]);
  expect(cpu.preference).toBe(0);
});
