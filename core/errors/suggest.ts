import { distance } from 'fastest-levenshtein';

/** The name closest to `wanted`, if one is close enough to be a slip of the finger. */
export function nearest(wanted: string, names: Iterable<string>): string | undefined {
  const ranked = [...names]
    .map((name) => ({ name, edits: distance(wanted.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(2, Math.ceil(wanted.length / 3)) ? best.name : undefined;
}

/** `did you mean 'unet'?` and the list of what exists, as the next step of an error. */
export function suggestion(wanted: string, names: Iterable<string>): string {
  const all = [...names].sort();
  const best = nearest(wanted, all);
  const hint = best === undefined ? '' : `did you mean '${best}'? `;
  return `${hint}${all.length > 0 ? `there are: ${all.join(', ')}` : 'there are none'}`;
}
