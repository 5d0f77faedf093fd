import { defineMetric, type Confusion } from '../../core/index.ts';
import { emptyOptions, emptyValue, type EmptyPolicy } from './masks/empty.ts';

export default defineMetric({
  name: 'specificity',
  summary: 'Part of the true background that is left alone, TN / (TN + FP).',
  references: ['Yerushalmy, Statistical problems in assessing methods of medical diagnosis, 1947'],
  better: 'higher',
  empty:
    'Empty prediction: 1. It is the sensitivity of the background, so `bothEmpty` and `oneEmpty` speak of masks ' +
    'that fill the image.',
  options: emptyOptions,
  measure: ({ confusion }, policy) => specificity(confusion, policy),
  pool: specificity,
});

function specificity({ fp, fn, tn }: Confusion, policy: EmptyPolicy): number {
  return emptyValue(tn + fn, tn + fp, policy, 1, 0) ?? tn / (tn + fp);
}
