import { defineMetric } from '../../core/index.ts';

export default defineMetric({
  name: 'area-error',
  summary: 'How far the predicted area is from the true one: |P - T| / T, or |P - T| in square mm or pixels.',
  references: [
    'Heimann et al., Comparison and evaluation of methods for liver segmentation, IEEE TMI 28, 2009',
  ],
  better: 'lower',
  empty: 'Relative: both empty 0, only the prediction 1, only the truth undefined. In mm: defined for all.',
  options: {
    unit: {
      description:
        'relative to the true area, or absolute: in square mm where the spacing is known, else pixels.',
      enum: ['relative', 'absolute'],
      default: 'relative',
    },
  },
  measure({ confusion: { tp, fp, fn }, spacing: [vertical, horizontal] = [1, 1] }, { unit }) {
    const difference = Math.abs(fp - fn);
    if (unit === 'absolute') return difference * vertical * horizontal;
    const actual = tp + fn;
    if (actual > 0) return difference / actual;
    return difference === 0 ? 0 : NaN;
  },
});
