import { useState } from 'preact/hooks';
import type { AuditResult, GateResult } from '../../../../core/index.ts';
import { byWeight, digest, type Digest } from '../../shared/summary.ts';
import { Badge, Choice, Switch } from './controls.tsx';
import { count, decimal, significant, unique } from './format.ts';
import { Wide } from './wide.tsx';

/** What the gates say: each place that did not pass, and in one line each what holds everywhere. */
export function Gates({ gates }: { gates: readonly GateResult[] }) {
  const [all, setAll] = useState(false);
  if (gates.length === 0) return <p>No gates are configured.</p>;
  const short = digest(gates);
  const shown = all ? byWeight(gates).map((gate) => ({ gate, places: 1 })) : short;
  return (
    <>
      {short.length < gates.length && (
        <div class="controls">
          <Switch label="Every place where a rule holds" on={all} onChange={setAll} />
        </div>
      )}
      <Wide
        label="Gates"
        head={['Verdict', 'Rule', 'Where', '#Measured', '#Interval', '#Limit', 'Explanation']}
      >
        {shown.map((one, index) => (
          <Gate key={index} {...one} />
        ))}
      </Wide>
    </>
  );
}

function Gate({ gate, places }: Digest) {
  const { verdict, rule, level, subject, attack, eps, measured, low, high, threshold, message, origin } =
    gate;
  const where = [subject, attack, attack === 'clean' || eps === undefined ? undefined : `eps ${eps}`];
  return (
    <tr>
      <td>
        <Badge verdict={verdict} />
      </td>
      <th scope="row">
        <code>{rule}</code>
        {level === 'warn' && <small> (level warn)</small>}
      </th>
      <td>
        {places > 1 ? `${count(places)} places` : where.filter((part) => part !== undefined).join(', ')}
      </td>
      <td class="number">{places > 1 || measured === null ? '' : decimal(measured)}</td>
      <td class="number">{places > 1 || low === high ? '' : `[${decimal(low)}, ${decimal(high)}]`}</td>
      <td class="number">{threshold ?? ''}</td>
      <td class="text">
        {places === 1 && message} {origin && <small>({origin})</small>}
      </td>
    </tr>
  );
}

/** The masking audit, what needs attention first. */
export function Audit({ audit }: { audit: readonly AuditResult[] }) {
  const open = audit.filter(({ verdict }) => verdict !== 'pass');
  const passed = audit.length - open.length;
  const [subject, setSubject] = useState('');
  const [all, setAll] = useState(false);
  const shown = byWeight(all ? audit : open).filter((one) => subject === '' || one.subject === subject);
  return (
    <>
      <p>
        {count(passed)} of {count(audit.length)} checks passed.
      </p>
      <div class="controls">
        <Choice
          label="Subject"
          value={subject}
          all="all"
          options={unique(audit.map((result) => result.subject))}
          onChange={setSubject}
        />
        {passed > 0 && <Switch label="Checks that passed" on={all} onChange={setAll} />}
      </div>
      {shown.length > 0 && (
        <Wide label="Audit" head={['Verdict', 'Check', 'Subject', 'What was seen', 'Numbers']}>
          {shown.map((result, index) => (
            <Check key={index} result={result} />
          ))}
        </Wide>
      )}
    </>
  );
}

function Check({ result }: { result: AuditResult }) {
  const { verdict, title, subject, attack, message, advice, numbers } = result;
  return (
    <tr>
      <td>
        <Badge verdict={verdict} />
      </td>
      <th scope="row">{title}</th>
      <td>
        {subject}
        {attack && ` under ${attack}`}
      </td>
      <td class="text">
        {message} {advice && <em>{advice}</em>}
      </td>
      <td>
        {Object.entries(numbers).map(([name, value]) => (
          <div key={name} title={String(value)}>
            {name}: {significant(value)}
          </div>
        ))}
      </td>
    </tr>
  );
}
