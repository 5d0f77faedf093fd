import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { strToU8, unzipSync, zipSync } from 'fflate';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { resolveOptions, RobustError, type ModelPlugin, type Segmenter } from '../../../core/index.ts';
import { makeContext, temporaryFolder } from '../../../core/testing/context.ts';
import { tinyDataset } from '../../../core/testing/toys.ts';
import javascript from '../../../plugins/models/javascript.ts';
import keras from '../../../plugins/models/keras/index.ts';
import savedmodel from '../../../plugins/models/savedmodel/index.ts';
import tfjs from '../../../plugins/models/tfjs/index.ts';

const fixture = (path: string) => fileURLToPath(new URL(`../../../fixtures/${path}`, import.meta.url));

async function open(plugin: unknown, options: Record<string, unknown>, classes = 2): Promise<Segmenter> {
  const ctx = await makeContext();
  const chosen = plugin as ModelPlugin;
  if (!('open' in chosen)) throw new Error('no model with a file');
  const request = {
    ...{ height: 8, width: 8, channels: 3, classes: Array.from({ length: classes }, (_, k) => `class ${k}`) },
    domain: { low: 0, high: 255, step: 1 },
    train: tinyDataset().train,
  };
  return chosen.open(request, resolveOptions(chosen, options), ctx);
}

async function failure(plugin: unknown, options: Record<string, unknown>): Promise<RobustError> {
  const error: unknown = await open(plugin, options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RobustError);
  return error as RobustError;
}

/** The sequential model of Keras 3 with another configuration. */
function changed(change: (text: string) => string): string {
  const parts = unzipSync(readFileSync(fixture('keras/sequential.keras3.keras')));
  const config = strToU8(change(new TextDecoder().decode(parts['config.json'])));
  const path = join(temporaryFolder(), 'model.keras');
  writeFileSync(path, zipSync({ ...parts, 'config.json': config }));
  return path;
}

describe('a Keras model', () => {
  const path = fixture('keras/sequential.keras3.h5');

  it('says what was decided, and leaves out its sigmoid', async () => {
    const { notes, channels } = await open(keras, { path });
    expect(channels).toBe(1);
    expect(notes!.join()).toContain("attacks work on the logits that the sigmoid of 'activation");
    expect(notes!.join()).toContain('images from 0 to 1 are assumed');
  });

  it('keeps probabilities where it is told that they are logits of something', async () => {
    const x = tf.fill([1, 8, 8, 3], 200) as Tensor4D;
    const logits = (await open(keras, { path, scale: '1/255' })).logits(x);
    const kept = (await open(keras, { path, scale: '1/255', kind: 'labels' })).gradient;
    expect(kept).toBe(false);
    expect(logits.shape).toEqual([1, 8, 8, 1]);
  });

  it('lists all layers that are not computed', async () => {
    const other = changed((text) =>
      text
        .replace('"class_name": "LayerNormalization"', '"class_name": "MultiHeadAttention"')
        .replace('"groups": 1', '"groups": 2'),
    );
    const error = await failure(keras, { path: other });
    expect(error.code).toBe('MODEL_UNSUPPORTED');
    expect(error.parts.received).toMatch(/^Conv2D '\w+' \(groups\); MultiHeadAttention '\w+'$/);
  });

  it.each([
    ['another class', (text: string) => text.replace('"Sequential"', '"MyModel"'), 'MODEL_UNSUPPORTED'],
    ['no JSON', () => '{', 'MODEL_FILE_INVALID'],
    ['other filters', (text: string) => text.replace('"filters": 4', '"filters": 5'), 'MODEL_FILE_INVALID'],
    ['no weights', (text: string) => text.replaceAll('"Conv2D"', '"Conv2DTranspose"'), 'MODEL_FILE_INVALID'],
  ])('with %s is refused', async (_, change, code) => {
    expect((await failure(keras, { path: changed(change) })).code).toBe(code);
  });

  it.each([0, 3, 100, 9000])('that ends after %i bytes is refused', async (length) => {
    for (const name of ['sequential.keras3.h5', 'sequential.keras3.keras']) {
      const copy = join(temporaryFolder(), name);
      cpSync(fixture(`keras/${name}`), copy);
      truncateSync(copy, length);
      expect((await failure(keras, { path: copy })).code).toBe('MODEL_FILE_INVALID');
    }
  });

  it('that is missing, or whose output is, is refused', async () => {
    expect((await failure(keras, { path: '/nowhere.keras' })).code).toBe('MODEL_FILE_INVALID');
    expect((await failure(keras, { path, output: 'mask' })).code).toBe('CONFIG_INVALID');
  });
});

