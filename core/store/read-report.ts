import { readFile } from 'node:fs/promises';
import { Ajv, type ValidateFunction } from 'ajv';
import { problemsOf } from '../config/problems.ts';
import { RobustError, type ErrorParts } from '../errors/index.ts';
import { reportSchema } from '../report-schema.ts';
import type { Report } from '../vocabulary.ts';

let validate: ValidateFunction<Report> | undefined;

/**
 * Reads a report.json and holds it to its schema.
 *
 * @throws RobustError REPORT_INVALID when it cannot be read, is no JSON or is no report
 */
export async function readReport(file: string): Promise<Report> {
  const fail = (parts: Omit<ErrorParts, 'message' | 'where'>) =>
    new RobustError('REPORT_INVALID', {
      message: 'This is no report.',
      where: file,
      next: 'name the report.json of a run folder',
      ...parts,
    });
  const report = await readFile(file, 'utf8')
    .then((text) => JSON.parse(text) as unknown)
    .catch((cause: unknown) => {
      throw fail({ received: (cause as Error).message, cause });
    });
  validate ??= new Ajv({ verbose: true, strict: false }).compile<Report>(reportSchema);
  if (validate(report)) return report;
  const [{ path, expected, received } = { path: '', expected: '', received: '' }] = problemsOf(
    validate.errors ?? [],
  );
  throw fail({ expected: `${path || 'the file'}: ${expected}`, received });
}
