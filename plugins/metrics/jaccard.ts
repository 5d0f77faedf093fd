import { defineOverlap, jaccardOf } from './masks/overlap.ts';

/** Related to Dice by J = D / (2 - D). */
export default defineOverlap({
  name: 'jaccard',
  summary: 'Jaccard index TP / (TP + FP + FN), also called intersection over union.',
  references: ['Jaccard, The Distribution of the Flora in the Alpine Zone, New Phytologist 11, 1912'],
  of: jaccardOf,
});
