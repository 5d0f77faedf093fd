import type { PageData } from '../data.ts';
import { falls, tally } from '../../shared/summary.ts';
import { Badge } from './controls.tsx';
import { count, decimal } from './format.ts';

type Part = { report: PageData['report'] };

/** What a reader wants to know first. */
export function Header({ report, verdict }: Part & { verdict: string }) {
  const { dataset, subjects, status, startedAt, gates, audit } = report;
  const ofModels = subjects.flatMap(({ name, notes = [] }) => notes.map((note) => `${name}: ${note}`));
  const [height, width] = dataset.size;
  return (
    <header>
      <h1>
        Robustness on {dataset.name} <Badge verdict={verdict} />
      </h1>
      <p>
        {count(dataset.images)} images of {height} × {width}, started{' '}
        {startedAt.slice(0, 16).replace('T', ' ')} UTC.{' '}
        {gates
          ? `Gates: ${tally(gates) || 'none'}.`
          : 'No gates are configured: nothing here passes or fails.'}{' '}
        {audit && `Audit: ${tally(audit)}.`}
      </p>
      {status === 'interrupted' && (
        <p class="notice">The run was interrupted: only the images that were finished are counted.</p>
      )}
      {[...dataset.notes, ...ofModels].map((note) => (
        <p class="notice" key={note}>
          {note}
        </p>
      ))}
      <Falls report={report} />
    </header>
  );
}

function Falls({ report }: Part) {
  const lines = falls(report);
  if (lines.length === 0) return null;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Scores of each subject">
      <table>
        <caption>Mean {lines[0]!.metric}</caption>
        <thead>
          <tr>
            <th scope="col">Subject</th>
            <th scope="col">Attack</th>
            <th scope="col" class="number">
              Clean
            </th>
            <th scope="col" class="number">
              Attacked
            </th>
            <th scope="col" class="number">
              at eps
            </th>
          </tr>
        </thead>
        <tbody>
          {lines.map(({ subject, attack, clean, attacked, eps }) => (
            <tr key={`${subject}\n${attack}`}>
              <th scope="row">{subject}</th>
              <td>{attack}</td>
              <td class="number">{decimal(clean)}</td>
              <td class="number">{decimal(attacked)}</td>
              <td class="number">{eps}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
