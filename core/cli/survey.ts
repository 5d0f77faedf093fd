import { createHash } from 'node:crypto';
import { RobustError } from '../errors/index.ts';
import { few } from '../images/index.ts';
import type { Dataset, Sample, Split } from '../vocabulary.ts';

/** What the samples of one split look like. */
interface SplitSurvey {
  readonly images: number;
  readonly groups: number;
  /** Share of the pixels per foreground class, over images; null where there is no image. */
  readonly foreground: readonly {
    readonly name: string;
    readonly mean: number | null;
    readonly min: number | null;
    readonly max: number | null;
  }[];
}

/** What a data set holds. */
export interface Survey {
  readonly size: readonly [height: number, width: number, channels: number];
  readonly train: SplitSurvey;
  readonly test: SplitSurvey;
  /** What a person should look at: the notes of the data set, and what its samples show. */
  readonly problems: readonly string[];
}

/** The part of a sample that is kept. */
interface Facts {
  readonly id: string;
  readonly group: string;
  /** Pixels per class, the background included, as shares. */
  readonly shares: readonly number[];
  readonly blank: boolean;
  readonly hash: string;
}

/** Reads every sample once. Those that cannot be read become problems. */
export async function surveyDataset(data: Dataset, signal: AbortSignal): Promise<Survey> {
  const failed: string[] = [];
  const read = async (split: Split): Promise<Facts[]> => {
    const facts: Facts[] = [];
    for (const index of split.ids.keys()) {
      signal.throwIfAborted();
      const sample = await split.get(index).catch((error: unknown) => {
        if (!(error instanceof RobustError)) throw error;
        failed.push(`${split.ids[index]} cannot be read: ${error.parts.message} ${error.parts.where ?? ''}`);
      });
      if (sample) facts.push(factsOf(sample, data.classes.length));
    }
    return facts;
  };
  const train = await read(data.train);
  const test = await read(data.test);
  return {
    size: [data.height, data.width, data.channels],
    train: summary(train, data.classes),
    test: summary(test, data.classes),
    problems: [...data.notes, ...failed, ...problems(train, test)],
  };
}

function factsOf({ id, group = id, image, mask }: Sample, classes: number): Facts {
  const counts = new Array<number>(classes).fill(0);
  // Pixels that count nowhere have no place here.
  for (const value of mask.data) if (value < classes) counts[value]! += 1;
  const [first] = image.data;
  return {
    id,
    group,
    shares: counts.map((count) => count / mask.data.length),
    blank: image.data.every((value) => value === first),
    hash: createHash('sha256').update(new Uint8Array(image.data.buffer)).digest('hex'),
  };
}

function summary(facts: readonly Facts[], classes: readonly string[]): SplitSurvey {
  const foreground = classes.slice(1).map((name, k) => {
    const shares = facts.map((one) => one.shares[k + 1]!);
    if (shares.length === 0) return { name, mean: null, min: null, max: null };
    const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    const order = shares.toSorted((a, b) => a - b);
    return { name, mean, min: order[0]!, max: order.at(-1)! };
  });
  return { images: facts.length, groups: new Set(facts.map(({ group }) => group)).size, foreground };
}

function problems(train: readonly Facts[], test: readonly Facts[]): string[] {
  const all = [...train, ...test];
  const seen = new Set<string>();
  const equal = all.filter(({ hash }) => seen.has(hash) || !seen.add(hash));
  const trained = new Set(train.map(({ group }) => group));
  const listed = (found: readonly Facts[], what: string) =>
    found.length > 0 ? [`${found.length} ${what}: ${few(found.map(({ id }) => id))}`] : [];
  return [
    ...listed(
      all.filter(({ blank }) => blank),
      'images have one grey level only',
    ),
    ...listed(
      all.filter(({ shares }) => shares.slice(1).every((share) => share === 0)),
      'masks are empty',
    ),
    ...listed(
      all.filter(({ shares }) => shares[0] === 0),
      'masks have no background',
    ),
    ...listed(equal, 'images are equal to an earlier one'),
    ...listed(
      test.filter(({ group }) => trained.has(group)),
      'test images are of a group that is trained on',
    ),
  ];
}
