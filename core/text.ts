import { stripVTControlCharacters } from 'node:util';

/** One line of plain text: names come from files, and may hold anything. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, '?');
}

/** Breaks a line at spaces, or anywhere if it must; what follows is indented. */
export function wrap(text: string, columns: number, indent: string): string {
  const width = Math.max(columns, 40);
  if (text.length <= width) return text;
  const space = text.lastIndexOf(' ', width);
  const at = space > indent.length ? space : width;
  return `${text.slice(0, at)}\n${wrap(`${indent}${text.slice(at).trimStart()}`, columns, indent)}`;
}
