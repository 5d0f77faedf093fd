import { CommanderError } from 'commander';
import { RobustError } from '../errors/index.ts';
import { colours, type Io } from './io.ts';

/** Shows an error, as text or as JSON, and gives the exit code. */
export function showFailure(thrown: unknown, io: Io, json: boolean): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0;
  const error = thrown instanceof CommanderError ? usage(thrown) : thrown;
  io.stderr.write(`${json ? JSON.stringify({ error: asData(error) }) : asText(error, io)}\n`);
  return 2;
}

function usage({ message }: CommanderError): RobustError {
  const [first = '', ...hints] = message.replace(/^error: /, '').split('\n');
  const next =
    hints.join(' ').replace(/^\((.*)\)$/, '$1') || 'robust --help lists the commands and their options';
  return new RobustError('USAGE', { message: first, next });
}

function asData(error: unknown): Record<string, unknown> {
  if (!(error instanceof RobustError)) return { code: 'UNEXPECTED', message: stackOf(error), next: report };
  const { message, where, expected, received, next } = error.parts;
  return { code: error.code, message, where, expected, received, next };
}

const report = 'this is a mistake in robust or in a plugin: please report it with the lines above';

function asText(error: unknown, { stderr, env }: Io): string {
  const paint = colours(stderr, env);
  if (!(error instanceof RobustError))
    return `${paint.red('error')} ${stackOf(error)}\n  ${paint.bold('next:')} ${report}`;
  const { message, ...parts } = error.parts;
  const lines = [`${paint.red('error')} ${paint.bold(error.code)} ${message}`];
  for (const key of ['where', 'expected', 'received', 'next'] as const) {
    if (parts[key] !== undefined) lines.push(`  ${paint.bold(`${key}:`.padEnd(9))} ${parts[key]}`);
  }
  return lines.join('\n');
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
