import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LoadedConfig } from '../config/types.ts';

/**
 * Says where the gate at a position is configured: the origin that the configuration recorded, and for a file the
 * line, found in its text.
 *
 * @param cwd the folder that origins are relative to
 */
export function gateOrigins(
  origins: LoadedConfig['origins'],
  cwd: string,
): (index: number) => string | undefined {
  const lines = new Map<string, readonly number[]>();
  return (index) => {
    const own = (key: string) => key === `gates.${index}` || key.startsWith(`gates.${index}.`);
    const origin = origins[Object.keys(origins).find(own) ?? 'gates'];
    if (origin === undefined) return undefined;
    if (!lines.has(origin)) lines.set(origin, linesOf(resolve(cwd, origin)));
    const line = lines.get(origin)![index];
    return line === undefined ? origin : `${origin}:${line}`;
  };
}

function linesOf(file: string): number[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  return /\.ya?ml$/.test(file) ? yamlLines(text) : scriptLines(text);
}

/** Strings, comments, brackets and commas: all that matters to find the items of a list. */
const token = /(["'`])(?:\\[^]|(?!\1)[^\\])*\1|\/\/.*|\/\*[^]*?\*\/|[[{(]|[\]})]|,|\S/g;

/** Lines of the items of `gates: [...]` in JSON, JavaScript or TypeScript. */
function scriptLines(text: string): number[] {
  const start = /["']?\bgates\b["']?\s*:\s*\[/.exec(text);
  if (!start) return [];
  const first = start.index + start[0].length;
  const found: number[] = [];
  let depth = 0;
  let expected = true;
  for (const { 0: part, index } of text.slice(first).matchAll(token)) {
    if (/^\/[/*]/.test(part)) continue;
    if (depth === 0 && part === ']') break;
    if (depth === 0 && part === ',') {
      expected = true;
      continue;
    }
    if (expected && depth === 0) found.push(lineAt(text, first + index));
    expected = false;
    if (/^[[{(]$/.test(part)) depth++;
    if (/^[\]})]$/.test(part)) depth--;
  }
  return found;
}

/** Lines of the items of a `gates:` block list in YAML. */
function yamlLines(text: string): number[] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => /^gates:\s*(#.*)?$/.test(line));
  const end = lines.findIndex((line, index) => index > start && /^[^\s#-]/.test(line));
  const indent = /^( *)- /.exec(lines[start + 1] ?? '')?.[1];
  if (start < 0 || indent === undefined) return [];
  return lines
    .map((line, index) => (line.startsWith(`${indent}- `) ? index : -1))
    .filter((index) => index > start && (end < 0 || index < end))
    .map((index) => index + 1);
}

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}