describe('a TensorFlow.js model', () => {
  const source = fixture('tfjs/sequential.layers');

  function copied(change: (model: Record<string, unknown>) => unknown): string {
    const folder = join(temporaryFolder(), 'model');
    mkdirSync(folder);
    cpSync(source, folder, { recursive: true });
    const path = join(folder, 'model.json');
    const model = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify(change(model)));
    return path;
  }

  it('is not read from outside its folder', async () => {
    const path = copied(({ weightsManifest, ...rest }) => {
      const [group] = weightsManifest as [object];
      return { ...rest, weightsManifest: [{ ...group, paths: ['../weights.bin'] }] };
    });
    writeFileSync(join(path, '../../weights.bin'), readFileSync(join(source, 'weights.bin')));
    expect((await failure(tfjs, { path })).message).toContain('outside its own folder');
  });

  it.each([
    ['nothing in it', () => ({}), 'MODEL_FILE_INVALID'],
    ['another format', (model: object) => ({ ...model, format: 'tflite' }), 'MODEL_UNSUPPORTED'],
    ['a graph without nodes', (model: object) => ({ ...model, format: 'graph-model' }), 'MODEL_FILE_INVALID'],
    [
      'layers that do not exist',
      (model: object) => JSON.parse(JSON.stringify(model).replaceAll('"Conv2D"', '"Mine"')) as object,
      'MODEL_UNSUPPORTED',
    ],
  ])('with %s is refused', async (_, change, code) => {
    expect((await failure(tfjs, { path: copied(change) })).code).toBe(code);
  });

  it('that is a graph leaves out its softmax, and has outputs by name', async () => {
    const path = fixture('tfjs/unet.graph/model.json');
    const { notes } = await open(tfjs, { path, scale: 1 });
    expect(notes!.join()).toMatch(/attacks work on the logits that '.*Softmax' \(Softmax\) is given/);
    expect(notes!.join()).toContain('images of 8 x 8 are stretched: the model takes 32 x 32 only');
    expect((await failure(tfjs, { path, output: 'mask' })).code).toBe('CONFIG_INVALID');
  });
});

describe('a SavedModel', () => {
  const module = fixture('savedmodel/module');
  const inside = (path: string) => join(path, 'saved_model.pb');

  function copied(name: string, change: (folder: string) => void): string {
    const folder = join(temporaryFolder(), 'model');
    cpSync(fixture(`savedmodel/${name}`), folder, { recursive: true });
    change(folder);
    return folder;
  }

  it('is the same by its folder and by its file', async () => {
    const [folder, file] = [
      await open(savedmodel, { path: module }, 3),
      await open(savedmodel, { path: inside(module) }, 3),
    ];
    expect(folder.fingerprint).toBe(file.fingerprint);
    expect(folder.notes!.join()).toContain('there are: choose, label, serving_default, unusual');
  });

  it('has another fingerprint when only a variable differs', async () => {
    const path = copied('module', (folder) => {
      const file = join(folder, 'variables/variables.data-00000-of-00001');
      writeFileSync(file, readFileSync(file).fill(0, 0, 4));
    });
    const [given, other] = [await open(savedmodel, { path: module }, 3), await open(savedmodel, { path }, 3)];
    expect(other.fingerprint).not.toBe(given.fingerprint);
  });

  it('leaves out its softmax, and knows its own rescaling', async () => {
    const { notes } = await open(savedmodel, { path: fixture('savedmodel/keras3'), output: 'mask' });
    expect(notes!.join()).toMatch(/attacks work on the logits that '[^']*mask[^']*' \(Softmax\) is given/);
    expect(notes!.join()).toMatch(
      /multiplied by 1: the model normalises by itself: '\S+' is Mul by 0.007843/,
    );
  });

  it('of bytes is attacked before its argmax', async () => {
    const { notes, channels, gradient } = await open(savedmodel, { path: module, signature: 'label' }, 3);
    expect({ channels, gradient }).toEqual({ channels: 3, gradient: undefined });
    expect(notes!.join()).toContain('(ArgMax) is given');
    expect(notes!.join()).toContain('multiplied by 1: the input takes whole numbers');
  });

  it('with an operator without a gradient says which, and is a black box', async () => {
    const { notes, gradient } = await open(savedmodel, { path: module, signature: 'choose' }, 3);
    expect(gradient).toBe(false);
    expect(notes!.join()).toMatch(/there is no gradient of TopK '\w+': only attacks that need none work/);
  });

  it('lists all operators that are not computed', async () => {
    const error = await failure(savedmodel, { path: module, signature: 'unusual' });
    expect(error.code).toBe('MODEL_UNSUPPORTED');
    expect(error.parts.received!.split(', ').sort()).toEqual(["Lgamma 'Lgamma'", "Roll 'Roll'"]);
  });

  it('without such a signature or output is refused', async () => {
    const error = await failure(savedmodel, { path: module, signature: 'labels' });
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.parts.next).toContain("'label'");
    expect((await failure(savedmodel, { path: module, output: 'mask' })).code).toBe('CONFIG_INVALID');
  });

  it.each([
    ['is empty', (folder: string) => rmSync(inside(folder)), 'The folder is no SavedModel.'],
    ['ends early', (folder: string) => truncateSync(inside(folder), 9000), 'cannot be read as a SavedModel'],
    ['has no graph', (folder: string) => truncateSync(inside(folder), 0), 'holds no graph'],
    [
      'lost its variables',
      (folder: string) => rmSync(join(folder, 'variables'), { recursive: true }),
      'values of the variables are missing',
    ],
    [
      'lost their values',
      (folder: string) => rmSync(join(folder, 'variables/variables.data-00000-of-00001')),
      'file with the weights',
    ],
    [
      'has half of their values',
      (folder: string) => truncateSync(join(folder, 'variables/variables.data-00000-of-00001'), 100),
      'variables cannot be read',
    ],
    [
      'has half of their index',
      (folder: string) => truncateSync(join(folder, 'variables/variables.index'), 100),
      'variables cannot be read',
    ],
    [
      'has an index of noise',
      (folder: string) => {
        const file = join(folder, 'variables/variables.index');
        writeFileSync(file, readFileSync(file).fill(0xff, 0, 150));
      },
      'variables cannot be read',
    ],
  ])('that %s is refused', async (_, change, message) => {
    const error = await failure(savedmodel, { path: copied('module', change) });
    expect(error.code).toBe('MODEL_FILE_INVALID');
    expect(error.message).toContain(message);
  });

  it('that is not there is refused', async () => {
    expect((await failure(savedmodel, { path: '/nowhere' })).parts.received).toBe('nothing');
  });
});

