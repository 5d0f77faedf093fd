import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { AuditResult, Comparison, GateResult } from '../../../../core/index.ts';
import { Badge, Choice } from './controls.tsx';
import { decimal, unique } from './format.ts';

/** A table that scrolls inside itself on narrow screens. */
function Wide(props: { label: string; head: readonly string[]; children: ComponentChildren }) {
  const { label, head, children } = props;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {head.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** What the gates say. */
export function Gates({ gates }: { gates: readonly GateResult[] }) {
  if (gates.length === 0) return <p>No gates are configured.</p>;
  return (
    <Wide label="Gates" head={['Verdict', 'Rule', 'Measured', 'Interval', 'Threshold', 'Explanation']}>
      {gates.map((gate, index) => (
        <tr key={index}>
          <td>
            <Badge verdict={gate.verdict} />
          </td>
          <th scope="row">
            <code>{gate.rule}</code>
          </th>
          <td class="number">{decimal(gate.measured)}</td>
          <td class="number">{gate.low === null ? '' : `[${decimal(gate.low)}, ${decimal(gate.high)}]`}</td>
          <td class="number">{gate.threshold ?? ''}</td>
          <td>
            {gate.message} {gate.origin && <small>({gate.origin})</small>}
          </td>
        </tr>
      ))}
    </Wide>
  );
}

const order = ['fail', 'warn', 'not-run', 'pass'];

/** The masking audit, what needs attention first. */
export function Audit({ audit }: { audit: readonly AuditResult[] }) {
  const [subject, setSubject] = useState('');
  const shown = audit
    .filter((result) => subject === '' || result.subject === subject)
    .toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return (
    <>
      <div class="controls">
        <Choice
          label="Subject"
          value={subject}
          all="all"
          options={unique(audit.map((result) => result.subject))}
          onChange={setSubject}
        />
      </div>
      <Wide label="Audit" head={['Verdict', 'Check', 'Subject', 'What was seen', 'Numbers']}>
        {shown.map((result, index) => (
          <tr key={index}>
            <td>
              <Badge verdict={result.verdict} />
            </td>
            <th scope="row">{result.title}</th>
            <td>
              {result.subject}
              {result.attack && ` under ${result.attack}`}
            </td>
            <td>
              {result.message} {result.advice && <em>{result.advice}</em>}
            </td>
            <td>
              {Object.entries(result.numbers).map(([name, value]) => (
                <div key={name}>
                  {name}: {value ?? 'undefined'}
                </div>
              ))}
            </td>
          </tr>
        ))}
      </Wide>
    </>
  );
}

/** Paired differences between subjects. */
export function Comparisons({ comparisons }: { comparisons: readonly Comparison[] }) {
  const metrics = unique(comparisons.map(({ metric }) => metric));
  const [metric, setMetric] = useState(metrics[0] ?? '');
  return (
    <>
      <p>
        Mean over images of subject minus reference, with its 95 % interval; p as it is, and corrected after
        Holm.
      </p>
      <div class="controls">
        <Choice label="Metric" value={metric} options={metrics} onChange={setMetric} />
      </div>
      <Wide
        label="Differences"
        head={['Subject', 'Reference', 'Attack', 'eps', 'Difference', 'Interval', 'p', 'Holm', 'Images']}
      >
        {comparisons
          .filter((one) => one.metric === metric)
          .map((one, index) => (
            <tr key={index}>
              <th scope="row">{one.subject}</th>
              <td>{one.reference}</td>
              <td>{one.attack}</td>
              <td class="number">{one.eps}</td>
              <td class="number">{decimal(one.difference)}</td>
              <td class="number">{one.low === null ? '' : `[${decimal(one.low)}, ${decimal(one.high)}]`}</td>
              <td class="number">{one.p?.toPrecision(2) ?? ''}</td>
              <td class="number">{one.pHolm?.toPrecision(2) ?? ''}</td>
              <td class="number">
                {one.n}
                {one.undefined > 0 && ` (${one.undefined} undefined)`}
              </td>
            </tr>
          ))}
      </Wide>
    </>
  );
}
