import { main, type Io } from '../../core/cli/main.ts';

/** What a command left behind. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in this process. */
export async function robust(argv: readonly string[], given: Partial<Io> = {}): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const io: Io = {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: {},
    cwd: process.cwd(),
    ...given,
  };
  return { code: await main(argv, io), stdout, stderr };
}
