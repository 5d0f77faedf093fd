import { backendChecks } from '../../core/testing/checks/backend.ts';
import { failures } from '../../core/testing/checks/check.ts';
import { bundled } from './bundled.ts';

const plugin = (await bundled('backend')).find(({ name }) => name === process.argv[2]);
if (!plugin) throw new Error(`there is no backend ${process.argv[2]}`);
const checks = backendChecks(plugin);
const failed = await failures(checks);
process.stdout.write(`\n${JSON.stringify({ checks: checks.length, failed })}`, () => process.exit());
