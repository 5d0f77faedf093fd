import { Command } from 'commander';
import { Registry, configSchema } from '../registry/index.ts';
import type { Io } from './io.ts';
import type { Finish } from './main.ts';
import { bundledPlugins } from './paths.ts';

/** `robust schema`: the JSON Schema of configuration files, for editors. */
export function schemaCommand(io: Io, finish: Finish): Command {
  return new Command('schema')
    .description('print the JSON Schema of configuration files, for editors')
    .option('--json', 'always so')
    .action(() => finish(printSchema(io)));
}

async function printSchema(io: Io): Promise<number> {
  const schema = await configSchema(new Registry({ bundledPlugins, baseDir: io.cwd }));
  io.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
  return 0;
}
