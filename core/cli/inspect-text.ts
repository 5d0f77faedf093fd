import { Help } from 'commander';
import type { ModelDescription, PortDescription, VerifiedOutput } from '../models/description.ts';
import type { GradientCheck } from '../models/gradient-check.ts';
import type { Inspection } from './inspect.ts';
import { table } from './table.ts';

const sides = (shape: readonly (number | null)[] | null) =>
  shape?.map((side) => side ?? '?').join('x') ?? '?';
const grouped = (n: number) => n.toLocaleString('en');
const millions = (n: number | null) => (n === null ? '?' : n === 0 ? '' : (n / 1e6).toFixed(n < 1e6 ? 3 : 1));

/** A table of the layers, and under it what concerns the whole model. */
export function asText({ model, use, image, description }: Inspection, columns: number): string {
  const { layers, taps, inputs, outputs, operators, logits, suggestion, notes = [] } = description;
  const rows = layers.map(({ type, output, trainable, fixed, multiplyAccumulates, ...layer }) => {
    const parameters = trainable + fixed;
    return [
      layer.name,
      type,
      sides(output),
      parameters > 0 ? grouped(parameters) : '',
      millions(multiplyAccumulates),
    ];
  });
  const wrap = (text: string) => new Help().boxWrap(text, columns);
  const ports = (given: readonly PortDescription[]) =>
    given
      .map(
        ({ name, type, shape }) => `${name} ${type} [${shape?.map((side) => side ?? '?').join(', ') ?? '?'}]`,
      )
      .join(', ');
  return [
    table(['layer', 'type', 'output', 'parameters', 'MMAC'], fitted(rows, columns), [3, 4]),
    '',
    wrap(`${model} for images of ${sides(image)}: ${cost(layers)}`),
    ...(inputs ? [wrap(`inputs: ${ports(inputs)}`)] : []),
    wrap(`outputs: ${ports(outputs)}`),
    ...(logits ? [`attacked: logits of ${sides(logits)}`] : []),
    ...(operators
      ? [wrap(`operators: ${operators.map(({ name, count }) => `${name} ${count}`).join(', ')}`)]
      : []),
    ...missing(operators).map(wrap),
    ...(operators
      ? []
      : [wrap(`taps: ${taps.map((tap) => `${tap.name} ${sides(tap.shape)}`).join(', ') || 'none'}`)]),
    ...(suggestion ? ['', 'suggested configuration:', configuration(use, model, suggestion)] : []),
    ...notes.map((note) => wrap(`- ${note}`)),
    '',
  ].join('\n');
}

function cost(layers: ModelDescription['layers']): string {
  const sum = (of: (layer: (typeof layers)[number]) => number | null) =>
    layers.reduce((total, layer) => total + (of(layer) ?? 0), 0);
  const fixed = sum((layer) => layer.fixed);
  const macs = (sum((layer) => layer.multiplyAccumulates) / 1e9).toPrecision(3);
  const unknown = layers.some((layer) => layer.multiplyAccumulates === null) ? 'at least ' : '';
  const parameters = `parameters: ${grouped(sum((layer) => layer.trainable))} trainable, ${grouped(fixed)} fixed`;
  return `${unknown}${macs} GMAC\n${parameters}`;
}

function missing(operators: ModelDescription['operators'] = []): string[] {
  const names = operators.filter(({ computed }) => !computed).map(({ name }) => name);
  return names.length === 0 ? [] : [`not computed here: ${names.join(', ')}`];
}

/** Options as they stand in a configuration. */
function configuration(
  use: string | undefined,
  model: string,
  suggestion: NonNullable<ModelDescription['suggestion']>,
): string {
  const entries = Object.entries({
    ...(use === undefined ? { use: model } : { use, path: model }),
    ...suggestion,
  });
  const shown = (value: unknown) =>
    typeof value === 'string' ? `'${value.replaceAll("'", "\\'")}'` : JSON.stringify(value);
  return `  model: {\n${entries.map(([key, value]) => `    ${key}: ${shown(value)},\n`).join('')}  }`;
}

/** One line for each output of each recorded case. */
export function verifiedText(verified: readonly VerifiedOutput[]): string {
  const rows = verified.map(({ set, output, difference, passed }) => [
    set,
    output,
    Number.isFinite(difference) ? difference.toExponential(1) : 'another shape',
    passed ? 'equal' : 'DIFFERENT',
  ]);
  return `${table(['recorded case', 'output', 'max difference', ''], rows)}\n`;
}

export function checkText({ directions, relativeError }: GradientCheck): string {
  const found =
    relativeError === null
      ? 'the loss does not change along any direction'
      : `differences and derivative part by ${(100 * relativeError).toPrecision(2)} %`;
  return `gradient along ${directions} random directions: ${found}\n`;
}

/** Cuts the middle out of layer names that would make a line longer than the terminal. */
function fitted(rows: readonly string[][], columns: number): string[][] {
  const widest = (column: number) => Math.max(10, ...rows.map((row) => row[column]!.length));
  const room = Math.max(12, columns - 8 - [1, 2, 3, 4].reduce((sum, column) => sum + widest(column), 0));
  const cut = (text: string) =>
    text.length <= room
      ? text
      : `${text.slice(0, Math.ceil(room / 2) - 1)}…${text.slice(-Math.floor(room / 2))}`;
  return rows.map(([name, ...rest]) => [cut(name!), ...rest]);
}
