import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { bundled } from './bundled.ts';

const child = fileURLToPath(new URL('backend-child.ts', import.meta.url));

// A process can start one backend only, so each has its own.
for (const { name } of await bundled('backend')) {
  it(`the backend ${name} fulfils its contract`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'jiti/register',
      child,
      name,
    ]);
    const { checks, failed } = JSON.parse(stdout.split('\n').at(-1) ?? '') as {
      checks: number;
      failed: string[];
    };
    expect(failed).toEqual([]);
    expect(checks).toBeGreaterThan(10);
  });
}
