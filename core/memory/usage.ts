import { readFileSync, writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { MemoryUse } from '../vocabulary.ts';

/** The most memory that the process has held so far, and the tensors it holds now. */
export function memoryUse(): MemoryUse {
  return { peakBytes: process.resourceUsage().maxRSS * 1024, tensors: tf.memory().numTensors };
}

/** The most memory of the process while `work` runs: bytes. Only Linux forgets earlier peaks. */
export async function peakOf(work: () => Promise<void>): Promise<number> {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // The peak of the whole process stands in.
  }
  await work();
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))![1]) * 1024;
  } catch {
    return memoryUse().peakBytes;
  }
}

/** Whether an engine says that memory did not suffice; each says it in words of its own. */
export function isOutOfMemory(error: unknown): boolean {
  const words =
    /out of memory|\bOOM\b|(failed|cannot|unable) to allocate|allocation failed|RESOURCE_EXHAUSTED/i;
  return error instanceof Error && words.test(error.message);
}
