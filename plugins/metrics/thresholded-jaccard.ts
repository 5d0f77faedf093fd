import { defineMetric } from '../../core/index.ts';
import { emptyOptions, emptySentence, emptyValue } from './masks/empty.ts';
import { jaccardOf } from './masks/overlap.ts';

export default defineMetric({
  name: 'thresholded-jaccard',
  summary: 'Jaccard index, counted as 0 below a threshold: how much remains of what is good enough.',
  references: ['Codella et al., Skin Lesion Analysis Toward Melanoma Detection 2018, arXiv:1902.03368'],
  better: 'higher',
  empty: emptySentence('1', '0'),
  options: {
    ...emptyOptions,
    threshold: {
      description: 'The smallest index that counts.',
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.65,
    },
  },
  measure({ confusion }, { threshold, ...policy }) {
    const { tp, fp, fn } = confusion;
    const jaccard = emptyValue(tp + fp, tp + fn, policy, 1, 0) ?? jaccardOf(confusion);
    return jaccard < threshold ? 0 : jaccard;
  },
});
