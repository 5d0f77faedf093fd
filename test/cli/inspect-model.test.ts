import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { TensorProtoSchema } from '../../plugins/models/onnx/proto/onnx_pb.ts';
import { floats, longs, sketch, tiny, written, type Sketch } from '../plugins/models/onnx/build.ts';
import { robust } from './support.ts';
import type { LayerDescription } from '../../core/index.ts';

const wasm = ['--backend', 'wasm'];

/** Two convolutions with batch normalisation between them, behind a sigmoid. */
const small: Sketch = {
  nodes: [
    ['Conv', 'x w', 'a', { pads: [1, 1, 1, 1], strides: [2, 2] }],
    ['BatchNormalization', 'a scale shift mean var', 'b'],
    ['ConvTranspose', 'b v', 'c', { strides: [2, 2] }],
    ['Sigmoid', 'c', 'y'],
  ],
  constants: [
    floats('w', [4, 3, 3, 3], Array<number>(108).fill(0.1)),
    ...['scale', 'shift', 'mean', 'var'].map((name) => floats(name, [4], [1, 1, 1, 1])),
    floats('v', [4, 1, 2, 2], Array<number>(16).fill(1)),
  ],
};

/** Writes a recorded case beside a model. */
function recorded(path: string, input: readonly number[], output: readonly number[]): string {
  const folder = join(dirname(path), 'test_data_set_0');
  mkdirSync(folder);
  const save = (name: string, dims: readonly number[], values: readonly number[]) =>
    writeFileSync(
      join(folder, name),
      toBinary(TensorProtoSchema, create(TensorProtoSchema, floats('', dims, values))),
    );
  save('input_0.pb', [1, 3, 1, 2], input);
  save('output_0.pb', [1, 2, 1, 2], output);
  return dirname(path);
}

