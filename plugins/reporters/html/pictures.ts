import { join } from 'node:path';
import {
  encodePng,
  readExample,
  RobustError,
  type Example,
  type Image,
  type Report,
} from '../../../core/index.ts';
import type { Shown } from './data.ts';
import { outline } from './outline.ts';

/** The gallery of a page. */
export interface Gallery {
  readonly shown: readonly Shown[];
  readonly pictures: readonly string[];
  readonly leftOut: number;
}

/**
 * Reads the example files of a run and prepares them for the page, the worst images of every subject first, until
 * `limit` bytes are full. An attacked image is stored as its difference to the clean one: half the size, and exact
 * also below one grey level.
 */
export async function makeGallery(report: Report, dir: string, limit: number): Promise<Gallery> {
  const album = new Album(report, dir);
  const shown: Shown[] = [];
  const examples = byRank(report.examples ?? []);
  for (const example of examples) {
    if (album.size > limit) break;
    const one = await album.add(example).catch(ignoreMissing);
    if (one) shown.push(one);
  }
  return { shown, pictures: album.pictures, leftOut: examples.length - shown.length };
}

/** First the worst image of each subject and attack under every budget, then the second, and so on. */
function byRank(examples: readonly Example[]): Example[] {
  const ranks = new Map<string, string[]>();
  const rank = ({ subject, attack, sample }: Example) => {
    const key = JSON.stringify([subject, attack]);
    const samples = ranks.get(key) ?? [];
    ranks.set(key, samples);
    return samples.includes(sample) ? samples.indexOf(sample) : samples.push(sample) - 1;
  };
  return examples
    .map((example) => ({ example, rank: rank(example) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ example }) => example);
}

/** The pictures of a page, each once. */
class Album {
  readonly pictures: string[] = [];
  /** Bytes of the page that they take. */
  size = 0;
  readonly #report: Report;
  readonly #dir: string;
  readonly #images = new Map<string, Promise<Image>>();
  readonly #places = new Map<string, number>();

  constructor(report: Report, dir: string) {
    this.#report = report;
    this.#dir = dir;
  }

  async add(example: Example): Promise<Shown> {
    const { subject, attack, eps, sample } = example;
    const [image, truth, prediction] = await Promise.all([
      this.#read(example.image),
      this.#read(example.truth),
      this.#read(example.prediction),
    ]);
    const { low, high } = this.#report.dataset.domain;
    const spread = (value: number) => (255 * (value - low)) / (high - low);
    const shown = await this.#place(example.image, image, spread);
    const difference = eps === 0 ? null : await this.#difference(example, image);
    return {
      ...{ subject, attack, eps, sample, image: shown, difference, reach: (255 * eps) / (high - low) },
      truth: outline(truth),
      prediction: outline(prediction),
    };
  }

  async #difference({ adversarial, eps }: Example, clean: Image): Promise<number> {
    const attacked = await this.#read(adversarial);
    const change = (value: number, at: number) => 128 + (127 * (value - clean.data[at]!)) / eps;
    return this.#place(adversarial, attacked, change);
  }

  /** Pictures that many examples share, such as clean images, are read once. */
  #read(file: string): Promise<Image> {
    const { size, domain } = this.#report.dataset;
    const known = this.#images.get(file) ?? readExample(join(this.#dir, file), size[2] as 1 | 3, domain);
    this.#images.set(file, known);
    return known;
  }

  async #place(file: string, image: Image, value: (value: number, at: number) => number): Promise<number> {
    const known = this.#places.get(file);
    if (known !== undefined) return known;
    const data = image.data.map((each, at) => Math.round(value(each, at)));
    const text = Buffer.from(await encodePng({ ...image, data })).toString('base64');
    this.#places.set(file, this.pictures.length);
    this.size += text.length;
    return this.pictures.push(text) - 1;
  }
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof RobustError && error.code === 'IMAGE_MISSING') return undefined;
  throw error;
}
