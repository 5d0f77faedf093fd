import { realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';
import { invalid } from './failure.ts';

/** The file with the data, which must lie in the folder of the model, links included. */
export function insidePath(folder: string, location: string, where: string): string {
  const path = resolve(folder, location);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (cause) {
    throw invalid('The file with the weights of the model is missing.', {
      where: `${where}, ${path}`,
      next: 'put the data file beside the model, under the name that it was exported with',
      cause,
    });
  }
  const inside = relative(realpathSync(folder), real);
  if (location !== '' && !isAbsolute(location) && !isAbsolute(inside) && !inside.startsWith('..'))
    return real;
  throw invalid('The model wants to read a file outside its own folder.', {
    where,
    expected: 'a file in the folder of the model',
    received: location,
    next: 'do not use this file unless you know who made it',
  });
}
