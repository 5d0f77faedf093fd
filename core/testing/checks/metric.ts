import assert from 'node:assert/strict';
import type { MetricPlugin } from '../../plugin.ts';
import { makeRandom } from '../../random.ts';
import type { MaskPair } from '../../vocabulary.ts';
import { maskPair } from '../toys.ts';
import type { AnyOptions, Check, ContractSettings } from './check.ts';
import { metadataChecks, resolvedOptions } from './metadata.ts';

export interface MetricSettings extends ContractSettings {
  /** Whether exchanging prediction and truth changes nothing; true unless given. The suite proves either claim. */
  readonly symmetric?: boolean;
  /** Whether an empty prediction is as good as a perfect one, as it is for specificity; the suite proves it. */
  readonly contentWithNothing?: boolean;
}

/** What every metric must satisfy. */
export function metricChecks(plugin: MetricPlugin, settings: MetricSettings = {}): Check[] {
  const metric = () => new Probe(plugin, resolvedOptions(plugin, settings.options));
  const check = (name: string, run: (probe: Probe) => void): Check => ({ name, run: () => run(metric()) });
  return [
    ...metadataChecks(plugin, settings),
    check('is a number wherever prediction and truth hold something', definedWhereNotEmpty),
    check('gives the same value again, and leaves the masks alone', repeatable),
    check('gives a perfect prediction the best value of all', perfectIsBest),
    check('gives an inverted prediction a worse value than a perfect one', (probe) =>
      wrongIsWorse(probe, (truth) => truth.map((value) => 1 - value)),
    ),
    settings.contentWithNothing
      ? check('gives an empty prediction the value of a perfect one', emptyIsPerfect)
      : check('gives an empty prediction a worse value than a perfect one', (probe) =>
          wrongIsWorse(probe, () => empty(area)),
        ),
    check('follows its declared policy for empty masks', declaredPolicy),
    check('does not care which way round an image lies', flipInvariant),
    check(
      `is ${settings.symmetric === false ? 'asymmetric' : 'symmetric'} in prediction and truth`,
      (probe) => symmetry(probe, settings.symmetric !== false),
    ),
    check('pools the counts of one image to the value of that image', pooledOfOne),
  ];
}

/** A metric with its options. */
class Probe {
  readonly plugin: MetricPlugin;
  readonly options: AnyOptions;

  constructor(plugin: MetricPlugin, options: AnyOptions) {
    this.plugin = plugin;
    this.options = options;
  }

  of(pair: MaskPair): number {
    return this.plugin.measure(pair, this.options);
  }

  /** How much better `a` is than `b`. */
  gain(a: MaskPair, b: MaskPair): number {
    return (this.of(a) - this.of(b)) * (this.plugin.better === 'higher' ? 1 : -1);
  }
}

const shape = [7, 5] as const;
const area = shape[0] * shape[1];
const random = makeRandom(0);

/** Masks of every density, none of them empty. */
function randomMask(key: string | number): Uint8Array {
  const { uniform, below } = random('mask', key);
  const density = uniform();
  const mask = Uint8Array.from({ length: area }, () => Number(uniform() < density));
  mask[below(area)] = 1;
  return mask;
}

function randomPairs(): MaskPair[] {
  return Array.from({ length: 40 }, (_, i) =>
    maskPair(shape, randomMask(`prediction ${i}`), randomMask(`truth ${i}`)),
  );
}

const perfect = ({ truth }: MaskPair) => maskPair(shape, truth, truth);
const empty = (size: number) => new Uint8Array(size);

function definedWhereNotEmpty(probe: Probe): void {
  for (const pair of randomPairs()) {
    const value = probe.of(pair);
    assert(Number.isFinite(value), `${value} for ${JSON.stringify(pair.confusion)}`);
  }
}

function repeatable(probe: Probe): void {
  for (const pair of randomPairs()) {
    const before = structuredClone(pair);
    const value = probe.of(pair);
    assert.deepEqual(pair, before, 'the masks were changed');
    assert.equal(probe.of(pair), value);
  }
}

function perfectIsBest(probe: Probe): void {
  const best = probe.of(perfect(randomPairs()[0]!));
  for (const pair of randomPairs()) {
    assert.equal(probe.of(perfect(pair)), best, 'perfect predictions differ in value');
    const gain = probe.gain(perfect(pair), pair);
    assert(
      gain >= 0,
      `a prediction with ${JSON.stringify(pair.confusion)} beats the perfect one by ${-gain}`,
    );
  }
}

function wrongIsWorse(probe: Probe, predict: (truth: Uint8Array) => Uint8Array): void {
  for (const pair of randomPairs()) {
    const wrong = maskPair(shape, predict(pair.truth), pair.truth);
    const gain = probe.gain(perfect(pair), wrong);
    assert(Number.isNaN(gain) || gain > 0, `no worse than perfect: ${JSON.stringify(wrong.confusion)}`);
  }
}

function emptyIsPerfect(probe: Probe): void {
  for (const pair of randomPairs().filter(({ truth }) => truth.includes(0)))
    assert.equal(probe.of(maskPair(shape, empty(area), pair.truth)), probe.of(perfect(pair)));
}

/** The values must be those that the plugin's own sentence names; one that depends on the masks cannot be named. */
function declaredPolicy(probe: Probe): void {
  const cases = {
    'both empty': [maskPair(shape, empty(area), empty(area)), maskPair([2, 3], empty(6), empty(6))],
    // In images of two sizes: the worst distance depends on the size, and has no value to be named.
    'empty prediction': [
      ...randomPairs().map(({ truth }) => maskPair(shape, empty(area), truth)),
      maskPair([1, 2], [0, 0], [0, 1]),
    ],
    'empty truth': [
      ...randomPairs().map(({ prediction }) => maskPair(shape, prediction, empty(area))),
      maskPair([1, 2], [0, 1], [0, 0]),
    ],
  };
  for (const [name, pairs] of Object.entries(cases)) {
    const values = new Set(pairs.map((pair) => probe.of(pair)));
    assert(!values.has(Infinity) && !values.has(-Infinity), `${name}: infinite; NaN stands for undefined`);
    const named = values.has(NaN) ? 'undefined' : values.size === 1 ? String([...values][0]) : '';
    assert(!values.has(NaN) || values.size === 1, `${name}: sometimes undefined, sometimes not`);
    assert(
      probe.plugin.empty.includes(named),
      `${name} gives ${named}, which '${probe.plugin.empty}' does not say`,
    );
  }
}

/** Rows from bottom to top and columns from right to left: the array reversed. */
function flipInvariant(probe: Probe): void {
  for (const pair of randomPairs()) {
    const flipped = maskPair(shape, pair.prediction.toReversed(), pair.truth.toReversed());
    assert(Math.abs(probe.of(flipped) - probe.of(pair)) <= 1e-9 * Math.max(1, Math.abs(probe.of(pair))));
  }
}

function symmetry(probe: Probe, expected: boolean): void {
  const differing = randomPairs().filter(
    (pair) => probe.of(pair) !== probe.of(maskPair(shape, pair.truth, pair.prediction)),
  );
  if (expected)
    assert.equal(
      differing.length,
      0,
      'exchanging prediction and truth matters; say `symmetric: false` if meant',
    );
  else
    assert.notEqual(
      differing.length,
      0,
      'exchanging prediction and truth never matters; drop `symmetric: false`',
    );
}

function pooledOfOne(probe: Probe): void {
  for (const pair of randomPairs()) {
    const pooled = probe.plugin.pool?.(pair.confusion, probe.options);
    if (pooled !== undefined) assert.equal(pooled, probe.of(pair));
  }
}
