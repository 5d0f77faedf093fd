import { defineMetric, type Confusion } from '../../core/index.ts';

export default defineMetric({
  name: 'dice',
  summary: 'Dice coefficient 2 TP / (2 TP + FP + FN), also called F1.',
  references: ['Dice, Measures of the amount of ecologic association between species, Ecology 26, 1945'],
  better: 'higher',
  empty: 'Prediction and truth both empty: `bothEmpty` (1 unless changed). Only one of them empty: 0.',
  options: {
    bothEmpty: {
      description: 'The value where prediction and truth are both empty.',
      enum: [1, 0, 'undefined'],
      default: 1,
    },
  },
  measure: ({ confusion }, { bothEmpty }) => dice(confusion, bothEmpty),
  pool: (confusion, { bothEmpty }) => dice(confusion, bothEmpty),
});

function dice({ tp, fp, fn }: Confusion, bothEmpty: 0 | 1 | 'undefined'): number {
  const size = 2 * tp + fp + fn;
  return size > 0 ? (2 * tp) / size : Number(bothEmpty);
}
