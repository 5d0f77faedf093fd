import { stripVTControlCharacters } from 'node:util';

/** One line of plain text: names come from files and configurations, and may hold anything, also turns of direction. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu,
    '?',
  );
}

/** One line of plain text of at most `length` characters. */
export function short(text: string, length = 60): string {
  const characters = [...plain(text)];
  return characters.length <= length ? characters.join('') : `${characters.slice(0, length - 1).join('')}…`;
}

/** Breaks a line at spaces, or anywhere if it must; what follows is indented. */
export function wrap(text: string, columns: number, indent: string): string {
  const width = Math.max(columns, 40);
  if (text.length <= width) return text;
  const space = text.lastIndexOf(' ', width);
  const at = space > indent.length ? space : width;
  return `${text.slice(0, at)}\n${wrap(`${indent}${text.slice(at).trimStart()}`, columns, indent)}`;
}
