import { describe, expect, it } from 'vitest';
import type { Row } from '../../../core/index.ts';
import { makeRandom } from '../../../core/random.ts';
import { makeCurves } from '../../../core/statistics/curves.ts';
import dice from '../../../plugins/metrics/dice.ts';

const metrics = [{ plugin: dice as never, options: { bothEmpty: 'best', oneEmpty: 'worst' } }];

function row(attack: string, eps: number, sample: string, value: number | null, tp = 1, fn = 0): Row {
  const counts = { tp, fp: 0, fn, tn: 0 };
  const place = { cell: `a/${attack}/${eps}`, subject: 'a', attack, eps, sample, group: sample };
  return { ...place, linf: eps, gradients: 1, values: { dice: value }, confusion: [counts] };
}

describe('makeCurves', () => {
  it('starts every curve at the clean score and sorts by eps', () => {
    const rows = [
      row('clean', 0, 's', 0.9),
      row('x', 8, 's', 0.2),
      row('x', 2, 's', 0.5),
      row('x', 0, 's', 0.9),
    ];
    const [curve] = makeCurves(rows, metrics, makeRandom(1));
    expect(curve).toMatchObject({ subject: 'a', attack: 'x', metric: 'dice' });
    expect(curve!.points.map(({ eps, mean }) => [eps, mean])).toEqual([
      [0, 0.9],
      [2, 0.5],
      [8, 0.2],
    ]);
  });

  it('counts undefined values instead of dropping them silently', () => {
    const rows = [
      row('clean', 0, 's', 1),
      row('clean', 0, 't', null),
      row('x', 2, 's', null),
      row('x', 2, 't', null),
    ];
    const [{ points } = { points: [] }] = makeCurves(rows, metrics, makeRandom(1));
    expect(points[0]).toMatchObject({ mean: 1, n: 1, undefined: 1 });
    expect(points[1]).toMatchObject({ mean: null, low: null, high: null, n: 0, undefined: 2 });
  });

  it('pools counts, which is not the mean of the values', () => {
    const rows = [row('clean', 0, 's', 1, 10, 0), row('clean', 0, 't', 0, 0, 90), row('x', 1, 's', 1)];
    const [{ points } = { points: [] }] = makeCurves(rows, metrics, makeRandom(1));
    expect(points[0]).toMatchObject({ mean: 0.5, pooled: 20 / 110 });
  });
});
