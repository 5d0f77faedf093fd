import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RobustError } from '../../../../core/index.ts';
import { temporaryFolder } from '../../../../core/testing/context.ts';
import { makeRandom } from '../../../../core/random.ts';
import { floats, longs, sketch, tiny, written, type Sketch } from './build.ts';
import { open } from './open.ts';

async function failure(model: Parameters<typeof open>[0]): Promise<RobustError> {
  const { segmenter } = await open(model)
    .catch((error: unknown) => {
      if (error instanceof RobustError) throw error;
      throw new Error(`not a RobustError: ${String(error)}`, { cause: error });
    })
    .catch((error: unknown) => ({ segmenter: error }));
  expect(segmenter).toBeInstanceOf(RobustError);
  return segmenter as RobustError;
}

const codeOf = async (sketched: Sketch) => {
  const { code, message } = await failure(sketch(sketched));
  return `${code}: ${message}`;
};

describe('a damaged file', () => {
  it('that is missing is named', async () => {
    expect(await failure('/nowhere/model.onnx')).toMatchObject({
      code: 'MODEL_FILE_INVALID',
      parts: { where: '/nowhere/model.onnx' },
    });
  });

  it.each([0, 1, 10, 40, 60])('that ends after %i bytes is refused', async (length) => {
    const path = written(sketch(tiny));
    truncateSync(path, length);
    expect(await failure(path)).toMatchObject({ code: 'MODEL_FILE_INVALID' });
  });

  it('whose weights are shorter than their shape is refused', async () => {
    const text = await codeOf({ ...tiny, constants: [floats('w', [2, 3, 1, 1], [1])] });
    expect(text).toContain('MODEL_FILE_INVALID: A tensor holds less or more than its shape says.');
    expect(text).toContain('expected: 6 values of float');
  });

  it('of another kind is refused', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    writeFileSync(path, 'PK\u0003\u0004 not a model at all, but long enough to be parsed as one');
    expect(await failure(path)).toMatchObject({ code: 'MODEL_FILE_INVALID' });
  });
});

describe('a graph that cannot run', () => {
  it('because it runs in a circle is refused', async () => {
    const nodes = [
      ['Add', 'x b', 'a'],
      ['Relu', 'a', 'b'],
      ['Conv', 'b w', 'y'],
    ] as const;
    expect(await codeOf({ ...tiny, nodes })).toMatch(
      /MODEL_FILE_INVALID: The graph runs in a circle.*\n.*node 0, node 1/,
    );
  });

  it('because a value is missing is refused', async () => {
    expect(await codeOf({ nodes: [['Relu', 'z', 'y']] })).toMatch(
      /needs a value that nothing makes.*\n.*node 0[^]*'z'/,
    );
  });

  it('because a value is made twice is refused', async () => {
    expect(
      await codeOf({
        nodes: [
          ['Relu', 'x', 'y'],
          ['Elu', 'x', 'y'],
        ],
      }),
    ).toContain('A value is made twice.');
  });

  it('runs when its nodes only stand in another order', async () => {
    const { segmenter } = await open(
      sketch({
        ...tiny,
        nodes: [
          ['Conv', 'a w', 'y'],
          ['Relu', 'x', 'a'],
        ],
      }),
    );
    segmenter.dispose();
  });

  it('lists all operators that are unknown, with their nodes', async () => {
    const nodes = [
      ['NonMaxSuppression', 'x', 'a'],
      ['Loop', 'a', 'b'],
      ['Loop', 'b', 'y'],
    ] as const;
    const error = await failure(sketch({ nodes }));
    expect(error).toMatchObject({ code: 'MODEL_UNSUPPORTED' });
    expect(error.parts.received).toBe('NonMaxSuppression (node 0); Loop (node 1, node 2)');
  });

  it.each([
    ['a channel count', { ...tiny, constants: [floats('w', [2, 4, 1, 1], Array<number>(8).fill(1))] }],
    ['a reshape', { nodes: [['Reshape', 'x s', 'y']], constants: [longs('s', [7, -1])] }],
    ['a reshape to a negative size', { nodes: [['Reshape', 'x s', 'y']], constants: [longs('s', [-5, 3])] }],
    ['an axis', { nodes: [['Concat', 'x x', 'y', { axis: 9 }]] }],
    ['a window of size 0', { nodes: [['MaxPool', 'x', 'y', { kernel_shape: [0, 2] }]] }],
    ['an index', { nodes: [['Gather', 'x i', 'y', { axis: 1 }]], constants: [longs('i', [12])] }],
    ['a rank', { nodes: [['MatMul', 'x w', 'y']], constants: [floats('w', [3], [1, 2, 3])] }],
  ] satisfies [string, Sketch][])('because of %s that does not fit names the node', async (_, sketched) => {
    const error = await failure(sketch(sketched));
    expect(error.code).toMatch(/^MODEL_(FILE_INVALID|SHAPE)$/);
    if (error.code === 'MODEL_FILE_INVALID') expect(JSON.stringify(error.parts)).toMatch(/node 0|axis/);
  });
});

