import type { Report } from '../../../core/index.ts';

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1,234 gradients, 56 forward passes, 64.2 s, 0.6 GB of memory`, and the tensors that something forgot. */
export function costOf({ cost, memory }: Pick<Report, 'cost' | 'memory'>): string {
  const { gradients, forwards, seconds } = cost;
  const work = [`${count(gradients)} gradients`, `${count(forwards)} forward passes`];
  const time = `${seconds.toFixed(1)} s`;
  if (!memory) return [...work, time].join(', ');
  const { peakBytes, tensors } = memory;
  const forgotten = tensors > 0 ? [`${count(tensors)} tensors never disposed of`] : [];
  return [...work, time, `${(peakBytes / 1e9).toFixed(1)} GB of memory`, ...forgotten].join(', ');
}
