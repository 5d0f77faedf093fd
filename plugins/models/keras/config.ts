import { unsupported } from '../foreign/failure.ts';
import { isKnown } from '../foreign/layers-model.ts';
import { isTree, type Tree } from '../foreign/tree.ts';
import type { StoredLayer } from './file.ts';

/** A layer of a configuration. */
interface Layer extends Tree {
  readonly class_name: string;
  readonly config: Tree;
  readonly module?: unknown;
}

const models = new Set(['Functional', 'Model', 'Sequential']);

/**
 * A model of Keras 2 or 3 as TensorFlow.js speaks of it, which is the language of Keras 2. Everything is trainable, so that
 * weights stand in one order.
 *
 * @throws RobustError MODEL_UNSUPPORTED with all layers that TensorFlow.js does not have or computes differently.
 */
export function translate(topology: Tree): Layer {
  const model = topology as Layer;
  if (!models.has(model.class_name) || !Array.isArray(model.config?.['layers'])) {
    throw unsupported('Only models that are functional or sequential say what they are made of.', {
      received: String(model.class_name),
      next: 'export the model as ONNX, with tf2onnx',
    });
  }
  const problems = layersOf(model).flatMap(problemsOf);
  if (problems.length > 0) {
    throw unsupported('The model has layers that are not computed here.', {
      received: problems.join('; '),
      next: 'export the model as ONNX, with tf2onnx, or replace these layers',
    });
  }
  return translated(model);
}

/** The layers of a model as they are stored: a `.keras` file names folders by class, and numbers those of one class. */
export function storedLayers(model: Tree, parent = 'layers'): StoredLayer[] {
  const counts = new Map<string, number>();
  return layersIn(model).map((layer) => {
    const name = snakeCase(layer.class_name);
    const earlier = counts.get(name) ?? 0;
    counts.set(name, earlier + 1);
    const folder = `${parent}/${name}${earlier === 0 ? '' : `_${earlier}`}`;
    const inner = models.has(layer.class_name) ? storedLayers(layer, `${folder}/layers`) : [];
    return { name: nameOf(layer), folder, inner };
  });
}

/** As Keras names folders: `Conv2DTranspose` is `conv2d_transpose`. */
function snakeCase(name: string): string {
  return name
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

const layersIn = (model: Tree) => (model as Layer).config['layers'] as Layer[];

const nameOf = ({ name, config }: Layer) => String(name ?? config['name']);

/** Layers of a model and of those in it. */
function layersOf(model: Layer): Layer[] {
  return layersIn(model).flatMap((layer) => (models.has(layer.class_name) ? layersOf(layer) : [layer]));
}

/** Why a layer cannot be computed; nothing when it can. */
function problemsOf(layer: Layer): string[] {
  const { class_name: name, config, module } = layer;
  const say = (why: string) => [`${name} '${nameOf(layer)}'${why}`];
  if (String(module).includes('.ops') || !(isKnown(name) || name === 'SpatialDropout2D')) return say('');
  if (name === 'Resizing' || name === 'Lambda') return say('');
  if (config['data_format'] === 'channels_first') return say(' (channels first)');
  if (Number(config['groups'] ?? 1) > 1) return say(' (groups)');
  if ((config['output_padding'] ?? null) !== null) return say(' (output padding)');
  if (name === 'Conv2DTranspose' && [config['dilation_rate']].flat().some((rate) => Number(rate) > 1))
    return say(' (dilation)');
  if (
    name === 'ReLU' &&
    (Number(config['negative_slope'] ?? 0) !== 0 || Number(config['threshold'] ?? 0) !== 0)
  )
    return say(' (slope or threshold)');
  if (config['activation'] === 'hard_sigmoid') return say(' (hard sigmoid, which differs between versions)');
  return [];
}

function translated(model: Layer): Layer {
  const { config } = model;
  const layers = layersIn(model).map((layer) => translatedLayer(layer, model));
  return {
    class_name: model.class_name === 'Sequential' ? 'Sequential' : 'Model',
    config: {
      ...config,
      trainable: true,
      layers,
      ...('input_layers' in config && { input_layers: ports(config['input_layers']) }),
      ...('output_layers' in config && { output_layers: ports(config['output_layers']) }),
    },
  };
}

/** Keras 3 writes a single port without a list around it. */
function ports(given: unknown): unknown {
  return Array.isArray(given) && typeof given[0] === 'string' ? [given] : given;
}

function translatedLayer(layer: Layer, parent: Layer): Layer {
  const inner = models.has(layer.class_name);
  const made: Layer = inner ? translated(layer) : { ...layer, ...translatedOptions(layer) };
  const nodes = (layer['inbound_nodes'] ?? []) as unknown[];
  return { ...made, name: nameOf(layer), inbound_nodes: nodes.map((node) => inboundNode(node, parent)) };
}

/** Other names of the same thing. */
const activations: Readonly<Record<string, string>> = { silu: 'swish' };

function translatedOptions({ class_name, config }: Layer): Pick<Layer, 'class_name' | 'config'> {
  const options: Tree = {};
  for (const [key, value] of Object.entries(config)) {
    if (/_(regularizer|constraint)$/.test(key)) continue;
    // It has two kernels, each with an initial value of its own.
    if (key === 'kernel_initializer' && class_name === 'SeparableConv2D') continue;
    if (key === 'batch_shape') options['batch_input_shape'] = value;
    else if (key === 'negative_slope' && class_name === 'LeakyReLU') options['alpha'] = value;
    else if (key === 'activation') options[key] = activations[String(value)] ?? activationOf(value);
    else options[key] = value;
  }
  options['dtype'] = 'float32';
  options['trainable'] = true;
  if (class_name === 'SpatialDropout2D')
    return { class_name: 'Activation', config: { name: config['name'], activation: 'linear' } };
  const half = class_name === 'UpSampling2D' && config['interpolation'] === 'bilinear';
  return { class_name: half ? 'BilinearUpSampling2D' : class_name, config: options };
}

/** Keras 2 writes an activation with options as an object. */
function activationOf(value: unknown): unknown {
  return isTree(value) ? (value['config'] ?? value['class_name']) : value;
}

/** Where the inputs of a layer come from, as `[layer, node, tensor, {}]`. */
function inboundNode(node: unknown, parent: Layer): unknown {
  return isTree(node) ? sources(node['args']).map((source) => shifted(source, parent)) : node;
}

type Source = readonly [layer: string, node: number, tensor: number];

function sources(value: unknown): Source[] {
  if (Array.isArray(value)) return value.flatMap(sources);
  if (!isTree(value)) return [];
  const { class_name, config } = value as Partial<Layer>;
  return class_name === '__keras_tensor__' ? [config!['keras_history'] as Source] : [];
}

/** A model has a node before it is used as a layer; Keras 3 does not count it. */
function shifted([name, node, tensor]: Source, parent: Layer): unknown {
  const source = layersIn(parent).find((layer) => nameOf(layer) === name);
  return [name, source && models.has(source.class_name) ? node + 1 : node, tensor, {}];
}
