import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../../../core/registry/index.ts';
import { backendContext } from '../../../core/testing/context.ts';
import { bundled } from '../../contract/bundled.ts';
import type { Growth, Held } from './growth-child.ts';

const child = fileURLToPath(new URL('growth-child.ts', import.meta.url));
const MB = 2 ** 20;

/** What allocators keep varies; one forgotten result of a layer would be 64 KB a call, 400 calls long. */
const RSS = 12 * MB;
/** The rows of a batch are kept for the report: 12, of less than 1 KB each. Compiled code comes and goes. */
const OBJECTS = 1.5 * MB;

async function run(backend: string, batches: number, size: number): Promise<Growth> {
  const args = ['--import', 'jiti/register', child, backend, String(batches), String(size)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout) as Growth;
}

/**
 * Growth from the second third, when caches are full and steps captured, to the last. Of each the least counts: what is
 * kept for ever is always there, what waits for the collector is not.
 */
function growth(series: readonly Held[], what: 'rss' | 'objects'): number {
  const third = Math.floor(series.length / 3);
  const least = (part: readonly Held[]) => Math.min(...part.map((each) => each[what]));
  return least(series.slice(-third)) - least(series.slice(third, 2 * third));
}

// Those that `auto` never takes are too slow for this: plain JavaScript, and software in the place of a GPU.
const backends = (await bundled('backend')).filter(({ preference }) => preference > 0);

describe('a long run', () => {
  for (const plugin of backends) {
    it(`holds no more in the end on ${plugin.name}`, async ({ skip }) => {
      const { available, detail } = await plugin.probe(resolveOptions(plugin), backendContext());
      skip(!available, detail);
      const { training, sweep } = await run(plugin.name, 48, 32);
      for (const series of [training, sweep]) {
        expect(series.length).toBeGreaterThan(5);
        expect(new Set(series.map(({ tensors }) => tensors)).size).toBe(1);
        expect(growth(series, 'rss')).toBeLessThan(RSS);
        expect(growth(series, 'objects')).toBeLessThan(OBJECTS);
      }
    }, 180_000);
  }
});
