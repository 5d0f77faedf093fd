import type { PackedRows } from '../data.ts';

/** One image in one cell. */
export interface Line {
  readonly subject: string;
  readonly attack: string;
  readonly eps: number;
  readonly sample: string;
  readonly linf: number;
  readonly gradients: number;
  readonly values: Readonly<Record<string, number | null>>;
}

/** Rows by number; unpacked when they are looked at. */
export class Rows {
  readonly length: number;
  readonly metrics: readonly string[];
  readonly #packed: PackedRows;
  #places: Map<string, number> | undefined;

  constructor(packed: PackedRows) {
    this.#packed = packed;
    this.length = packed.eps.length;
    this.metrics = Object.keys(packed.values);
  }

  at(index: number): Line {
    const { names, subject, attack, sample, eps, linf, gradients } = this.#packed;
    return {
      subject: names[subject[index]!]!,
      attack: names[attack[index]!]!,
      sample: names[sample[index]!]!,
      eps: eps[index]!,
      linf: linf[index]!,
      gradients: gradients[index]!,
      values: Object.fromEntries(this.metrics.map((metric) => [metric, this.value(metric, index)])),
    };
  }

  value(metric: string, index: number): number | null {
    return this.#packed.values[metric]![index]!;
  }

  /** The row of one image in one cell; eps 0 is the untouched image, whatever the attack. */
  find(subject: string, attack: string, eps: number, sample: string): Line | undefined {
    this.#places ??= new Map(
      Array.from({ length: this.length }, (_, index) => {
        const line = this.at(index);
        return [keyOf(line.subject, line.attack, line.eps, line.sample), index];
      }),
    );
    const index = this.#places.get(keyOf(subject, eps === 0 ? 'clean' : attack, eps, sample));
    return index === undefined ? undefined : this.at(index);
  }
}

function keyOf(...parts: readonly (string | number)[]): string {
  return JSON.stringify(parts);
}
