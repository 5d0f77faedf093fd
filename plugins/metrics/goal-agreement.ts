import { defineMetric } from '../../core/index.ts';

export default defineMetric({
  name: 'goal-agreement',
  summary: 'Part of the pixels that a targeted attack brought to its goal mask.',
  better: 'lower',
  needs: { goal: true },
  empty:
    'Defined for empty masks too; both empty: 0 where all should become foreground. Without a goal (clean images, ' +
    'untargeted attacks) undefined.',
  options: {},
  measure({ prediction, goal, ignored }) {
    if (!goal) return NaN;
    let reached = 0;
    let counted = 0;
    for (let i = 0; i < goal.length; i++) {
      if (ignored?.[i]) continue;
      counted++;
      reached += Number(prediction[i] === goal[i]);
    }
    return reached / counted;
  },
});
