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
    const [curve] = makeCurves(rows, metrics, ['background', 'lung'], makeRandom(1));
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
    const [{ points } = { points: [] }] = makeCurves(rows, metrics, ['background', 'lung'], makeRandom(1));
    expect(points[0]).toMatchObject({ mean: 1, n: 1, undefined: 1 });
    expect(points[1]).toMatchObject({ mean: null, low: null, high: null, n: 0, undefined: 2 });
  });

  it('pools counts, which is not the mean of the values', () => {
    const rows = [row('clean', 0, 's', 1, 10, 0), row('clean', 0, 't', 0, 0, 90), row('x', 1, 's', 1)];
    const [{ points } = { points: [] }] = makeCurves(rows, metrics, ['background', 'lung'], makeRandom(1));
    expect(points[0]).toMatchObject({ mean: 0.5, pooled: 20 / 110 });
  });

  it('draws a curve for each of several classes, beside that of their mean', () => {
    const [one, other] = [
      { tp: 1, fp: 0, fn: 0, tn: 0 },
      { tp: 1, fp: 1, fn: 1, tn: 0 },
    ];
    const values = { dice: 0.75, 'dice:lung': 1, 'dice:heart': 0.5 };
    const rows = [row('clean', 0, 's', 0), row('x', 1, 's', 0)].map((each) => ({
      ...each,
      values,
      confusion: [one, other],
    }));
    const curves = makeCurves(rows, metrics, ['background', 'lung', 'heart'], makeRandom(1));
    expect(curves.map(({ metric, points }) => [metric, points[0]!.mean, points[0]!.pooled])).toEqual([
      ['dice', 0.75, 0.75],
      ['dice:lung', 1, 1],
      ['dice:heart', 0.5, 0.5],
    ]);
  });
});