describe('a function', () => {
  function module(code: string): { file: string } {
    const file = join(temporaryFolder(), 'predict.ts');
    writeFileSync(file, code);
    return { file };
  }
  const shape = 'shape: [height, width]';
  const each = '{ length: height * width }';
  const labels = `import type { Image } from 'robust';
    export default ({ shape: [height, width, channels], data }: Image) => ({
      ${shape}, data: Array.from(${each}, (_, i) => (data[i * channels]! > 100 ? 2 : 0)) });`;
  const images = () => tf.tile(tf.tensor4d([200, 50], [2, 1, 1, 1]), [1, 8, 8, 3]) as Tensor4D;

  it('gives classes, without a gradient, and says so', async () => {
    const { logits, gradient, notes, channels } = await open(javascript, module(labels), 3);
    expect({ gradient, channels }).toEqual({ gradient: false, channels: 3 });
    expect(notes!.join()).toContain('only attacks that need none work');
    const classes = tf.argMax(logits(images()), 3).dataSync();
    expect([...new Set(classes.slice(0, 64)), ...new Set(classes.slice(64))]).toEqual([2, 0]);
  });

  it('gives probabilities', async () => {
    const code = labels.replace(shape, 'shape: [height, width, 1]').replace('? 2 : 0', '? 0.75 : 0.25');
    const { logits } = await open(javascript, { ...module(code), kind: 'probabilities' });
    const [high, low] = [logits(images()).dataSync().at(0)!, logits(images()).dataSync().at(-1)!];
    expect([high, low]).toEqual([Math.log(3), -Math.log(3)].map((z) => expect.closeTo(z, 5) as number));
  });

  it.each([
    ['a promise', 'export default async () => 1;', 'a promise'],
    ['another size', 'export default () => ({ shape: [2, 2], data: [0, 0, 0, 0] });', 'shape [2,2]'],
    ['nothing', 'export default () => undefined;', 'shape [undefined]'],
  ])('that returns %s is refused', async (_, code, received) => {
    const error = await failure(javascript, module(code));
    expect(error.code).toBe('REFERENCE_FAILED');
    expect(error.parts.received).toContain(received);
  });

  it('that is none, or not there, is refused', async () => {
    expect((await failure(javascript, module('export default 1;'))).parts.received).toBe('number');
    expect((await failure(javascript, { file: './nowhere.ts' })).parts.received).toBe('nothing');
  });
});
