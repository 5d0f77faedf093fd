import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Call, Handler } from '../call.ts';
import { invalid } from '../failure.ts';
import type { Operators } from './support.ts';

/** Vectors become a row on the left and a column on the right; leading axes broadcast. */
const matMul: Handler = (call) => {
  const [a, b] = [call.input(0).ordered, call.input(1).ordered];
  const left = a.rank === 1 ? tf.expandDims(a, 0) : a;
  const right = b.rank === 1 ? tf.expandDims(b, 1) : b;
  if (left.shape.at(-1) !== right.shape.at(-2)) {
    throw invalid('The sizes of a matrix product do not fit.', {
      where: call.where,
      received: `[${a.shape}] times [${b.shape}]`,
    });
  }
  const y = product(left, right);
  const dropped = [...(a.rank === 1 ? [y.rank - 2] : []), ...(b.rank === 1 ? [y.rank - 1] : [])];
  return call.value(dropped.length > 0 ? tf.squeeze(y, dropped) : y);
};

/** A constant matrix on the right multiplies all rows at once, whatever they belong to. */
function product(a: Tensor, b: Tensor): Tensor {
  if (a.rank <= 2 || b.rank !== 2) return floats([a, b], ([x, y]) => tf.matMul(x!, y!));
  const rows = tf.reshape(a, [-1, a.shape.at(-1)!]);
  return tf.reshape(
    floats([rows, b], ([x, y]) => tf.matMul(x!, y!)),
    [...a.shape.slice(0, -1), b.shape[1]!],
  );
}

/** Engines multiply matrices of floats only. */
function floats(tensors: readonly Tensor[], apply: (tensors: Tensor[]) => Tensor): Tensor {
  const [{ dtype }] = tensors as [Tensor];
  return tf.cast(apply(tensors.map((tensor) => tf.cast(tensor, 'float32'))), dtype);
}

const gemm: Handler = (call) => {
  const [a, b] = [call.input(0).ordered, call.input(1).ordered];
  const y = floats([a, b], ([x, w]) =>
    tf.matMul(x!, w!, call.int('transA', 0) === 1, call.int('transB', 0) === 1),
  );
  const alpha = call.float('alpha', 1);
  const scaled = alpha === 1 ? y : tf.mul(y, alpha);
  if (!call.has(2)) return call.value(scaled);
  const beta = call.float('beta', 1);
  const c = call.input(2).ordered;
  return call.value(tf.add(scaled, beta === 1 ? c : tf.mul(c, beta)));
};

interface Term {
  readonly labels: readonly string[];
  readonly tensor: Tensor;
}

/** Sums of products over named axes, two inputs at a time. */
const einsum: Handler = (call) => {
  const { terms, result } = equationOf(call);
  const kept = (label: string, later: readonly Term[]) =>
    result.includes(label) || later.some(({ labels }) => labels.includes(label));
  const folded = terms.map(diagonal).reduce((a, b, index, all) => {
    const later = all.slice(index + 1);
    return contract(
      summed(a, (label) => kept(label, [b, ...later])),
      summed(b, (label) => kept(label, [a, ...later])),
      (label) => kept(label, later),
    );
  });
  return call.value(
    arranged(
      summed(folded, (label) => result.includes(label)),
      result,
    ),
  );
};

function equationOf(call: Call): { terms: Term[]; result: readonly string[] } {
  const equation = call.text('equation').replaceAll(' ', '');
  const [left = '', right] = equation.split('->');
  const texts = left.split(',');
  if (texts.length !== call.given.length)
    throw invalid('An einsum has another number of inputs than its equation.', {
      where: call.where,
      received: equation,
    });
  const terms = texts.map((text, index): Term => {
    const tensor = call.input(index).ordered;
    return { tensor, labels: labelsOf(text, tensor.rank) };
  });
  const all = terms.flatMap(({ labels }) => labels);
  const dots = [...new Set(all.filter((label) => label.startsWith('.')))].sort().reverse();
  // Without an arrow: every name that occurs once, in alphabetical order.
  const once = [...new Set(all)]
    .filter((label) => !label.startsWith('.') && all.indexOf(label) === all.lastIndexOf(label))
    .sort();
  const result =
    right === undefined
      ? [...dots, ...once]
      : right.split(/(\.\.\.)/).flatMap((part) => (part === '...' ? dots : [...part]));
  return { terms, result };
}

/** `...` stands for the axes without a letter, counted from the right. */
function labelsOf(text: string, rank: number): string[] {
  const free = rank - text.replace('...', '').length;
  return text
    .split(/(\.\.\.)/)
    .flatMap((part) => (part === '...' ? Array.from({ length: free }, (_, i) => `.${free - i}`) : [...part]));
}

/** A name that occurs twice in one input means its diagonal. */
function diagonal({ labels, tensor }: Term): Term {
  const second = labels.findIndex((label, index) => labels.indexOf(label) !== index);
  if (second < 0) return { labels, tensor };
  const first = labels.indexOf(labels[second]!);
  const side = tensor.shape[second]!;
  const shape = tensor.shape.map((_, axis) => (axis === first || axis === second ? side : 1));
  const picked = tf.sum(tf.mul(tensor, tf.reshape(tf.eye(side), shape)), second);
  return diagonal({ labels: labels.toSpliced(second, 1), tensor: picked });
}

function summed({ labels, tensor }: Term, keep: (label: string) => boolean): Term {
  const axes = labels.flatMap((label, axis) => (keep(label) ? [] : [axis]));
  return { labels: labels.filter(keep), tensor: axes.length > 0 ? tf.sum(tensor, axes) : tensor };
}

function arranged({ labels, tensor }: Term, wanted: readonly string[]): Tensor {
  const places = wanted.map((label) => labels.indexOf(label));
  return places.every((place, index) => place === index) ? tensor : tf.transpose(tensor, places);
}

/** One batched matrix product: shared names that stay are the batch, shared names that go are multiplied over. */
function contract(a: Term, b: Term, keep: (label: string) => boolean): Term {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter(keep);
  const gone = shared.filter((label) => !keep(label));
  const own = (term: Term) => term.labels.filter((label) => !shared.includes(label));
  const size = (term: Term, names: readonly string[]) =>
    names.reduce((product, label) => product * term.tensor.shape[term.labels.indexOf(label)]!, 1);
  const side = (term: Term, label: string) => term.tensor.shape[term.labels.indexOf(label)]!;
  const left = tf.reshape(arranged(a, [...batch, ...own(a), ...gone]), [-1, size(a, own(a)), size(a, gone)]);
  const right = tf.reshape(arranged(b, [...batch, ...gone, ...own(b)]), [-1, size(b, gone), size(b, own(b))]);
  const shape = [
    ...batch.map((label) => side(a, label)),
    ...own(a).map((label) => side(a, label)),
    ...own(b).map((label) => side(b, label)),
  ];
  return {
    labels: [...batch, ...own(a), ...own(b)],
    tensor: tf.reshape(
      floats([left, right], ([x, y]) => tf.matMul(x!, y!)),
      shape,
    ),
  };
}

export const matrices: Operators = { MatMul: matMul, Gemm: gemm, Einsum: einsum };
