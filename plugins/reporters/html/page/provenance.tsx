import { useState } from 'preact/hooks';
import type { PageData } from '../data.ts';
import { costOf, count } from '../../shared/cost.ts';

interface Props {
  readonly report: PageData['report'];
  readonly command: string;
}

/** How to get these numbers again. */
export function Provenance({ report, command }: Props) {
  const { engine, versions, seed, dataset, configuration, status } = report;
  const facts: readonly (readonly [string, string])[] = [
    ['Engine', `${engine.backend} ${engine.version} on ${engine.device}, ${engine.threads} threads`],
    [
      'Versions',
      Object.entries(versions)
        .map((entry) => entry.join(' '))
        .join(', '),
    ],
    ['Seed', String(seed)],
    [
      'Data',
      `${dataset.name}, ${dataset.size.join(' × ')}, ${count(dataset.images)} images, ${dataset.fingerprint}`,
    ],
    ['Classes', dataset.classes.join(', ')],
    ['Range', `${dataset.domain.low} to ${dataset.domain.high} in steps of ${dataset.domain.step}`],
    ['Cost', costOf(report)],
    ['Status', status],
  ];
  return (
    <>
      <Copyable text={command} label="Run it again" />
      <dl>
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Subjects report={report} />
      <details>
        <summary>Configuration, and where each value comes from</summary>
        <Origins report={report} />
        <div class="screen">
          <Copyable text={JSON.stringify(configuration, null, 2)} label="Configuration" />
        </div>
      </details>
    </>
  );
}

function Subjects({ report }: Pick<Props, 'report'>) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Subjects">
      <table>
        <thead>
          <tr>
            <th scope="col">Subject</th>
            <th scope="col">Model</th>
            <th scope="col">Parameters</th>
            <th scope="col">Gradients</th>
            <th scope="col">Forward passes</th>
            <th scope="col">Seconds</th>
            <th scope="col">Fingerprint</th>
          </tr>
        </thead>
        <tbody>
          {report.subjects.map(({ name, model, defenses, parameters, cost, fingerprint }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{[model, ...defenses].join(' + ')}</td>
              <td class="number">{parameters === null ? 'unknown' : count(parameters)}</td>
              <td class="number">{count(cost.gradients)}</td>
              <td class="number">{count(cost.forwards)}</td>
              <td class="number">{cost.seconds.toFixed(1)}</td>
              <td>
                <code>{fingerprint.slice(0, 16)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Origins({ report }: Pick<Props, 'report'>) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Origins of the configuration">
      <table>
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Value</th>
            <th scope="col">From</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(report.origins).map(([path, origin]) => (
            <tr key={path}>
              <th scope="row">{path}</th>
              <td>
                <code>{JSON.stringify(at(report.configuration, path))}</code>
              </td>
              <td>{origin}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((found, key) => (found as Record<string, unknown> | null | undefined)?.[key], value);
}

function Copyable({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <figure class="copyable">
      <figcaption>
        {label}{' '}
        <button type="button" onClick={() => void copy()}>
          Copy
        </button>{' '}
        <span role="status">{copied && 'copied'}</span>
      </figcaption>
      <pre tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
    </figure>
  );
}
