import { defineMetric } from '../../core/index.ts';
import { distance, measured } from './masks/distances.ts';

export default defineMetric({
  ...distance,
  name: 'assd',
  summary:
    'Mean distance between the surfaces, both directions together, in mm where the spacing is known, else pixels.',
  references: [
    'Heimann et al., Comparison and evaluation of methods for liver segmentation, IEEE TMI 28, 2009',
  ],
  measure: (pair, policy) =>
    measured(pair, policy, ({ toTruth, toPrediction }) => {
      const total = (distances: Float64Array) => distances.reduce((sum, each) => sum + each, 0);
      return (total(toTruth) + total(toPrediction)) / (toTruth.length + toPrediction.length);
    }),
});
