import { expect, test } from 'vitest';
import { RobustError, parseEps } from '../../../core/index.ts';

const grey = { low: 0, high: 255, step: 1 };
const unit = { low: 0, high: 1, step: 1 / 255 };
const shifted = { low: -1000, high: 1000, step: 1 };

test.each([
  [8, grey, 8],
  [0, grey, 0],
  [255, grey, 255],
  ['8', grey, 8],
  [' 0.5 ', grey, 0.5],
  ['8/255', grey, 8],
  ['8 / 255', unit, 8 / 255],
  ['1/2', shifted, 1000],
  ['1e-1', unit, 0.1],
])('%j on %j is %d', (value, domain, eps) => {
  expect(parseEps(value, domain)).toBe(eps);
});

test.each([
  [-1, grey],
  [NaN, grey],
  [Infinity, grey],
  [256, grey],
  ['2/1', grey],
  ['-8/255', grey],
  ['8/0', grey],
  ['0/0', grey],
  ['eight', grey],
  ['', grey],
  ['8/255/2', grey],
  [8, unit],
])('%j on %j is refused', (value, domain) => {
  expect(() => parseEps(value, domain)).toThrowError(RobustError);
  try {
    parseEps(value, domain);
  } catch (error) {
    expect(error).toMatchObject({ code: 'BUDGET_INVALID' });
    expect((error as RobustError).parts.expected).toContain(
      `the images lie in ${domain.low}..${domain.high}`,
    );
  }
});
