/** Measures one backend of robust: `worker.ts BACKEND THREADS`, then one line of JSON in, one out. */
import { createInterface } from 'node:readline';
import { startEngine } from '../core/engine.ts';
import { backendContext } from '../core/testing/context.ts';
import type { Case, What } from './cases.ts';
import { compareExported } from './exported.ts';
import { convolutionLimit } from './limit.ts';
import { profile } from './profile.ts';
import { overhead } from './overhead.ts';
import { openSubject, registry, type Subject } from './subject.ts';
import { sweep } from './sweep.ts';
import { tasksOf } from './tasks.ts';
import { repeated } from './timing.ts';

interface Request {
  readonly do: 'info' | 'measure' | 'limit' | 'profile' | 'overhead' | 'exported';
  readonly what: What;
  readonly case: Case;
}

const [backend = '', threads] = process.argv.slice(2);
// Not every backend lets one choose.
const takesThreads = 'threads' in (await registry.resolve('backend', backend)).options;
const reference = { use: backend, ...(takesThreads && { threads: Number(threads) }) };
const engine = await startEngine(reference, registry, backendContext());
let current: { name: string; subject: Subject } | undefined;

async function subjectOf(asked: Case): Promise<Subject> {
  if (current?.name === asked.dir) return current.subject;
  current?.subject.dispose();
  current = { name: asked.dir, subject: await openSubject(asked, engine) };
  return current.subject;
}

async function answer(request: Request): Promise<unknown> {
  if (request.do === 'info') return engine.info;
  if (request.do === 'measure' && request.what === 'sweep') return sweep(request.case, reference);
  if (request.do === 'overhead') return overhead(request.case, reference);
  const subject = await subjectOf(request.case);
  if (request.do === 'exported') return compareExported(subject, request.case);
  if (request.do === 'limit') return { seconds: await convolutionLimit(subject) };
  const task = tasksOf(subject)[request.what as Exclude<What, 'sweep'>];
  return request.do === 'profile' ? { lines: await profile(task, engine) } : repeated(task.run);
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line) as Request).catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
  }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
