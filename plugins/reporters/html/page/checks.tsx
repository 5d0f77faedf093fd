import { useState } from 'preact/hooks';
import type { AuditResult, GateResult } from '../../../../core/index.ts';
import { Badge, Choice, Switch } from './controls.tsx';
import { count, decimal, significant, unique } from './format.ts';
import { Wide } from './wide.tsx';

const order = ['error', 'fail', 'inconclusive', 'warn', 'not-run', 'pass'];

/** What needs attention first, otherwise as it is. */
function byWeight<T extends { readonly verdict: string }>(results: readonly T[]): T[] {
  return results.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** What the gates say: each place that did not pass, and in one line each what holds everywhere. */
export function Gates({ gates }: { gates: readonly GateResult[] }) {
  const [all, setAll] = useState(false);
  if (gates.length === 0) return <p>No gates are configured.</p>;
  const places = (rule: string) => gates.filter((gate) => gate.rule === rule && gate.verdict === 'pass');
  const shown = byWeight(gates).filter(
    (gate) => all || gate.verdict !== 'pass' || places(gate.rule)[0] === gate,
  );
  return (
    <>
      {gates.some((gate) => places(gate.rule).length > 1) && (
        <div class="controls">
          <Switch label="Every place where a rule holds" on={all} onChange={setAll} />
        </div>
      )}
      <Wide
        label="Gates"
        head={['Verdict', 'Rule', 'Where', '#Measured', '#Interval', '#Limit', 'Explanation']}
      >
        {shown.map((gate, index) => {
          const others = all || gate.verdict !== 'pass' ? 0 : places(gate.rule).length - 1;
          return <Gate key={index} gate={gate} others={others} />;
        })}
      </Wide>
    </>
  );
}

/** One place; or the first of many, where a rule holds at others, too. */
function Gate({ gate, others }: { gate: GateResult; others: number }) {
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
        {others > 0 ? `${count(others + 1)} places` : where.filter((part) => part !== undefined).join(', ')}
      </td>
      <td class="number">{others > 0 || measured === null ? '' : decimal(measured)}</td>
      <td class="number">{others > 0 || low === high ? '' : `[${decimal(low)}, ${decimal(high)}]`}</td>
      <td class="number">{threshold ?? ''}</td>
      <td class="text">
        {others === 0 && message} {origin && <small>({origin})</small>}
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
