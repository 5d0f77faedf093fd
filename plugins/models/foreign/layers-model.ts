import * as tfl from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { describeLayer, RobustError, suggestion, type ModelDescription } from '../../../core/index.ts';
import { unsupported } from './failure.ts';
import { installGradients } from './gradients.ts';
import type { ForeignModel, Kind, Scale } from './model.ts';
import type { Notes } from './notes.ts';
import type { ForeignOptions } from './options.ts';
import { isTree, type Tree } from './tree.ts';

/** Which output is scored, and what it holds. */
type LayersOptions = Pick<ForeignOptions, 'kind'> & { readonly output: string | null };

/** A model of `tf.layers` and its scored output, without the softmax or sigmoid at its end. */
export interface Built {
  readonly model: tfl.LayersModel;
  readonly index: number;
  readonly name: string;
  readonly kind: Kind | null;
}

/**
 * Builds a model from its configuration, in the language of Keras 2.
 *
 * @throws RobustError CONFIG_INVALID when there is no such output, MODEL_UNSUPPORTED when images are not its only input.
 */
export async function buildModel(topology: Tree, options: LayersOptions, notes: Notes): Promise<Built> {
  installGradients();
  const layers = ((topology['config'] as Tree)['layers'] ?? []) as Tree[];
  const names = outputNames(topology, layers);
  const name = options.output ?? names[0]!;
  const index = names.indexOf(name);
  if (index < 0)
    throw new RobustError('CONFIG_INVALID', {
      ...{ message: `The model has no output '${name}'.`, where: 'output', received: name },
      next: suggestion(name, names),
    });
  if (options.output === null && names.length > 1)
    notes.push({
      text: `the first of ${names.length} outputs is scored, '${name}' (option output; there are: ${names.join(', ')})`,
      ...{ option: 'output', value: name },
    });
  const last = layers.find((layer) => nameOf(layer) === name)!;
  const bare = options.kind === 'labels' ? undefined : withoutHead(last, notes);
  const changed = layers.map((layer) => (layer === last && bare ? bare : layer));
  const config = zeroed({ ...(topology['config'] as Tree), layers: changed }) as Tree;
  checkLayers(config);
  const model = await tfl.models.modelFromJSON({ ...topology, config } as never);
  if (model.inputs.length !== 1 || model.inputs[0]!.shape.length !== 4) {
    const received = model.inputs.map((input) => `[${input.shape.join(', ')}]`).join(', ');
    throw unsupported('The model does not have one input for images.', {
      expected: 'one input [N,H,W,C]',
      received,
    });
  }
  return { model, index, name, kind: bare ? 'logits' : options.kind === 'auto' ? null : options.kind };
}

/** Initial values, which weights replace, as zeros: drawing them takes longer than reading weights. */
function zeroed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(zeroed);
  if (!isTree(value)) return value;
  const zeros = { class_name: 'Zeros', config: {} };
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, key.endsWith('_initializer') ? zeros : zeroed(item)]),
  );
}

/** Whether `tf.layers` has a class. */
export function isKnown(className: unknown): boolean {
  return Object.hasOwn(tf.serialization.SerializationMap.getMap().classNameMap, String(className));
}

/** Names all layers that do not exist at once. */
function checkLayers(config: Tree): void {
  const unknown = ((config['layers'] ?? []) as Tree[]).filter((layer) => !isKnown(layer['class_name']));
  if (unknown.length === 0) return;
  const received = unknown.map((layer) => `${String(layer['class_name'])} '${nameOf(layer)}'`).join(', ');
  throw unsupported('The model has layers that do not exist here.', { received });
}

function outputNames(topology: Tree, layers: readonly Tree[]): string[] {
  const ports = (topology['config'] as Tree)['output_layers'];
  return Array.isArray(ports) ? ports.map((port: unknown[]) => String(port[0])) : [nameOf(layers.at(-1)!)];
}

function nameOf({ name, config }: Tree): string {
  return String(name ?? (config as Tree)['name']);
}

/** A layer without its softmax or sigmoid; nothing when it has none. */
function withoutHead(layer: Tree, notes: Notes): Tree | undefined {
  const config = layer['config'] as Tree;
  const head = layer['class_name'] === 'Softmax' ? 'softmax' : config['activation'];
  if (head !== 'softmax' && head !== 'sigmoid') return undefined;
  notes.push({
    text: `the output is probabilities: attacks work on the logits that the ${head} of '${nameOf(layer)}' is given`,
  });
  if (layer['class_name'] !== 'Softmax') return { ...layer, config: { ...config, activation: 'linear' } };
  return { ...layer, class_name: 'Activation', config: { name: config['name'], activation: 'linear' } };
}

/** A built model as what every format comes to. */
export function layersModel(
  { model, index, name, kind }: Built,
  path: string,
  fingerprint: string,
): ForeignModel {
  const [batch, height, width, channels] = model.inputs[0]!.shape.map((side) => side ?? undefined);
  return {
    path,
    fingerprint,
    input: { batch, height, width, channels },
    output: { name, kind },
    layout: 'nhwc',
    scale: (high) => scaleOf(model, high),
    compute: (images: Tensor4D) => {
      const made = [model.apply(images, { training: false }) as Tensor | Tensor[]].flat()[index]!;
      return { shape: made.shape, as: () => made };
    },
    dispose: () => void model.dispose(),
  };
}

/** What `robust inspect` shows of a model, beside how it would be used. */
export function describeLayers(
  model: tfl.LayersModel,
): Pick<ModelDescription, 'layers' | 'taps' | 'inputs' | 'outputs'> {
  const port = ({ name, dtype, shape }: tfl.SymbolicTensor) => ({ name, type: dtype, shape });
  return {
    layers: allLayers(model).map(describeLayer),
    taps: [],
    inputs: model.inputs.map(port),
    outputs: model.outputs.map(port),
  };
}

/** Layers of a model and of the models in it. */
function allLayers({ layers }: { readonly layers: readonly tfl.layers.Layer[] }): tfl.layers.Layer[] {
  return layers.flatMap((layer) => ('layers' in layer ? allLayers(layer as tfl.LayersModel) : [layer]));
}

/** A rescaling at the beginning tells what the model expects. */
function scaleOf({ layers }: tfl.LayersModel, high: number): Scale {
  const config = layers.find((layer) => layer.getClassName() === 'Rescaling')?.getConfig();
  const scale = isTree(config) ? Number(config['scale']) : undefined;
  if (scale === undefined)
    return { value: 1 / high, reason: 'the file does not tell: images from 0 to 1 are assumed' };
  const said = `the model rescales by ${Number(scale.toPrecision(4))} itself`;
  return scale <= 0.02 ? { value: 1, reason: said } : { value: 1 / high, reason: `${said}, from 0 to 1` };
}
