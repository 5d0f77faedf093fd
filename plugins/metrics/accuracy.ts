import { defineMetric, type Confusion } from '../../core/index.ts';

export default defineMetric({
  name: 'accuracy',
  summary: 'Part of the pixels that are classified correctly, (TP + TN) / all.',
  better: 'higher',
  empty: 'Defined for empty masks too; both empty: 1.',
  options: {},
  measure: ({ confusion }) => accuracy(confusion),
  pool: accuracy,
});

function accuracy({ tp, fp, fn, tn }: Confusion): number {
  return (tp + tn) / (tp + fp + fn + tn);
}
