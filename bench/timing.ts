import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Sample } from './cases.ts';

/** Calls shorter than this are repeated, so that the clock and a single interruption do not matter. */
const SECONDS = 0.3;

/** The mean time of a call that has run before. */
export async function repeated(call: () => Promise<number>): Promise<Sample> {
  const started = performance.now();
  let value = 0;
  let calls = 0;
  let seconds = 0;
  for (; seconds < SECONDS; calls++, seconds = (performance.now() - started) / 1000) value = await call();
  return { seconds: seconds / calls, value };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function milliseconds(seconds: number): string {
  const ms = 1000 * seconds;
  return ms.toFixed(ms < 10 ? 2 : ms < 100 ? 1 : 0);
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** Share of the processors, 0 to 1, that is in use during half a second in which nothing here runs. */
export async function otherWork(): Promise<number> {
  const before = cpus();
  await setTimeout(500);
  const [busy, idle] = [0, 1].map((which) =>
    cpus().reduce((sum, { times }, at) => sum + used(times)[which]! - used(before[at]!.times)[which]!, 0),
  );
  return busy! / (busy! + idle!);
}

function used({ idle, ...busy }: ReturnType<typeof cpus>[number]['times']): [busy: number, idle: number] {
  return [Object.values(busy).reduce((a, b) => a + b, 0), idle];
}
