import { SingleBar } from 'cli-progress';
import { definePlugin, type HookPlugin } from '../plugin.ts';
import type { Output } from './io.ts';

/** One thing that goes on, such as the training of one subject. */
interface Step {
  readonly title: string;
  readonly done: number;
  readonly total: number;
  readonly detail: string;
  /** Absent where nobody can tell. */
  readonly secondsLeft?: number;
}

interface Display {
  show(step: Step): void;
  end(): void;
}

/** Shows how far a run is: one bar on a terminal, elsewhere a line every few seconds. */
export function makeProgress(output: Output, now: () => number = Date.now): HookPlugin {
  return definePlugin({
    name: 'progress',
    apply({ hooks }) {
      const display = output.isTTY ? bar(output as NodeJS.WriteStream) : plainLines(output, now);
      hooks.environment.tap('progress', ({ backend, version, device }) => {
        output.write(`computing with ${backend} ${version} on ${device}\n`);
      });
      hooks.runStart.tap('progress', () => display.end());
      hooks.training.tap('progress', (event) => {
        const { subject, epoch, epochs, step, steps, loss, dice, learningRate, secondsLeft } = event;
        const score = dice === null ? '' : `, Dice ${dice.toFixed(3)}`;
        const rate = `, rate ${learningRate.toExponential(1)}`;
        const detail = `epoch ${epoch}/${epochs}, loss ${loss.toFixed(4)}${score}${rate}`;
        const done = (epoch - 1) * steps + step;
        display.show({ title: `train ${subject}`, done, total: epochs * steps, detail, secondsLeft });
      });
      hooks.progress.tap('progress', ({ subject, attack, done, total, imagesPerSecond, secondsLeft }) => {
        const detail = `${done}/${total} images, ${imagesPerSecond.toPrecision(3)} images/s`;
        display.show({ title: `${attack} on ${subject}`, done, total, detail, secondsLeft });
      });
      hooks.auditing.tap('progress', ({ subject, check, attack, done, total }) => {
        const detail = `check ${done + 1} of ${total}: ${check}${attack === undefined ? '' : ` of ${attack}`}`;
        display.show({ title: `audit ${subject}`, done, total, detail });
      });
      // Whatever is printed next must not meet a bar.
      hooks.summarize.tap('progress', (report) => (display.end(), report));
      hooks.shutdown.tap('progress', () => display.end());
    },
  });
}

function bar(stream: NodeJS.WriteStream): Display {
  // What matters least comes last: a narrow terminal cuts it off.
  const format = '{title} [{bar}] {percentage}% | {left}{detail}';
  let shown: { title: string; bar: SingleBar } | undefined;
  const end = () => {
    shown?.bar.stop();
    shown = undefined;
  };
  return {
    end,
    show({ title, done, total, detail, secondsLeft }) {
      const payload = { title, detail, left: secondsLeft === undefined ? '' : `${left(secondsLeft)} | ` };
      if (shown?.title === title) return shown.bar.update(done, payload);
      end();
      shown = {
        title,
        bar: new SingleBar({ format, stream, barsize: 10, fps: 5, forceRedraw: true, hideCursor: false }),
      };
      shown.bar.start(total, done, payload);
    },
  };
}

function plainLines(output: Output, now: () => number, every = 5000): Display {
  let last: { title: string; at: number } | undefined;
  return {
    end: () => (last = undefined),
    show({ title, done, total, detail, secondsLeft }) {
      const due = last?.title !== title || done === total || now() - last.at >= every;
      if (!due) return;
      last = { title, at: now() };
      output.write(`${title}: ${detail}${secondsLeft === undefined ? '' : `, ${left(secondsLeft)}`}\n`);
    },
  };
}

function left(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'time left unknown';
  const whole = Math.ceil(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${minutes} min left`;
  return minutes > 0 ? `${minutes} min ${whole % 60} s left` : `${whole} s left`;
}
