import { defineAttack } from '../../core/index.ts';
import { noisy } from './shared/noise.ts';
import { worstOf } from './shared/worst.ts';

export default defineAttack({
  name: 'random-noise',
  summary: 'Adds or takes eps at random in every value: what no search at all reaches, a floor for attacks.',
  norm: 'linf',
  options: {
    draws: {
      description: 'Random images, of which the worst one counts.',
      type: 'integer',
      minimum: 1,
      default: 10,
    },
  },
  perturb: (request, { draws }, ctx) =>
    worstOf(draws, request, ctx, (draw) =>
      noisy(request, ctx, ['random-noise', draw], (random) => (random.uniform() < 0.5 ? -1 : 1)),
    ),
});