describe('inspect FILE', () => {
  test('counts operators, parameters and multiply-accumulates, and says what it would assume', async () => {
    const path = written(sketch({ ...small, input: ['N', 3, 'H', 'W'] }));
    const { stdout, code } = await robust(['inspect', path, '--size', '16x32', '--json', ...wasm]);
    expect(code).toBe(0);
    const found = JSON.parse(stdout) as Record<string, unknown> & { layers: unknown[] };
    expect(found).toMatchObject({
      use: 'onnx',
      image: [16, 32, 3],
      logits: [16, 32, 1],
      inputs: [{ name: 'x', type: 'float', shape: ['N', 3, 'H', 'W'] }],
      operators: [
        { name: 'BatchNormalization', count: 1, computed: true },
        { name: 'Conv', count: 1, computed: true },
        { name: 'ConvTranspose', count: 1, computed: true },
        { name: 'Sigmoid', count: 1, computed: true },
      ],
      suggestion: { scale: '1/255' },
    });
    expect(found.layers).toMatchObject([
      { type: 'Conv', output: [4, 8, 16], trainable: 108, multiplyAccumulates: 108 * 8 * 16 },
      { type: 'BatchNormalization', trainable: 8, fixed: 8, multiplyAccumulates: 0 },
      { type: 'ConvTranspose', output: [1, 16, 32], trainable: 16, multiplyAccumulates: 16 * 8 * 16 },
      // Left out where it is the end: its input is attacked.
      { type: 'Identity', trainable: 0 },
    ]);
  });

  test('takes the size that the file asks for, and stays within 80 columns', async () => {
    const path = written(sketch({ ...small, input: [2, 3, 8, 8] }));
    const { stdout } = await robust(['inspect', path, ...wasm], { cwd: dirname(path) });
    expect(stdout).toContain('for images of 8x8x3');
    expect(stdout).toContain('inputs: x float [2, 3, 8, 8]');
    expect(stdout).toMatch(
      /suggested configuration:\n {2}model: {\n {4}use: 'onnx',\n {4}path: '.*model.onnx',/,
    );
    expect(stdout).toMatch(/attacks work on the logits that 'node 3'\s\(Sigmoid\)/);
    const lines = stdout.split('\n').filter((line) => !line.includes(path));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('lists operators that are not computed', async () => {
    const path = written(
      sketch({
        nodes: [
          ['Relu', 'x', 'a'],
          ['Loop', 'a', 'y'],
        ],
      }),
    );
    const { stdout, code } = await robust(['inspect', path, ...wasm]);
    expect(code).toBe(0);
    expect(stdout).toContain('operators: Loop 1, Relu 1');
    expect(stdout).toContain('not computed here: Loop');
    expect(stdout).toMatch(/node 1 +Loop +\? +\?/);
  });
});

describe('inspect of a Keras file', () => {
  const inspect = async (name: string, ...more: string[]) => {
    const path = fileURLToPath(new URL(`../../fixtures/keras/${name}`, import.meta.url));
    const { stdout } = await robust(['inspect', path, '--json', ...more, ...wasm]);
    return JSON.parse(stdout) as { layers: LayerDescription[] } & Record<string, unknown>;
  };

  test('tells parameters, multiply-accumulates and what it would assume', async () => {
    const { layers, ...found } = await inspect('unet.keras3.keras');
    expect(found).toMatchObject({
      use: 'keras',
      image: [32, 32, 3],
      logits: [32, 32, 2],
      suggestion: { scale: 1 },
    });
    expect(layers.find(({ type }) => type === 'Conv2D')).toMatchObject({
      ...{ output: [32, 32, 4], trainable: 108, multiplyAccumulates: 108 * 32 * 32 },
    });
    // Inside the model that is a layer: 4 x 6 x 9 + 6.
    expect(layers.filter(({ trainable }) => trainable === 222)).toHaveLength(1);
  });

  test('of images of any size knows no multiply-accumulates, and checks its gradient', async () => {
    const { layers, ...found } = await inspect('sequential.keras2.h5', '--size', '16', '--gradcheck');
    expect(layers.map(({ trainable }) => trainable).filter((count) => count > 0)).toEqual([112, 8, 37]);
    expect(layers.find(({ type }) => type === 'Conv2D')!.multiplyAccumulates).toBeNull();
    expect(found).toMatchObject({ image: [16, 16, 3], inputs: [{ shape: [null, null, null, 3] }] });
    expect((found['gradient'] as { relativeError: number }).relativeError).toBeLessThan(0.1);
  });
});

describe('inspect of a graph of TensorFlow', () => {
  const inspect = async (name: string, ...more: string[]) => {
    const path = fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
    const { stdout } = await robust(['inspect', path, '--json', ...more, ...wasm]);
    return JSON.parse(stdout) as { layers: LayerDescription[] } & Record<string, unknown>;
  };

  test('in a model of TensorFlow.js counts what the layers of the same network have', async () => {
    const { layers, ...found } = await inspect('tfjs/unet.graph/model.json', '--gradcheck');
    const sum = (of: 'trainable' | 'multiplyAccumulates') =>
      layers.reduce((total, layer) => total + (layer[of] ?? 0), 0);
    expect(found).toMatchObject({
      ...{ use: 'tfjs', image: [32, 32, 3], logits: [32, 32, 2], suggestion: { scale: 1 } },
      inputs: [{ name: 'image', type: 'float32', shape: [null, 32, 32, 3] }],
      outputs: [{ name: 'Identity', shape: [null, 32, 32, 2] }],
    });
    expect(layers.filter(({ type }) => type === 'Conv2D')[0]).toMatchObject({
      ...{ output: [32, 32, 4], trainable: 108, multiplyAccumulates: 108 * 32 * 32 },
    });
    const ofLayers = await inspect('keras/unet.keras3.keras');
    const all = ofLayers.layers.reduce((total, layer) => total + layer.trainable + layer.fixed, 0);
    expect(sum('trainable')).toBe(all);
    expect((found['gradient'] as { relativeError: number }).relativeError).toBeLessThan(0.1);
  });

  test('in a SavedModel tells signatures and outputs', async () => {
    const { layers, ...found } = await inspect('savedmodel/module', '--gradcheck');
    expect(found).toMatchObject({
      ...{ use: 'savedmodel', image: [16, 16, 3], logits: [16, 16, 3] },
      outputs: [{ name: 'logits', type: 'float32', shape: [1, 16, 16, 3] }],
      suggestion: { signature: 'serving_default' },
    });
    // A convolution of 3 x 3 from 3 channels to 4; after depth to space one of 1 x 1 from 1 to 3.
    expect(layers.filter(({ type }) => type === 'Conv2D')).toMatchObject([
      { output: [16, 16, 4], trainable: 108, multiplyAccumulates: 108 * 256 },
      { output: [16, 16, 3], trainable: 3, multiplyAccumulates: 3 * 256 },
    ]);
    expect((found['gradient'] as { relativeError: number }).relativeError).toBeLessThan(0.1);
  });

  test('lists operators that are not computed, and those without a gradient', async () => {
    const unusual = await inspect('savedmodel/module', '--set', 'signature=unusual');
    const missing = (unusual['operators'] as { name: string; computed: boolean }[]).filter(
      ({ computed }) => !computed,
    );
    expect(missing.map(({ name }) => name)).toEqual(['Lgamma', 'Roll']);
    const chosen = await inspect('savedmodel/module', '--set', 'signature=choose');
    expect(String(chosen['notes'])).toContain('there is no gradient of TopK');
  });

  test('of layers shows them', async () => {
    const { layers } = await inspect('tfjs/sequential.layers/model.json', '--size', '16');
    expect(layers.map(({ trainable }) => trainable).filter((count) => count > 0)).toEqual([112, 8, 37]);
  });
});

describe('inspect FILE --verify', () => {
  test.each([
    [[1, 2, 5, 6], 0, /test_data_set_0 +y +0.0e\+0 +equal/],
    [[1, 2, 5, 7], 1, /test_data_set_0 +y +1.0e\+0 +DIFFERENT/],
    [[1, 2], 1, /another shape +DIFFERENT/],
  ])('with an output of %j ends with %i', async (output, expected, shown) => {
    const path = written(sketch(tiny));
    const dir = recorded(path, [1, 2, 3, 4, 5, 6], output.length === 4 ? output : [...output, 0, 0]);
    if (output.length === 2) {
      const other = create(TensorProtoSchema, floats('', [2], output));
      writeFileSync(join(dir, 'test_data_set_0/output_0.pb'), toBinary(TensorProtoSchema, other));
    }
    const { stdout, code } = await robust(['inspect', path, '--verify', dir, ...wasm]);
    expect(stdout).toMatch(shown);
    expect(code).toBe(expected);
  });

  test('a folder without cases cannot be verified', async () => {
    const path = written(sketch(tiny));
    const { stderr, code } = await robust(['inspect', path, '--verify', dirname(path), ...wasm]);
    expect(code).toBe(2);
    expect(stderr).toContain('There are no test cases.');
  });

  test.each(['--verify=.', '--gradcheck'])('a network cannot be checked with %s', async (flag) => {
    const { stderr, code } = await robust(['inspect', 'unet', flag, ...wasm]);
    expect(code).toBe(2);
    expect(stderr).toContain("The model 'unet' checks files only.");
  });
});

describe('inspect FILE --gradcheck', () => {
  const error = async (sketched: Sketch) => {
    const argv = ['inspect', written(sketch(sketched)), '--gradcheck', '--json', ...wasm];
    const { stdout, code } = await robust(argv);
    const { gradient } = JSON.parse(stdout) as { gradient: { relativeError: number | null } };
    return { code, error: gradient.relativeError };
  };

  test('accepts a gradient that is one', async () => {
    const checked = await error({ ...small, input: [1, 3, 8, 8] });
    expect(checked.code).toBe(0);
    expect(checked.error).toBeLessThan(0.05);
  });

  test("ends with 1 where it is another function's, as with quantization", async () => {
    const nodes = [
      ['QuantizeLinear', 'x s z', 'q'],
      ['DequantizeLinear', 'q s z', 'd'],
      ['Conv', 'd w', 'y'],
    ] as const;
    const constants = [
      ...tiny.constants!,
      { ...floats('s', [1], [0.1]), dims: [] },
      { ...longs('z', [0]), dims: [], dataType: 3, int64Data: [], int32Data: [0] },
    ];
    const checked = await error({ ...tiny, nodes, constants });
    expect(checked.code).toBe(1);
    expect(checked.error).toBeGreaterThan(0.2);
  });

  test('says where the loss never changes', async () => {
    const nodes = [
      ['Conv', 'x w', 'a'],
      ['Mul', 'a zero', 'y'],
    ] as const;
    const checked = await error({
      ...tiny,
      nodes,
      constants: [...tiny.constants!, floats('zero', [1], [0])],
    });
    expect(checked).toEqual({ code: 0, error: null });
  });
});
