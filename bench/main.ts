/** `npm run bench`: how fast robust is, on every backend present, and beside PyTorch. */
import { rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { BackendPlugin } from '../core/plugin.ts';
import { resolveOptions } from '../core/registry/index.ts';
import { backendContext } from '../core/testing/context.ts';
import { sizes, whats, type Case, type What } from './cases.ts';
import { showExported } from './exported.ts';
import { measureCase, type Profile, type Result } from './measure.ts';
import type { Part } from './overhead.ts';
import { Peer } from './peer.ts';
import { listNetworks, prepareCase } from './prepare.ts';
import { describeMachine, markdown, writePage } from './page.ts';
import { registry } from './subject.ts';

const usage = `npm run bench -- [options]
  --pytorch PYTHON     measure PyTorch too, in turns, with this Python
  --network NAME       only this network (repeatable)
  --size NAME          large (256 x 256, batch 4) or small (64 x 64, batch 1)
  --what NAME          forward, gradient, training or sweep (repeatable)
  --backend NAME       only this backend (repeatable)
  --rounds N           samples of each measurement, of which the median counts (5)
  --threads N          threads of each side (all processors)
  --overhead           instead, what metrics, statistics and reporters add to an attack on 379 images
  --exported           instead, the input gradient of an ONNX export, beside that of the network itself (needs --pytorch)
  --plain              run PyTorch's plain loop to its end instead of scaling it up
  --profile            say where the time goes, operator by operator (with --write: on the page too)
  --json FILE          write the results as JSON
  --write              put the results into docs/performance.md, keeping those of other slices`;

const { values: args } = parseArgs({
  options: {
    pytorch: { type: 'string' },
    network: { type: 'string', multiple: true },
    size: { type: 'string', multiple: true, default: Object.keys(sizes) },
    what: { type: 'string', multiple: true, default: [...whats] },
    backend: { type: 'string', multiple: true },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    overhead: { type: 'boolean', default: false },
    exported: { type: 'boolean', default: false },
    plain: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

async function presentBackends(): Promise<string[]> {
  const present: string[] = [];
  for (const plugin of (await registry.list('backend')) as BackendPlugin[]) {
    if (plugin.preference <= 0) continue;
    const { available } = await plugin.probe(resolveOptions(plugin), backendContext());
    if (available) present.push(plugin.name);
  }
  return present;
}

async function main(): Promise<void> {
  const { threads } = args;
  const backends = args.backend ?? (await presentBackends());
  const script = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  const ours = backends.map(
    (name) =>
      new Peer(name, process.execPath, ['--import', 'jiti/register', script('worker.ts'), name, threads]),
  );
  const pytorch = args.pytorch
    ? new Peer('PyTorch', args.pytorch, [script('pytorch/server.py'), threads])
    : undefined;
  const peers = [...ours, ...(pytorch ? [pytorch] : [])];
  const [results, profiles]: [Result[], Profile[]] = [[], []];
  const machine = await describeMachine(ours, pytorch);
  console.log(machine.join('\n'));
  try {
    for (const network of args.network ?? (await listNetworks())) {
      for (const size of args.size) {
        const wanted: Case = await prepareCase(network, size);
        if (args.overhead) for (const peer of ours) await showOverhead(peer, wanted);
        const { rounds, plain, profile } = args;
        const how = { rounds: Number(rounds), plain, profile, whats: args.what as What[] };
        if (args.exported && args.pytorch) await showExported(wanted, ours, args.pytorch);
        if (!args.overhead && !args.exported) {
          const found = await measureCase(wanted, ours, pytorch, how);
          results.push(...found.results);
          profiles.push(...found.profiles);
          if (args.write) await writePage({ machine, ...found });
        }
        await rm(wanted.dir, { recursive: true });
      }
    }
  } finally {
    for (const peer of peers) peer.end();
  }
  if (!args.overhead && !args.exported) console.log(`\n${markdown(results)}`);
  if (args.json) await writeFile(args.json, JSON.stringify({ machine, results, profiles }, null, 2));
}

async function showOverhead(peer: Peer, wanted: Case): Promise<void> {
  const [attack, ...parts] = await peer.ask<[Part, ...Part[]]>({ do: 'overhead', case: wanted });
  const line = ({ part, seconds }: Part) =>
    `${part.padEnd(12)}${seconds.toFixed(1).padStart(9)} s${((100 * seconds) / attack.seconds).toFixed(2).padStart(8)} %`;
  const sum = { part: 'in all', seconds: parts.reduce((total, { seconds }) => total + seconds, 0) };
  console.log(`\n${wanted.network} ${wanted.size} on ${peer.name}`);
  console.log([attack, ...parts, sum].map(line).join('\n'));
}

if (args.help) console.log(usage);
else await main();
process.exit();
