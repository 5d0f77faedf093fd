import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { crossEntropy, type NetworkPlugin } from '../../../core/index.ts';
import { installGradients } from '../../../core/ops/index.ts';
import { expectClose } from '../../../core/testing/close.ts';
import { outputsOf } from '../../../core/training/step.ts';
import nlce from '../../../plugins/defenses/nlce/index.ts';
import cdnn from '../../../plugins/models/cdnn.ts';
import invertednet from '../../../plugins/models/invertednet.ts';
import nlcen from '../../../plugins/models/nlcen/index.ts';
import nwcn from '../../../plugins/models/nwcn/index.ts';
import slsdeep from '../../../plugins/models/slsdeep.ts';
import { AdaptiveAverage } from '../../../plugins/models/blocks/adaptive-average.ts';
import { diceLoss, endPointError, jaccardLoss } from '../../../plugins/models/blocks/losses.ts';
import { Resize } from '../../../plugins/models/blocks/resize.ts';
import { build, defend, grey, masks, outline, request } from '../../core/models/support.ts';

beforeAll(installGradients);

/** Rows that begin with the name of their network, for titles. */
const named = <R extends [NetworkPlugin, ...unknown[]]>(rows: R[]) =>
  rows.map((row) => [row[0].name, ...row] as [string, ...R]);

const value = (tensor: Tensor) => tensor.dataSync()[0]!;

describe('features at the taps, at 256 x 256', () => {
  test.each(
    named([
      [invertednet, { bottleneck: [32, 32, 16] }],
      [nwcn, { stage1: [64, 64, 32], stage2: [64, 64, 32] }],
      [cdnn, { bottleneck: [16, 16, 512] }],
      [slsdeep, { bottleneck: [32, 32, 2048] }],
      [nlcen, { conv2: [64, 64, 64], conv3: [32, 32, 128], conv4: [16, 16, 256], conv5: [8, 8, 512] }],
    ] as [NetworkPlugin, Record<string, number[]>][]),
  )('of %s', (_, plugin, expected) => {
    const { model, taps } = outline(plugin, request(256), {}, [defend(nlce)]);
    expect(taps).toEqual(Object.keys(expected));
    for (const [tap, shape] of Object.entries(expected))
      expect(model.getLayer(`${tap}_nlce_gated`).outputShape).toEqual([null, ...shape]);
    model.dispose();
  });
});

describe('options', () => {
  const size = (plugin: NetworkPlugin, options: object, side = 32) => {
    const network = build(plugin, request(side), { width: 1 / 32, ...options });
    const layers = network.model.layers.map(({ name }) => name);
    network.dispose();
    return { parameters: network.parameters, layers, outputs: network.outputs };
  };

  test.each(
    named([
      [cdnn, { denseUnits: 3 }],
      [cdnn, { bias: false }],
      [nlcen, { backbone: 'resnet50' }],
      [nlcen, { lateral: false }],
      [nlcen, { mergeNorm: true }],
      [nlcen, { head: 'cpn' }],
      [nlcen, { projected: true }],
      [nwcn, { dilations: [1] }],
      [slsdeep, { classNorm: true }],
      [slsdeep, { decoderConvolutions: 3 }],
    ] as [NetworkPlugin, object][]),
  )('of %s change its parameters', (_, plugin, options) => {
    expect(size(plugin, options).parameters).not.toBe(size(plugin, {}).parameters);
  });

  test.each(
    named([
      [cdnn, { upsampling: 'bilinear' }],
      [cdnn, { dropoutPlace: 'after' }],
      [cdnn, { tapAfter: 'decv1' }],
      [invertednet, { dropoutAfter: 'block' }],
      [invertednet, { variant: 'all-dropout' }],
      [nlcen, { placement: 'inline' }],
      [slsdeep, { tapAfter: 'pyramid' }],
    ] as [NetworkPlugin, object][]),
  )('of %s change its graph', (_, plugin, options) => {
    const graph = (chosen: object) => {
      const network = build(plugin, request(32), { width: 1 / 32, ...chosen }, [defend(nlce)]);
      const connections = JSON.stringify(network.model.toJSON(null, false));
      network.dispose();
      return connections;
    };
    expect(graph(options)).not.toBe(graph({}));
  });

  test('a rate of 0 leaves dropout out', () => {
    for (const plugin of [cdnn, invertednet]) {
      const dropouts = (dropout: number) =>
        size(plugin, { dropout }).layers.filter((name) => name.endsWith('_dropout')).length;
      expect([dropouts(0), dropouts(0.5)]).toEqual([0, plugin === cdnn ? 2 : 18]);
    }
  });

  test.each(
    named([
      [cdnn, 16],
      [invertednet, 8],
      [nwcn, 4],
    ] as [NetworkPlugin, number][]),
  )('%s refuses sides that it cannot halve', (_, plugin, multiple) => {
    expect(() => size(plugin, {}, 3 * multiple + 1)).toThrow(
      expect.objectContaining({ code: 'MODEL_SHAPE' }),
    );
    expect(size(plugin, {}, 3 * multiple).parameters).toBeGreaterThan(0);
  });

  test.each(named([[slsdeep], [nlcen]] as [NetworkPlugin][]))('%s takes any size', (_, plugin) => {
    const { model } = build(plugin, request(37, 21), { width: 1 / 32 });
    expect(model.outputs.map(({ shape }) => shape)).toContainEqual([null, 37, 21, 2]);
  });
});

