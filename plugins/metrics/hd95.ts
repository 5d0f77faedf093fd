import { defineMetric } from '../../core/index.ts';
import { distance, measured } from './masks/distances.ts';
import { bothWays, percentile } from './masks/surface.ts';

export default defineMetric({
  ...distance,
  name: 'hd95',
  summary:
    'Hausdorff distance without the farthest 5 % of the surface, in mm where the spacing is known, else pixels.',
  references: ['Huttenlocher et al., Comparing images using the Hausdorff distance, IEEE TPAMI 15, 1993'],
  options: {
    ...distance.options,
    variant: {
      description:
        'directed: the larger of the 95th percentiles of both directions (MONAI). pooled: the 95th percentile of ' +
        'both directions together (medpy).',
      enum: ['directed', 'pooled'],
      default: 'directed',
    },
  },
  measure: (pair, { variant, ...policy }) =>
    measured(pair, policy, (distances) =>
      variant === 'pooled'
        ? percentile(bothWays(distances), 0.95)
        : Math.max(percentile(distances.toTruth, 0.95), percentile(distances.toPrediction, 0.95)),
    ),
});
