/** What is measured, at which sizes, and how fast it is meant to be. */

export const whats = ['forward', 'gradient', 'training', 'sweep'] as const;
export type What = (typeof whats)[number];

/** What a line of the table compares: the sweep is held against two PyTorch loops. */
export const lineNames = ['forward', 'gradient', 'training', 'sweep/plain', 'sweep/shared'] as const;
export type Line = (typeof lineNames)[number];

export interface Size {
  /** Rows and columns of an image. */
  readonly side: number;
  readonly batch: number;
  /** Share of the channels that the paper has, for networks with that option: a U-Net of width 32 or 8. */
  readonly width: number;
  /** Images of a sweep. */
  readonly images: number;
}

export const sizes: Readonly<Record<string, Size>> = {
  large: { side: 256, batch: 4, width: 0.5, images: 4 },
  small: { side: 64, batch: 1, width: 0.125, images: 4 },
};

/** Highest time of robust divided by that of PyTorch, by network and size. */
export const targets: Readonly<Record<string, Readonly<Record<string, Partial<Record<Line, number>>>>>> = {
  unet: {
    large: { forward: 0.75, gradient: 0.7, training: 0.85, 'sweep/plain': 0.15, 'sweep/shared': 0.75 },
    small: { forward: 1, gradient: 0.8, training: 1.5, 'sweep/plain': 0.2, 'sweep/shared': 0.9 },
  },
  nlcen: { large: { gradient: 0.8 }, small: { gradient: 0.8 } },
};

/** The intensities of the paper and their gradient steps, min(eps + 4, 1.25 eps) rounded up. */
export const EPS = [0.5, 1, ...Array.from({ length: 16 }, (_, index) => 2 * (index + 1))];

/** One network at one size, as every peer gets it. */
export interface Case extends Size {
  readonly network: string;
  readonly size: string;
  readonly model: { readonly use: string } & Readonly<Record<string, unknown>>;
  readonly defenses: readonly string[];
  /** Of the network; PyTorch trains on the first alone. */
  readonly outputs: number;
  /** Holds the weights (`model.json` and its file), `images.f32` and `masks.i32`, the same for everybody. */
  readonly dir: string;
}

/** What a peer says about one measurement. */
export interface Sample {
  /** Seconds for one call, or for one whole sweep. */
  readonly seconds: number;
  /** A number that equal computations share: the sum of the logits, the loss, the mean Dice. */
  readonly value?: number;
  /** Of a sweep: gradients of a batch, and the seconds they took. */
  readonly gradients?: number;
  readonly gradientSeconds?: number;
}

/** One line of a profile: an operator, how often a call runs it, and how long that takes. */
export interface ProfileLine {
  readonly op: string;
  readonly count: number;
  readonly seconds: number;
}
