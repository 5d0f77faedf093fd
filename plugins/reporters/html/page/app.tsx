import { useMemo, useState } from 'preact/hooks';
import type { PageData } from '../data.ts';
import { Audit, Gates } from './checks.tsx';
import { Curves } from './curves.tsx';
import { Differences } from './differences.tsx';
import { Gallery } from './gallery.tsx';
import { Header } from './header.tsx';
import { Provenance } from './provenance.tsx';
import { Rows } from './rows.ts';
import { RowTable } from './table.tsx';
import { Training, trained } from './training.tsx';

/** The whole report. */
export function App({ data }: { data: PageData }) {
  const rows = useMemo(() => new Rows(data.rows), [data]);
  const { report } = data;
  const { gates, comparisons, audit } = report;
  const sections = [
    { id: 'gates', title: 'Gates', body: gates && <Gates gates={gates} /> },
    { id: 'curves', title: 'Curves', body: report.curves.length > 0 && <Curves report={report} /> },
    {
      id: 'differences',
      title: 'Differences',
      body: comparisons?.length && <Differences comparisons={comparisons} report={report} />,
    },
    {
      id: 'images',
      title: 'Most damaged images',
      body: data.gallery.length > 0 && <Gallery data={data} rows={rows} />,
    },
    { id: 'audit', title: 'Audit', body: audit && <Audit audit={audit} /> },
    { id: 'rows', title: 'Every image', body: rows.length > 0 && <RowTable rows={rows} report={report} /> },
    { id: 'training', title: 'Training', body: trained(report).length > 0 && <Training report={report} /> },
    { id: 'run', title: 'What was run', body: <Provenance report={report} command={data.command} /> },
  ].filter(({ body }) => body);
  return (
    <>
      <Header report={report} verdict={data.verdict} />
      <nav aria-label="Sections" class="sections">
        <ul>
          {sections.map(({ id, title }) => (
            <li key={id}>
              <a href={`#${id}`}>{title}</a>
            </li>
          ))}
        </ul>
        <Theme />
      </nav>
      <main>
        {sections.map(({ id, title, body }) => (
          <section key={id} id={id} aria-labelledby={`${id}-title`}>
            <h2 id={`${id}-title`}>{title}</h2>
            {body}
          </section>
        ))}
      </main>
    </>
  );
}

/** Light or dark; the system's choice until somebody makes another. */
function Theme() {
  const [scheme, setScheme] = useState('light dark');
  const change = (value: string) => {
    setScheme(value);
    document.documentElement.style.colorScheme = value;
  };
  return (
    <label class="theme">
      Colours{' '}
      <select value={scheme} onChange={({ currentTarget }) => change(currentTarget.value)}>
        <option value="light dark">as the system</option>
        <option value="light">light</option>
        <option value="dark">dark</option>
      </select>
    </label>
  );
}
