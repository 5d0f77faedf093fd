/**
 * The self-test as a program: `node selftest-child.js <addon>` prints one line of JSON. A child process, because a
 * library that does not fit the processor or the driver does not throw, it ends the process.
 */
import { loadTensorFlow } from './load.ts';
import { selfTest } from '../../../core/index.ts';

const { tf, info } = loadTensorFlow({ addon: process.argv[2]! });
const tests = await selfTest(tf);
process.stdout.write(`${JSON.stringify({ info, tests })}\n`);
