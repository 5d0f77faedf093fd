import type { Readable, Writable } from 'node:stream';
import { isCancel, select, text } from '@clack/prompts';
import { problemOfModel, systems, usual, type Answers } from './answers.ts';

/** The person's terminal. */
interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** Thrown when the person leaves a question with Ctrl-C or Escape. */
export class GaveUp extends Error {}

/**
 * Asks for what was not given, one question after another.
 *
 * @throws GaveUp
 */
export async function ask(given: Partial<Answers>, cwd: string, terminal: Terminal): Promise<Answers> {
  const model = given.model ?? (await askModel(cwd, terminal));
  const pattern = (message: string, placeholder: string) => {
    const validate = (value?: string) => (value ? undefined : `such as ${placeholder}`);
    return answered(text({ message, placeholder, validate, ...terminal }));
  };
  const share = async (message: string, value: number) =>
    Number(await answered(text({ message, initialValue: String(value), validate: notShare, ...terminal })));
  const patterns = model.length > 0 && {
    images: given.images ?? (await pattern('On which images?', 'images/*.png')),
    masks: given.masks ?? (await pattern('Where are their masks?', 'masks/*.png')),
  };
  const clean = await share('Which mean Dice must a release reach on untouched images?', usual.clean);
  const drop = await share('How much of it may an attack at eps 4 take?', usual.drop);
  const where = { message: 'Where shall it run?', options, ...terminal };
  const ci = given.ci ?? (await answered(select(where)));
  return { ...given, model, ...patterns, clean, drop, ci };
}

async function askModel(cwd: string, terminal: Terminal): Promise<string[]> {
  const file = await answered(
    text({
      message: 'Which model do you test?',
      placeholder: 'a file; nothing for a study on generated images',
      defaultValue: '',
      validate: (value) => (value ? problemOfModel(value, cwd) : undefined),
      ...terminal,
    }),
  );
  return file === '' ? [] : [file];
}

async function answered<T>(prompt: Promise<T>): Promise<Exclude<T, symbol>> {
  const value = await prompt;
  if (isCancel(value)) throw new GaveUp();
  return value as Exclude<T, symbol>;
}

const labels = { github: 'GitHub Actions', gitlab: 'GitLab CI', none: 'only here' } as const;
const options = systems.map((value) => ({ value, label: labels[value] }));

function notShare(value: string | undefined): string | undefined {
  const number = Number(value);
  return value && number >= 0 && number <= 1 ? undefined : 'a number from 0 to 1';
}
