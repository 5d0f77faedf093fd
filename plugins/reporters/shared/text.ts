import { plain, type GateResult } from '../../../core/index.ts';

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
