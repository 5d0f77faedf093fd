import { defineOverlap } from './masks/overlap.ts';

export default defineOverlap({
  name: 'sensitivity',
  summary: 'Part of the true foreground that is found, TP / (TP + FN), also called recall.',
  references: ['Yerushalmy, Statistical problems in assessing methods of medical diagnosis, 1947'],
  of: ({ tp, fn }) => tp / (tp + fn),
});