describe('NWCN', () => {
  const shape: [number, number, number, number] = [1, 16, 16, 1];
  const truth = masks([1, 16, 16]);
  const network = (options: object) =>
    build(nwcn, request(16), { width: 1 / 4, dilations: [1, 2], ...options });
  const gradients = (options: object, training: boolean) => {
    const { model } = network(options);
    const loss = () => crossEntropy(outputsOf(model, grey(shape), training)[0]!, truth);
    const { grads } = tf.variableGrads(
      loss,
      model.trainableWeights.map((w) => w.read() as tf.Variable),
    );
    return model.trainableWeights.map(({ originalName }, i) => ({
      name: originalName,
      steepest: value(tf.max(tf.abs(Object.values(grads)[i] ?? tf.scalar(0)))),
    }));
  };

  test('an attack sees both stages: its gradient is not that of the second alone', () => {
    const { model } = network({});
    const image = grey(shape);
    const gradient = (training: boolean) =>
      tf.grad((x) => crossEntropy(outputsOf(model, x as Tensor4D, training)[0]!, truth))(image);
    const link = model.getLayer('link');
    const whole = gradient(false);
    const call = link.call.bind(link);
    link.call = (inputs) => call(inputs, { training: true });
    const detached = gradient(false);
    expect(value(tf.max(tf.abs(tf.sub(whole, detached))))).toBeGreaterThan(
      1e-3 * value(tf.max(tf.abs(whole))),
    );
  });

  test('network-wise training keeps the loss of the second stage out of the first, end-to-end does not', () => {
    const ofFirst = (training: string) =>
      Math.max(
        ...gradients({ training }, true)
          .filter(({ name }) => name.startsWith('stage1'))
          .map(({ steepest }) => steepest),
      );
    expect(ofFirst('network-wise')).toBe(0);
    expect(ofFirst('end-to-end')).toBeGreaterThan(0);
  });
});

