import { stripVTControlCharacters } from 'node:util';

/** One short line of plain text: names come from files and configurations, and may hold anything. */
export function clean(text: string, length = 60): string {
  const characters = [...stripVTControlCharacters(text).replace(/\p{Cc}|\p{Cf}/gu, '?')];
  return characters.length <= length ? characters.join('') : `${characters.slice(0, length - 1).join('')}…`;
}
