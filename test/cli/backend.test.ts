import { describe, expect, it } from 'vitest';
import { main } from '../../core/cli/main.ts';

async function robust(...argv: string[]) {
  let [stdout, stderr] = ['', ''];
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: { NO_COLOR: '1' },
    cwd: process.cwd(),
  };
  const code = await main(argv, io);
  return { code, stdout, stderr };
}

describe('robust backend', () => {
  it('lists backends, the preferred ones first', async () => {
    const { code, stdout } = await robust('backend', 'list', '--json');
    const names = (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
    expect(code).toBe(0);
    expect(names.indexOf('tensorflow')).toBeLessThan(names.indexOf('wasm'));
    expect(names.indexOf('wasm')).toBeLessThan(names.indexOf('cpu'));
  });

  it('tests one against plain JavaScript', async () => {
    const { code, stdout } = await robust('backend', 'test', 'wasm', '--json');
    const { info, results } = JSON.parse(stdout) as {
      info: object;
      results: { name: string; ok: boolean }[];
    };
    expect(code).toBe(0);
    expect(info).toMatchObject({ backend: 'wasm' });
    expect(results.map(({ name }) => name)).toContain('gradient');
    expect(results.every(({ ok }) => ok)).toBe(true);
  });

  it('says when there is nothing to install or remove, and what could be', async () => {
    for (const verb of ['install', 'remove']) {
      const { code, stderr } = await robust('backend', verb, 'wasm');
      expect(code).toBe(2);
      expect(stderr).toMatch(/nothing to (install|remove) for 'wasm'[^]*tensorflow/);
    }
  });

  it('knows no other backend', async () => {
    expect(await robust('backend', 'test', 'wsam')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'wasm'"),
    });
  });
});