describe('a graph that would take too much', () => {
  const huge = 1_000_000_000;
  it.each([
    ['Expand', { nodes: [['Expand', 'x s', 'y']], constants: [longs('s', [huge, 3, 8, 8])] }],
    [
      'ConstantOfShape',
      {
        nodes: [
          ['ConstantOfShape', 's', 'a'],
          ['Add', 'x a', 'y'],
        ],
        constants: [longs('s', [huge, 8, 8])],
      },
    ],
    ['Tile', { nodes: [['Tile', 'x s', 'y']], constants: [longs('s', [1, 1, huge, huge])] }],
    ['Pad', { nodes: [['Pad', 'x s', 'y']], constants: [longs('s', [0, 0, huge, 0, 0, 0, huge, 0])] }],
    [
      'Range',
      {
        nodes: [
          ['Range', 'a s d', 'b'],
          ['Add', 'x b', 'y'],
        ],
        constants: ['a', 's', 'd'].map((name, i) => ({ ...longs(name, [[0, huge, 1][i]!]), dims: [] })),
      },
    ],
    ['Resize', { nodes: [['Resize', 'x - s', 'y']], constants: [floats('s', [4], [1, 1, 1e6, 1e6])] }],
    ['a padding of Conv', { ...tiny, nodes: [['Conv', 'x w', 'y', { pads: [huge, huge, huge, huge] }]] }],
    [
      'a stride of ConvTranspose',
      {
        ...tiny,
        nodes: [['ConvTranspose', 'x w', 'y', { strides: [huge, huge] }]],
        constants: [floats('w', [3, 2, 1, 1], [1, 2, 3, 4, 5, 6])],
      },
    ],
    ['an input', { ...tiny, input: [1, 3, huge, huge] }],
    ['a tensor', { ...tiny, constants: [{ ...floats('w', [huge, huge, huge], [1]) }] }],
    ['a negative size', { ...tiny, constants: [{ ...floats('w', [-2, 3, 1, 1], [1]) }] }],
  ] satisfies [string, Sketch][])('by %s is refused at once', async (_, sketched) => {
    const started = Date.now();
    expect((await failure(sketch(sketched))).code).toMatch(/^MODEL_(FILE_INVALID|SHAPE)$/);
    expect(Date.now() - started).toBeLessThan(2000);
  });
});

describe('weights in a file of their own', () => {
  const external = (location: string, more: Record<string, string> = {}) =>
    sketch({
      ...tiny,
      constants: [
        {
          name: 'w',
          dims: [2n, 3n, 1n, 1n],
          dataType: 1,
          dataLocation: 1,
          externalData: Object.entries({ location, ...more }).map(([key, value]) => ({ key, value })),
        },
      ],
    });
  const bytes = new Uint8Array(Float32Array.from([1, 0, 0, 0, 0, 1]).buffer);

  it('are read, whole or in part', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'w.bin'), Buffer.concat([Buffer.alloc(8), bytes]));
    const { segmenter, ctx } = await open(written(external('w.bin', { offset: '8', length: '24' }), folder), {
      scale: 1,
    });
    const x = ctx.tf.fill([1, 8, 8, 3], 2) as Parameters<typeof segmenter.logits>[0];
    expect(Array.from(segmenter.logits(x).dataSync().slice(0, 2))).toEqual([2, 2]);
    segmenter.dispose();
  });

  it.each(['../w.bin', '/etc/passwd', 'sub/../../w.bin', ''])('at %j are refused', async (location) => {
    const folder = join(temporaryFolder(), 'inner');
    mkdirSync(join(folder, 'sub'), { recursive: true });
    writeFileSync(join(folder, '../w.bin'), bytes);
    expect((await failure(written(external(location), folder))).message).toContain('outside its own folder');
  });

  it('behind a link out of the folder are refused', async () => {
    const folder = join(temporaryFolder(), 'inner');
    mkdirSync(folder);
    writeFileSync(join(folder, '../w.bin'), bytes);
    symlinkSync('../w.bin', join(folder, 'w.bin'));
    expect((await failure(written(external('w.bin'), folder))).message).toContain('outside its own folder');
  });

  it.each([
    { length: '25' },
    { offset: '20', length: '24' },
    { offset: '-1' },
    { length: '1e99' },
    { offset: 'x' },
  ])('with %j are refused', async (more) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'w.bin'), bytes);
    expect((await failure(written(external('w.bin', more), folder))).code).toBe('MODEL_FILE_INVALID');
  });

  it('that are missing are named', async () => {
    expect((await failure(external('w.bin'))).message).toContain(
      'The file with the weights of the model is missing.',
    );
  });
});

it('survives mutated files: an error or a model, never a crash', async () => {
  const whole = readFileSync(
    fileURLToPath(new URL('../../../../fixtures/onnx/aspp.torchscript.onnx', import.meta.url)),
  );
  const path = join(temporaryFolder(), 'model.onnx');
  let opened = 0;
  for (let round = 0; round < 120; round++) {
    const random = makeRandom(7)('mutation', round);
    const bytes = Buffer.from(whole);
    for (let change = 0; change <= random.below(4); change++)
      bytes[random.below(bytes.length)] = random.below(256);
    writeFileSync(path, round % 5 === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes);
    const result = await open(path, {}, { height: 16, width: 16 }).catch((error: unknown) => error);
    if (result instanceof Error) expect(result).toBeInstanceOf(RobustError);
    else {
      opened++;
      (result as Awaited<ReturnType<typeof open>>).segmenter.dispose();
    }
  }
  expect(opened).toBeGreaterThan(0);
});
