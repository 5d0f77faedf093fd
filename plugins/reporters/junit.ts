import builder, { type Builder, type TestCase } from 'junit-report-builder';
import { plain, defineReporter, type AuditResult, type GateResult, type Report } from '../../core/index.ts';
import { placeOf } from './shared/text.ts';

export default defineReporter({
  name: 'junit',
  summary: 'Writes junit.xml, which Jenkins and GitLab read: one test per gate and per check of the audit.',
  references: ['https://github.com/testmoapp/junitxml'],
  prints: false,
  options: {
    file: { description: 'Its name in the run folder.', type: 'string', minLength: 1, default: 'junit.xml' },
  },
  report: (report, { file }, { write }) => write(file, junitOf(report)),
});

function junitOf(report: Report): string {
  const { gates = [], audit = [], startedAt, status, cost } = report;
  // Its types describe the CommonJS form of the package.
  const xml = (builder as unknown as Builder).newBuilder();
  const suite = (name: string) => xml.testSuite().name(`robust ${name}`).timestamp(startedAt);
  const run = suite('run').testCase().className('robust.run').name('the run is complete').time(cost.seconds);
  if (status === 'interrupted') run.failure('only finished images are counted', 'interrupted');
  if (gates.length > 0) {
    const tests = suite('gates');
    for (const gate of gates)
      judge(tests.testCase().className('robust.gates').name(nameOf(gate.rule, gate)), gate);
  }
  if (audit.length > 0) {
    const tests = suite('audit');
    for (const result of audit)
      judge(tests.testCase().className('robust.audit').name(nameOf(result.title, result)), result);
  }
  // Jenkins' schema knows no such attribute of the whole; each suite has its own.
  return xml.build().replace(/(<testsuites[^>]*?) skipped="\d+"/, '$1');
}

function nameOf(what: string, where: GateResult | AuditResult): string {
  const place = placeOf(where);
  return plain(place === '' ? what : `${what} (${place})`);
}

/** A warning passes and says so; what could not be decided counts as skipped. */
function judge(test: TestCase, result: GateResult | AuditResult): void {
  const message = plain('advice' in result ? `${result.message} ${result.advice}`.trim() : result.message);
  const origin = 'origin' in result && result.origin !== undefined ? ` (${plain(result.origin)})` : '';
  switch (result.verdict) {
    case 'fail':
      test.failure(`${message}${origin}`, 'fail');
      return;
    case 'error':
      test.error(`${message}${origin}`, 'error');
      return;
    case 'inconclusive':
    case 'not-run':
      test.skipped().standardOutput(message);
      return;
    case 'warn':
      test.standardOutput(`warning: ${message}`);
      return;
    case 'pass':
      return;
  }
}
