import { EPS, targets, type Case, type Line, type ProfileLine, type Sample, type What } from './cases.ts';
import type { Peer } from './peer.ts';
import { median, milliseconds, otherWork, percent } from './timing.ts';

/** Times of one line of the table: medians in seconds. */
export interface Result {
  readonly network: string;
  readonly size: string;
  readonly line: Line;
  /** By backend. */
  readonly robust: Readonly<Record<string, number>>;
  /** By memory layout. */
  readonly pytorch: Readonly<Record<string, number>>;
  /** Time of the first backend over that of PyTorch's faster layout. */
  readonly ratio: number | null;
  readonly target: number | null;
  /** Of an input gradient: what the bare convolutions take, by backend. */
  readonly limit?: Readonly<Record<string, number>>;
  /** Share of the processors that other programs took before or after, by backend; absent on an idle machine. */
  readonly busy?: Readonly<Record<string, number>>;
  /** Remarks that the numbers need. */
  readonly notes: readonly string[];
}

/** Where the time of one call goes: the slowest operators, with their share of all. */
export interface Profile {
  readonly network: string;
  readonly size: string;
  readonly what: string;
  readonly backend: string;
  readonly lines: readonly (ProfileLine & { readonly share: number })[];
}

/** All that an invocation found. */
export interface Measured {
  readonly results: readonly Result[];
  readonly profiles: readonly Profile[];
}

export interface How {
  readonly rounds: number;
  readonly plain: boolean;
  readonly profile: boolean;
  readonly whats: readonly What[];
}

type Series = Map<string, Sample[]>;
const LAYOUTS = ['eager', 'channels_last'];

/** Everything about one network at one size. */
export async function measureCase(
  wanted: Case,
  ours: readonly Peer[],
  pytorch: Peer | undefined,
  how: How,
): Promise<Measured> {
  const [results, profiles]: [Result[], Profile[]] = [[], []];
  const whats = how.whats.filter((what) => what !== 'sweep');
  for (const what of whats) {
    const before = await otherWork();
    const ask = (peer: Peer, more = {}) => peer.ask<Sample>({ do: 'measure', what, case: wanted, ...more });
    const robust = ours.map((peer) => [peer.name, () => ask(peer)] as const);
    const comparable = what !== 'training' || wanted.outputs === 1;
    const peer = comparable ? await able(pytorch, wanted, what) : undefined;
    const theirs = peer ? LAYOUTS.map((layout) => [layout, () => ask(peer, { layout })] as const) : [];
    const [own, other] = await inTurns(robust, theirs, how.rounds);
    const busy = Math.max(before, await otherWork());
    const notes = agreement(what, own, other);
    const limit = what === 'gradient' ? await limits(wanted, ours) : undefined;
    results.push(line(wanted, what, { robust: medians(own), pytorch: medians(other), busy, notes, limit }));
    if (how.profile) for (const peer of ours) profiles.push(await profileOf(peer, wanted, what));
  }
  if (how.whats.includes('sweep')) {
    const peer = await able(pytorch, wanted, 'gradient');
    results.push(...(await measureSweep(wanted, ours, peer, how)));
  }
  return { results, profiles };
}

/** PyTorch, unless it refuses: it may have no counterpart of a layer, and trains no batch norm over a single value. */
async function able(pytorch: Peer | undefined, wanted: Case, what: What): Promise<Peer | undefined> {
  const trial = { do: 'measure', what, case: wanted, layout: 'eager' };
  try {
    await pytorch?.ask(trial);
    return pytorch;
  } catch (error) {
    console.error(`${what} of ${wanted.network} runs without PyTorch: ${(error as Error).message}`);
    return undefined;
  }
}

type Asking = readonly (readonly [name: string, ask: () => Promise<Sample>])[];

/** One sample of each in turn, so that whatever else the machine does meets all alike. */
async function inTurns(ours: Asking, theirs: Asking, rounds: number, warmUp = 1): Promise<[Series, Series]> {
  const series: [Series, Series] = [new Map(), new Map()];
  for (let round = -warmUp; round < rounds; round++) {
    for (const [side, asking] of [ours, theirs].entries()) {
      for (const [name, ask] of asking) {
        const sample = await ask();
        if (round >= 0) series[side]!.set(name, [...(series[side]!.get(name) ?? []), sample]);
      }
    }
  }
  return series;
}

function medians(series: Series): Record<string, number> {
  return Object.fromEntries(
    [...series].map(([name, samples]) => [name, median(samples.map(({ seconds }) => seconds))]),
  );
}

/** Two programs that compute other things are not comparable. Training draws dropout masks of its own on each side. */
function agreement(what: What, own: Series, other: Series): string[] {
  if (what === 'training') return [];
  const values = [...own, ...other].map(([, samples]) => samples[0]!.value!);
  const spread = Math.max(...values) / Math.min(...values) - 1;
  return spread < 1e-3 ? [] : [`results differ by ${(100 * spread).toFixed(2)} %`];
}

