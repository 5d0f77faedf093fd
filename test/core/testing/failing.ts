import { failures, type Check } from '../../../core/testing/index.ts';

/** What plugins of a test have in common. */
export const basics = { summary: 'A plugin of a test.', options: {} };

/** The names of the checks that fail. */
export async function failing(checks: readonly Check[]): Promise<string[]> {
  const all = await failures(checks);
  return checks
    .map(({ name }) => name)
    .filter((name) => all.some((failure) => failure.startsWith(`${name}: `)));
}
