import { expect, test } from 'vitest';
import { makeProgress } from '../../core/cli/progress.ts';
import { createHooks, type ProgressEvent, type TrainingEvent } from '../../core/hooks.ts';

const sweep: ProgressEvent = {
  subject: 'unet',
  attack: 'pgd',
  done: 4,
  total: 40,
  imagesPerSecond: 3.14159,
  secondsLeft: 11.2,
};
const training: TrainingEvent = {
  subject: 'unet',
  epoch: 2,
  epochs: 3,
  step: 5,
  steps: 10,
  loss: 0.12345,
  learningRate: 1e-3,
  dice: 0.9,
  secondsLeft: 75,
};

function progress(isTTY: boolean) {
  const hooks = createHooks();
  let text = '';
  const clock = { now: 0 };
  // What cli-progress asks of a terminal beside `write`.
  const terminal = {
    isTTY,
    columns: 120,
    write: (more: string) => (text += more),
    cursorTo() {},
    clearLine() {},
  };
  makeProgress(terminal, () => clock.now).apply({ hooks } as never);
  return { hooks, clock, shown: () => text };
}

test('elsewhere than on a terminal: plain lines, at most every few seconds, and the last one', () => {
  const { hooks, clock, shown } = progress(false);
  hooks.progress.call(sweep);
  clock.now = 1000;
  hooks.progress.call({ ...sweep, done: 8 });
  clock.now = 5000;
  hooks.progress.call({ ...sweep, done: 12 });
  clock.now = 5100;
  hooks.progress.call({ ...sweep, done: 40, secondsLeft: 0 });
  hooks.progress.call({ ...sweep, subject: 'other', secondsLeft: NaN });
  expect(shown().split('\n')).toEqual([
    'pgd on unet: 4/40 images, 3.14 images/s, 12 s left',
    'pgd on unet: 12/40 images, 3.14 images/s, 12 s left',
    'pgd on unet: 40/40 images, 3.14 images/s, 0 s left',
    'pgd on other: 4/40 images, 3.14 images/s, time left unknown',
    '',
  ]);
});

test('training', () => {
  const { hooks, shown } = progress(false);
  hooks.training.call(training);
  hooks.runStart.call({ cells: [], images: 0, gradients: 0 });
  hooks.training.call({ ...training, dice: null, secondsLeft: 7261 });
  expect(shown().split('\n')).toEqual([
    'train unet: epoch 2/3, loss 0.1235, Dice 0.900, rate 1.0e-3, 1 min 15 s left',
    'train unet: epoch 2/3, loss 0.1235, rate 1.0e-3, 2 h 1 min left',
    '',
  ]);
});

test('the audit, check by check', () => {
  const { hooks, shown } = progress(false);
  const event = { subject: 'unet', total: 12 };
  hooks.auditing.call({ ...event, check: 'blank', done: 0 });
  hooks.auditing.call({ ...event, check: 'noise', attack: 'pgd', done: 11 });
  hooks.auditing.call({ ...event, subject: 'other', check: 'noise', attack: 'pgd', done: 11 });
  expect(shown().split('\n')).toEqual([
    'audit unet: check 1 of 12: blank',
    'audit other: check 12 of 12: noise of pgd',
    '',
  ]);
  const terminal = progress(true);
  terminal.hooks.auditing.call({ ...event, check: 'noise', attack: 'pgd', done: 6 });
  expect(terminal.shown()).toContain('audit unet [=====-----] 50% | check 7 of 12: noise of pgd');
});

test('on a terminal: one bar per task, gone before anything else is printed', () => {
  const { hooks, shown } = progress(true);
  hooks.training.call(training);
  expect(shown()).toContain(
    'train unet [=====-----] 50% | 1 min 15 s left | epoch 2/3, loss 0.1235, Dice 0.900, rate 1.0e-3',
  );
  hooks.progress.call(sweep);
  expect(shown()).toContain('pgd on unet [=---------] 10% | 12 s left | 4/40 images, 3.14 images/s');
  const report = { status: 'complete' } as never;
  expect(hooks.summarize.call(report)).toBe(report);
  const before = shown();
  expect(before.endsWith('\n')).toBe(true);
  hooks.shutdown.call();
  expect(shown()).toBe(before);
});