async function limits(wanted: Case, ours: readonly Peer[]): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const peer of ours) {
    const { seconds } = await peer.ask<Sample>({ do: 'limit', case: wanted });
    found[peer.name] = seconds;
  }
  return found;
}

/** The plain loop takes 327 gradients a batch where the shared one takes 69; unless asked for it is scaled up. */
async function measureSweep(
  wanted: Case,
  ours: readonly Peer[],
  pytorch: Peer | undefined,
  { rounds, plain }: How,
): Promise<Result[]> {
  const before = await otherWork();
  const turns = wanted.size === 'large' ? 1 : Math.min(rounds, 3);
  const loops = (loop: string) =>
    pytorch ? LAYOUTS.map((layout) => askLoop(pytorch, wanted, layout, loop)) : [];
  const robust = ours.map(
    (peer) => [peer.name, () => peer.ask<Sample>({ do: 'measure', what: 'sweep', case: wanted })] as const,
  );
  const [own, shared] = await inTurns(robust, loops('shared'), turns, 0);
  const busy = Math.max(before, await otherWork());
  const notes = [`${wanted.images} images`];
  const against = (name: Line, theirs: Record<string, number>, more: readonly string[] = []) =>
    line(wanted, name, { robust: medians(own), pytorch: theirs, busy, notes: [...notes, ...more] });
  const scaled = Object.fromEntries([...shared].map(([layout, samples]) => [layout, scaleUp(samples)]));
  const measured = plain ? medians((await inTurns([], loops('plain'), turns, 0))[1]) : scaled;
  const how = plain || !pytorch ? [] : ['327 gradients scaled up from 69'];
  return [against('sweep/plain', measured, how), against('sweep/shared', medians(shared))];
}

function askLoop(peer: Peer, wanted: Case, layout: string, loop: string) {
  const ask = () => peer.ask<Sample>({ do: 'sweep', case: wanted, layout, loop, eps: EPS });
  return [layout, ask] as const;
}

const PLAIN_GRADIENTS = EPS.reduce((sum, eps) => sum + Math.ceil(Math.min(eps + 4, 1.25 * eps)), 0);

/** More gradients and nothing else. */
function scaleUp(samples: readonly Sample[]): number {
  return median(
    samples.map(({ seconds, gradients, gradientSeconds }) => {
      return seconds + gradientSeconds! * (PLAIN_GRADIENTS / gradients! - 1);
    }),
  );
}

interface Found {
  readonly robust: Record<string, number>;
  readonly pytorch: Record<string, number>;
  readonly busy: number;
  readonly notes: readonly string[];
  readonly limit?: Record<string, number> | undefined;
}

/** Other programs that take less are there on every machine. */
const IDLE = 0.05;

function line({ network, size }: Case, name: Line, found: Found): Result {
  const { robust, pytorch, busy, notes, limit } = found;
  const [first] = Object.values(robust);
  const fastest = Math.min(...Object.values(pytorch));
  const ratio = first !== undefined && Number.isFinite(fastest) ? first / fastest : null;
  const target = targets[network]?.[size]?.[name] ?? null;
  const loaded = busy > IDLE && Object.fromEntries(Object.keys(robust).map((backend) => [backend, busy]));
  const result = {
    ...{ network, size, line: name, robust, pytorch, ratio, target },
    ...(limit && { limit }),
    ...(loaded && { busy: loaded }),
    notes,
  };
  console.log(summary(result));
  return result;
}

async function profileOf(peer: Peer, wanted: Case, what: What): Promise<Profile> {
  const { network, size } = wanted;
  const { lines } = await peer.ask<{ lines: ProfileLine[] }>({ do: 'profile', what, case: wanted });
  console.log(`\n${peer.name}: ${what} of ${network} ${size}, operator by operator`);
  const total = lines.reduce((sum, { seconds }) => sum + seconds, 0);
  const top = lines.slice(0, 14).map((each) => ({ ...each, share: each.seconds / total }));
  for (const { op, count, seconds, share } of top) {
    const time = `${milliseconds(seconds).padStart(9)} ms ${percent(share).padStart(8)}`;
    console.log(`${op.padEnd(34)} ${String(count).padStart(4)} x ${time}`);
  }
  return { network, size, what, backend: peer.name, lines: top };
}

/** A result in one line of a terminal. */
function summary({ network, size, line: name, robust, pytorch, ratio, target }: Result): string {
  const times = Object.entries({ ...robust, ...pytorch }).map(
    ([who, seconds]) => `${who} ${milliseconds(seconds)}`,
  );
  const wanted = target === null ? '' : ` (wanted ${target})`;
  const verdict = ratio === null ? '' : `: ratio ${ratio.toFixed(2)}${wanted}`;
  return `${network} ${size} ${name}${verdict}\n  ms: ${times.join(', ')}`;
}
