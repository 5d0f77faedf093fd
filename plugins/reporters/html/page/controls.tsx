/** A labelled choice; nothing where there is nothing to choose. */
export function Choice(props: {
  label: string;
  value: string;
  options: readonly string[];
  all?: string;
  onChange: (value: string) => void;
}) {
  const { label, value, options, all, onChange } = props;
  if (options.length < 2) return null;
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {all !== undefined && <option value="">{all}</option>}
        {options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    </label>
  );
}

export function Switch(props: { label: string; on: boolean; onChange: (on: boolean) => void }) {
  const { label, on, onChange } = props;
  return (
    <label>
      <input type="checkbox" checked={on} onChange={({ currentTarget }) => onChange(currentTarget.checked)} />{' '}
      {label}
    </label>
  );
}

const signs: Readonly<Record<string, string>> = {
  pass: '✓',
  warn: '!',
  fail: '✗',
  inconclusive: '?',
  error: '✗',
  'not-run': '–',
  none: '–',
};

/** A verdict as sign, word and colour. */
export function Badge({ verdict }: { verdict: string }) {
  return (
    <span class={`badge ${verdict}`}>
      <span aria-hidden="true">{signs[verdict] ?? '–'}</span>{' '}
      {verdict === 'none' ? 'not judged' : verdict.replace('-', ' ')}
    </span>
  );
}
