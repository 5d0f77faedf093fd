import { crossEntropy, defineAttack } from '../../core/index.ts';
import { projectedAscent, projectedOptions } from './shared/projected.ts';

export default defineAttack({
  name: 'pgd',
  summary: 'Projected gradient ascent from random starts; of each image the worst restart counts.',
  references: ['Madry et al., Towards Deep Learning Models Resistant to Adversarial Attacks, ICLR 2018'],
  norm: 'linf',
  options: projectedOptions,
  perturb: (request, options, ctx) => projectedAscent('pgd', request, options, ctx, crossEntropy),
});
