import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';

/** How queries are compared with keys, and how many comparisons are held at once. */
export interface AttentionOptions {
  /** Whether dot products are divided by the square root of their length. */
  readonly scaled: boolean;
  /** Upper bound on the entries of the affinity matrix of a batch that exist at one time. */
  readonly limit: number;
}

/**
 * Affinity of queries `[N,P,D]` to keys `[N,Q,D]`: `[N,P,Q]`, each row a softmax over the keys, so that it sums to 1.
 * Source: He et al., Non-Local Context Encoder, AAAI 2019, equation 1, normalised over j as in Wang et al., CVPR 2018.
 */
export function affinity(query: Tensor3D, key: Tensor3D, scaled: boolean): Tensor3D {
  return tf.tidy(
    () => tf.softmax(tf.mul(tf.matMul(query, key, false, true), factor(query, scaled))) as Tensor3D,
  );
}

/**
 * Weighted averages `[N,P,E]` of values `[N,Q,E]` (equation 2). Queries are processed in slices of as many rows as
 * `limit` allows, in the gradient too, which computes the affinity again instead of keeping it.
 */
export function attend(query: Tensor3D, key: Tensor3D, value: Tensor3D, options: AttentionOptions): Tensor3D {
  const forward = tf.customGrad((...inputs) => {
    const [q, k, v, save] = inputs as unknown as [Tensor3D, Tensor3D, Tensor3D, (tensors: Tensor[]) => void];
    save([q, k, v]);
    const parts = slices(q, k, options).map(([at, rows]) =>
      tf.tidy(() => tf.matMul(affinity(rowsOf(q, at, rows), k, options.scaled), v)),
    );
    const gradFunc = (dy: Tensor, saved: Tensor[]) => backward(dy as Tensor3D, saved as Triple, options);
    return { value: tf.concat(parts, 1), gradFunc };
  });
  return forward(query, key, value) as Tensor3D;
}

type Triple = [query: Tensor3D, key: Tensor3D, value: Tensor3D];

/** Gradients of {@link attend} with respect to queries, keys and values, slice by slice. */
function backward(dy: Tensor3D, [query, key, value]: Triple, options: AttentionOptions): Triple {
  let dKey = tf.zerosLike(key);
  let dValue = tf.zerosLike(value);
  const dQuery = slices(query, key, options).map(([at, rows]) => {
    const before: Tensor[] = [dKey, dValue];
    const [dq, dk, dv] = tf.tidy((): Triple => {
      const q = rowsOf(query, at, rows);
      const dOut = rowsOf(dy, at, rows);
      const a = affinity(q, key, options.scaled);
      const dA = tf.matMul(dOut, value, false, true);
      const dRows = tf.mul(a, tf.sub(dA, tf.sum(tf.mul(a, dA), 2, true)));
      const dDot: Tensor3D = tf.mul(dRows, factor(query, options.scaled));
      return [
        tf.matMul(dDot, key),
        tf.add(dKey, tf.matMul(dDot, q, true, false)),
        tf.add(dValue, tf.matMul(a, dOut, true, false)),
      ];
    });
    tf.dispose(before);
    [dKey, dValue] = [dk, dv];
    return dq;
  });
  return [tf.concat(dQuery, 1), dKey, dValue];
}

/** First row and number of rows of each slice of the queries. */
function slices(query: Tensor3D, key: Tensor3D, { limit }: AttentionOptions): [at: number, rows: number][] {
  const [batch, total] = query.shape;
  const step = Math.max(1, Math.floor(limit / (batch * key.shape[1])));
  return Array.from({ length: Math.ceil(total / step) }, (_, i) => [
    i * step,
    Math.min(step, total - i * step),
  ]);
}

function rowsOf(x: Tensor3D, at: number, rows: number): Tensor3D {
  return tf.slice3d(x, [0, at, 0], [-1, rows, -1]);
}

function factor(query: Tensor3D, scaled: boolean): number {
  return scaled ? 1 / Math.sqrt(query.shape[2]) : 1;
}

/** The non-local operator as a layer: theta, phi and g `[N,H,W,D]` (the last two may be smaller) to `[N,H,W,D]`. */
export class NonLocalAttention extends tfl.layers.Layer {
  static readonly className = 'NonLocalAttention';
  readonly #options: AttentionOptions;

  constructor(args: AttentionOptions & { readonly name: string }) {
    super({ name: args.name });
    this.#options = { scaled: args.scaled, limit: args.limit };
  }

  override computeOutputShape(shapes: tfl.Shape[]): tfl.Shape {
    return [...shapes[0]!.slice(0, 3), shapes[2]![3]!];
  }

  /** Queries times keys, and affinities times values. */
  multiplyAccumulates([query, key, value]: readonly tfl.Shape[]): number {
    const positions = (shape: tfl.Shape) => shape[1]! * shape[2]!;
    return positions(query!) * positions(key!) * (key![3]! + value![3]!);
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    return tf.tidy(() => {
      const flat = (inputs as Tensor4D[]).map((x) => tf.reshape(x, [x.shape[0], -1, x.shape[3]]));
      const [query, key, value] = flat as Triple;
      const [batch, height, width] = (inputs as Tensor4D[])[0]!.shape;
      return tf.reshape(attend(query, key, value, this.#options), [batch, height, width, value.shape[2]]);
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.#options };
  }
}
tf.serialization.registerClass(NonLocalAttention);
