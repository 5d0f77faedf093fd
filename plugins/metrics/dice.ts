import { defineOverlap } from './masks/overlap.ts';

export default defineOverlap({
  name: 'dice',
  summary: 'Dice coefficient 2 TP / (2 TP + FP + FN), also called F1.',
  references: ['Dice, Measures of the amount of ecologic association between species, Ecology 26, 1945'],
  of: ({ tp, fp, fn }) => (2 * tp) / (2 * tp + fp + fn),
});
