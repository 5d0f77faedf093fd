import type { GateConfig } from '../config/types.ts';
import { RobustError } from '../errors/index.ts';

const number = String.raw`-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?`;
const form = new RegExp(
  [
    String.raw`^\s*(?:`,
    String.raw`check\s+(?<check>\S+)`,
    String.raw`|cost\s+(?<cost>gradients|forwards|seconds)\s*<=\s*(?<most>${number})`,
    String.raw`|(?<metric>[\w-]+)(?:\s+(?<change>drop|regression)\s*<=|\s*(?<sign><=|>=))\s*(?<value>${number})`,
    String.raw`)(?:\s+at\s+(?<place>\S.*?))?\s*$`,
  ].join(''),
);
const placeForm = new RegExp(
  String.raw`^(?:(?<clean>clean)|eps\s+(?<eps>${number}(?:\s*/\s*${number})?)|(?<key>subject|attack)\s+(?<name>\S.*))$`,
);
/** A comma that starts another place: names of attacks may hold commas too. */
const comma = /\s*,\s*(?=(?:clean|eps|subject|attack)\b)/;

/**
 * Reads a rule that is written as text:
 *
 *     dice >= 0.8 at eps 8            hd95 <= 4 at clean
 *     dice drop <= 0.05 at eps 8      dice regression <= 0.005 at eps 8, subject unet
 *     check budget-held               cost seconds <= 600 at subject unet
 *
 * @throws RobustError CONFIG_INVALID unless the whole text fits one of these forms
 */
export function parseRule(text: string, where: string): GateConfig {
  const parts = form.exec(text)?.groups;
  if (!parts) {
    return invalid(
      text,
      where,
      "METRIC >= NUMBER, METRIC <= NUMBER, METRIC drop <= NUMBER, METRIC regression <= NUMBER, 'check NAME' or " +
        "'cost seconds <= NUMBER', then 'at eps 8, subject NAME, attack NAME' where wanted",
    );
  }
  const at = placesOf(parts['place'], text, where);
  if (parts['check'] !== undefined) return { check: parts['check'], ...at };
  if (parts['cost'] !== undefined)
    return { cost: parts['cost'] as 'seconds', max: Number(parts['most']), ...at };
  const limit = parts['change'] ?? (parts['sign'] === '>=' ? 'min' : 'max');
  return { metric: parts['metric']!, [limit]: Number(parts['value']), ...at };
}

function placesOf(text: string | undefined, rule: string, where: string): GateConfig {
  const places: Record<string, string | number> = {};
  for (const part of text === undefined ? [] : text.split(comma)) {
    const found = placeForm.exec(part)?.groups;
    const key = found?.['key'] ?? 'eps';
    if (!found || key in places) {
      return invalid(
        rule,
        where,
        `'clean', 'eps NUMBER', 'subject NAME' or 'attack NAME', each once, not '${part}'`,
      );
    }
    const { clean, eps, name } = found;
    places[key] = clean ? 0 : (name ?? (eps!.includes('/') ? eps! : Number(eps)));
  }
  return places;
}

function invalid(rule: string, where: string, expected: string): never {
  throw new RobustError('CONFIG_INVALID', {
    message: 'This text is no gate.',
    where,
    expected,
    received: `'${rule}'`,
    next: 'docs/gating.md shows every form',
  });
}
