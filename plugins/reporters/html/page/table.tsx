import { useMemo, useState } from 'preact/hooks';
import type { PageData } from '../data.ts';
import { Choice } from './controls.tsx';
import { download, toCsv } from './csv.ts';
import { count, decimal, unique } from './format.ts';
import type { Line, Rows } from './rows.ts';

const PAGE = 25;

interface Column {
  readonly name: string;
  readonly number: boolean;
  value(line: Line): string | number | null;
}

const names: readonly Column[] = [
  { name: 'sample', number: false, value: ({ sample }) => sample },
  { name: 'subject', number: false, value: ({ subject }) => subject },
  { name: 'attack', number: false, value: ({ attack }) => attack },
  { name: 'eps', number: true, value: ({ eps }) => eps },
];
const costs: readonly Column[] = [
  { name: 'largest change', number: true, value: ({ linf }) => linf },
  { name: 'gradients', number: true, value: ({ gradients }) => gradients },
];

interface Order {
  readonly column: string;
  readonly falling: boolean;
}

interface Query {
  /** Part of a sample's or an attack's name. */
  readonly text: string;
  readonly subject: string;
  readonly eps: string;
  readonly order: Order;
}

/** Every image under every budget: sorted, filtered, page by page. */
export function RowTable({ rows, report }: { rows: Rows; report: PageData['report'] }) {
  const [query, setQuery] = useState<Query>(() => everything(rows));
  const [page, setPage] = useState(0);
  const columns = useMemo(() => columnsOf(rows), [rows]);
  const lines = useMemo(() => Array.from({ length: rows.length }, (_, index) => rows.at(index)), [rows]);
  const found = useMemo(() => search(lines, columns, query), [lines, columns, query]);
  const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
  const [from, to] = [page * PAGE, Math.min((page + 1) * PAGE, found.length)];
  const change = (part: Partial<Query>) => {
    setQuery({ ...query, ...part });
    setPage(0);
  };
  return (
    <>
      <div class="controls">
        <Filters query={query} lines={lines} report={report} onChange={change} />
        <button type="button" onClick={() => download('rows.csv', toCsv(rows, found))}>
          Export CSV
        </button>
      </div>
      <Status found={found.length} all={rows.length} from={from} to={to} />
      <div class="scroll" tabIndex={0} role="region" aria-label="Scores of every image">
        <table>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head
                  key={column.name}
                  column={column}
                  order={query.order}
                  onSort={(order) => change({ order })}
                />
              ))}
            </tr>
          </thead>
          <tbody>
            {found.slice(from, to).map((index) => (
              <tr key={index}>
                {columns.map((column) => (
                  <Cell key={column.name} column={column} line={lines[index]!} metrics={rows.metrics} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {last > 0 && <Pager page={page} last={last} onChange={setPage} />}
    </>
  );
}

function everything({ metrics }: Rows): Query {
  return { text: '', subject: '', eps: '', order: { column: metrics[0] ?? 'sample', falling: false } };
}

function columnsOf({ metrics }: Rows): Column[] {
  const scores = metrics.map((name): Column => ({
    name,
    number: true,
    value: ({ values }) => values[name] ?? null,
  }));
  return [...names, ...scores, ...costs];
}

/** Numbers of the lines that fit, in order. */
function search(lines: readonly Line[], columns: readonly Column[], query: Query): number[] {
  const { subject, eps, order } = query;
  const text = query.text.trim().toLowerCase();
  const fits = (line: Line) =>
    (subject === '' || line.subject === subject) &&
    (eps === '' || String(line.eps) === eps) &&
    (text === '' || `${line.sample}\n${line.attack}`.toLowerCase().includes(text));
  const { value } = columns.find(({ name }) => name === order.column)!;
  return lines
    .flatMap((line, index) => (fits(line) ? [index] : []))
    .sort((a, b) => compare(value(lines[a]!), value(lines[b]!), order.falling));
}

function Status({ found, all, from, to }: Readonly<Record<'found' | 'all' | 'from' | 'to', number>>) {
  return (
    <p role="status">
      {count(found)} of {count(all)} rows{found > PAGE && `, ${count(from + 1)} to ${count(to)} shown`}
    </p>
  );
}

interface FiltersProps {
  readonly query: Query;
  readonly lines: readonly Line[];
  readonly report: PageData['report'];
  readonly onChange: (part: Partial<Query>) => void;
}

function Filters({ query, lines, report, onChange }: FiltersProps) {
  const levels = unique(lines.map((line) => line.eps)).sort((a, b) => a - b);
  const subjects = report.subjects.map(({ name }) => name);
  return (
    <>
      <label>
        Filter{' '}
        <input
          type="search"
          value={query.text}
          placeholder="part of a name"
          onInput={({ currentTarget }) => onChange({ text: currentTarget.value })}
        />
      </label>
      <Choice
        label="Subject"
        value={query.subject}
        all="all"
        options={subjects}
        onChange={(subject) => onChange({ subject })}
      />
      <Choice
        label="eps"
        value={query.eps}
        all="all"
        options={levels.map(String)}
        onChange={(eps) => onChange({ eps })}
      />
    </>
  );
}

function Head({ column, order, onSort }: { column: Column; order: Order; onSort: (order: Order) => void }) {
  const sorted = order.column === column.name;
  const falling = sorted && !order.falling;
  return (
    <th
      scope="col"
      class={column.number ? 'number' : ''}
      aria-sort={sorted ? (order.falling ? 'descending' : 'ascending') : 'none'}
    >
      <button type="button" class="sort" onClick={() => onSort({ column: column.name, falling })}>
        {column.name} <span aria-hidden="true">{sorted ? (order.falling ? '▼' : '▲') : '↕'}</span>
      </button>
    </th>
  );
}

function Cell({ column, line, metrics }: { column: Column; line: Line; metrics: readonly string[] }) {
  const value = column.value(line);
  if (!metrics.includes(column.name)) return <td class={column.number ? 'number' : 'name'}>{value}</td>;
  return (
    <td class="number" title={String(value)}>
      {decimal(value as number | null)}
    </td>
  );
}

function Pager({ page, last, onChange }: { page: number; last: number; onChange: (page: number) => void }) {
  return (
    <nav class="controls" aria-label="Pages of the table">
      <button type="button" disabled={page === 0} onClick={() => onChange(page - 1)}>
        Back
      </button>
      <span>
        Page {count(page + 1)} of {count(last + 1)}
      </span>
      <button type="button" disabled={page === last} onClick={() => onChange(page + 1)}>
        Next
      </button>
    </nav>
  );
}

/** Undefined values come last, whichever way. */
function compare(a: string | number | null, b: string | number | null, falling: boolean): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return (a < b ? -1 : 1) * (falling ? -1 : 1);
}
