import { defineMetric, type Confusion } from '../../core/index.ts';

export default defineMetric({
  name: 'jaccard',
  summary: 'Jaccard index TP / (TP + FP + FN), also called intersection over union.',
  references: ['Jaccard, The Distribution of the Flora in the Alpine Zone, New Phytologist 11, 1912'],
  better: 'higher',
  empty: 'Prediction and truth both empty: `bothEmpty` (1 unless changed). Only one of them empty: 0.',
  options: {
    bothEmpty: {
      description: 'The value where prediction and truth are both empty.',
      enum: [1, 0, 'undefined'],
      default: 1,
    },
  },
  measure: ({ confusion }, { bothEmpty }) => jaccard(confusion, bothEmpty),
  pool: (confusion, { bothEmpty }) => jaccard(confusion, bothEmpty),
});

/** Related to Dice by J = D / (2 - D). */
function jaccard({ tp, fp, fn }: Confusion, bothEmpty: 0 | 1 | 'undefined'): number {
  const union = tp + fp + fn;
  return union > 0 ? tp / union : Number(bothEmpty);
}
