import { defineMetric } from '../../core/index.ts';

export default defineMetric({
  name: 'expected-calibration-error',
  summary: 'How far the probability of the foreground is from its frequency, over bins of equal width.',
  references: ['Guo et al., On Calibration of Modern Neural Networks, ICML 2017'],
  better: 'lower',
  needs: { probability: true },
  empty: 'Defined for empty masks too; both empty, and surely so: 0.',
  options: {
    bins: {
      description: 'Bins from 0 to 1, each with its lower edge.',
      type: 'integer',
      minimum: 1,
      default: 15,
    },
  },
  measure({ probability, truth, ignored }, { bins }) {
    if (!probability) return NaN;
    const gaps = new Float64Array(bins);
    let counted = 0;
    for (let i = 0; i < truth.length; i++) {
      if (ignored?.[i]) continue;
      counted++;
      const bin = Math.min(Math.floor(probability[i]! * bins), bins - 1);
      gaps[bin]! += probability[i]! - truth[i]!;
    }
    return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / counted;
  },
});