describe('losses', () => {
  const truth = tf.tensor3d(
    [
      [
        [0, 1],
        [1, 0],
      ],
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [2, 2, 2],
    'int32',
  ) as Tensor3D;
  const sure = (scale: number) =>
    tf.mul(tf.sub(tf.expandDims(tf.cast(truth, 'float32'), 3), 0.5), scale) as Tensor4D;
  const two = (logits: Tensor4D) => tf.concat([tf.zerosLike(logits), logits], 3) as Tensor4D;
  const losses = { diceLoss, jaccardLoss, endPointError };

  test.each(Object.entries(losses))(
    '%s is 0 for a sure and right prediction, an empty mask included',
    (_, loss) => {
      expect(value(loss(tf as never, sure(200), truth))).toBeLessThan(1e-3);
      expect(value(loss(tf as never, sure(-200), truth))).toBeGreaterThan(0.2);
    },
  );

  test.each(Object.entries(losses))('%s of one sigmoid logit is that of two classes', (_, loss) => {
    expectClose(loss(tf as never, sure(3), truth), loss(tf as never, two(sure(3)), truth), { rtol: 1e-5 });
  });

  test('of several foreground classes it is the mean', () => {
    const logits = tf.randomNormal([1, 4, 4, 3], 0, 1, 'float32', 1) as Tensor4D;
    const classes = tf.randomUniform([1, 4, 4], 0, 3, 'int32', 2) as Tensor3D;
    const p = tf.softmax(logits);
    const one = (k: number) => {
      const [share, g] = [tf.slice4d(p as Tensor4D, [0, 0, 0, k], [-1, -1, -1, 1]), tf.equal(classes, k)];
      const logit = tf.log(tf.div(share, tf.sub(1, share))) as Tensor4D;
      return value(diceLoss(tf as never, logit, tf.cast(g, 'int32') as Tensor3D));
    };
    expect(value(diceLoss(tf as never, logits, classes))).toBeCloseTo((one(1) + one(2)) / 2, 5);
  });

  test('the end-point error of a shifted edge is the mean length of the gradient of the difference', () => {
    // Prediction and truth differ in one column: Sobel / 8 sees 1/2 beside it, at each pixel but the corners' rows.
    const row = (x: number) => Array.from({ length: 6 }, (_, at) => Number(at >= x));
    const edge = (x: number) => Array.from({ length: 6 }, () => row(x));
    const logits = tf.expandDims(tf.mul(tf.sub(tf.tensor3d([edge(2)]), 0.5), 200), 3) as Tensor4D;
    const error = value(endPointError(tf as never, logits, tf.tensor3d([edge(3)], [1, 6, 6], 'int32')));
    const inner = 4 * 2 * 0.5;
    const corner = (gx: number, gy: number) => Math.hypot(gx, gy);
    const rims = 2 * (2 * corner(3 / 8, 1 / 8) + corner(0, 2 / 8));
    expect(error).toBeCloseTo((inner + rims) / 36, 3);
  });
});

describe('layers', () => {
  const apply = (layer: { apply(x: Tensor): unknown }, x: Tensor) => layer.apply(x) as Tensor4D;

  test.each([
    [
      2,
      [
        [0, 16],
        [16, 32],
      ],
    ],
    [
      3,
      [
        [0, 11],
        [10, 22],
        [21, 32],
      ],
    ],
    [
      6,
      [
        [0, 6],
        [5, 11],
        [10, 16],
        [16, 22],
        [21, 27],
        [26, 32],
      ],
    ],
  ])('the adaptive average of 32 rows in %i bins has the windows of PyTorch', (bins, windows) => {
    const rows = tf.tensor4d(
      Array.from({ length: 32 }, (_, i) => 2 ** (i % 5) + i),
      [1, 32, 1, 1],
    );
    const got = apply(new AdaptiveAverage({ name: 'average', bins }), tf.tile(rows, [1, 1, 2, 1]));
    const wanted = windows.map(([start, end]) =>
      value(tf.mean(tf.slice(rows, [0, start!], [1, end! - start!]))),
    );
    expectClose(tf.squeeze(tf.slice(got, [0, 0, 0, 0], [1, -1, 1, 1])), tf.tensor1d(wanted), { rtol: 1e-5 });
  });

  test('a dilated convolution is what space-to-batch makes of an undilated one', () => {
    const x = tf.randomNormal([2, 16, 8, 3], 0, 1, 'float32', 1) as Tensor4D;
    const kernel = tf.randomNormal([3, 3, 3, 2], 0, 1, 'float32', 2) as Tensor4D;
    for (const r of [2, 4]) {
      const around = [
        [r, r],
        [r, r],
      ];
      const split = tf.spaceToBatchND(x, [r, r], around) as Tensor4D;
      const wanted = tf.batchToSpaceND(
        tf.conv2d(split, kernel, 1, 'valid'),
        [r, r],
        [
          [0, 0],
          [0, 0],
        ],
      );
      expectClose(tf.conv2d(x, kernel, 1, 'same', 'NHWC', r), wanted as Tensor4D, { rtol: 1e-5, atol: 1e-5 });
    }
  });

  test.each([
    [
      'bilinear resizing',
      (x: Tensor4D) => apply(new Resize({ name: 'r', size: [7, 9], alignCorners: true }), x),
    ],
    [
      'half-pixel resizing',
      (x: Tensor4D) => apply(new Resize({ name: 'r', size: [7, 9], alignCorners: false }), x),
    ],
    ['the adaptive average', (x: Tensor4D) => apply(new AdaptiveAverage({ name: 'a', bins: 3 }), x)],
    [
      'a dilated convolution',
      (x: Tensor4D) =>
        tf.conv2d(x, tf.randomNormal([3, 3, 2, 2], 0, 1, 'float32', 5) as Tensor4D, 1, 'same', 'NHWC', 2),
    ],
  ])('%s has the gradient that finite differences measure', (_, layer) => {
    const x = tf.randomNormal([1, 4, 5, 2], 0, 1, 'float32', 3) as Tensor4D;
    const v = tf.randomNormal([1, 4, 5, 2], 0, 1, 'float32', 4) as Tensor4D;
    const weights = tf.randomNormal(layer(x).shape, 0, 1, 'float32', 6);
    const loss = (input: Tensor) => tf.sum(tf.mul(weights, layer(input as Tensor4D))) as Scalar;
    const wanted = value(tf.sum(tf.mul(tf.grad(loss)(x), v)));
    const measured = value(tf.sub(loss(tf.add(x, v)), loss(tf.sub(x, v)))) / 2;
    expect(measured / wanted).toBeCloseTo(1, 3);
  });
});
