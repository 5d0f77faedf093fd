import { defineMetric } from '../../core/index.ts';
import { emptyOptions, emptySentence, emptyValue } from './masks/empty.ts';
import { bothWays, surfaceDistances } from './masks/surface.ts';

export default defineMetric({
  name: 'surface-dice',
  summary: 'Part of both surfaces that lies within a tolerance of the other one, also called NSD.',
  references: ['Nikolov et al., Clinically applicable segmentation of head and neck anatomy, JMIR 23, 2021'],
  better: 'higher',
  empty: emptySentence('1', '0'),
  options: {
    ...emptyOptions,
    tolerance: {
      description:
        'Largest distance that counts as agreement, in mm where the spacing is known, else in pixels.',
      type: 'number',
      minimum: 0,
      default: 2,
    },
  },
  measure(pair, { tolerance, ...policy }) {
    const { tp, fp, fn } = pair.confusion;
    const set = emptyValue(tp + fp, tp + fn, policy, 1, 0);
    if (set !== undefined) return set;
    const all = bothWays(surfaceDistances(pair));
    return all.filter((each) => each <= tolerance).length / all.length;
  },
});
