import { stripVTControlCharacters } from 'node:util';
import type { GateResult } from '../../../core/index.ts';

/** One line of plain text: names come from files and configurations, and may hold anything, also turns of direction. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(
    /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu,
    '?',
  );
}

/** One line of at most `length` characters, for places that have no room for more. */
export function short(text: string, length = 60): string {
  const characters = [...plain(text)];
  return characters.length <= length ? characters.join('') : `${characters.slice(0, length - 1).join('')}…`;
}

/** `unet, targeted-ifgsm, eps 8`: where a gate or a check looked. */
export function placeOf({
  subject,
  attack,
  eps,
}: Partial<Pick<GateResult, 'subject' | 'attack' | 'eps'>>): string {
  const parts = [subject, attack, eps === undefined || attack === 'clean' ? undefined : `eps ${eps}`];
  return plain(parts.filter((part) => part !== undefined).join(', '));
}

/** A measured value for people. */
export function decimal(value: number | null, digits = 3): string {
  return value === null ? 'undefined' : value.toFixed(digits);
}

/** A whole number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}
