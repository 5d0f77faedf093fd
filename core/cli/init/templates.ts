import { inspect } from 'node:util';
import type { Answers, System } from './answers.ts';

/** What is tested, in the words of the configuration. */
export interface Tested {
  readonly dataset: unknown;
  readonly subjects: Readonly<Record<string, unknown>>;
}

/** `robust.config.ts`: the files that were named, or without any the study to start from. */
export function configTemplate(tested: Tested | undefined, { clean, drop }: Answers): string {
  return `import { defineConfig } from 'robust';

export default defineConfig({
${tested === undefined ? study : testedLines(tested)}
  // What a release must keep. Choose the limits before you see the numbers: docs/gating.md of robust tells how.
  gates: ['dice >= ${clean} at clean', 'dice drop <= ${drop} at eps 4', 'check all'],
});
`;
}

const study = `  // A small study on generated images. Your own models: subjects: { mine: { model: { use: 'onnx', path: './mine.onnx' } } }
  extends: 'preset:quickstart',
`;

function testedLines({ dataset, subjects }: Tested): string {
  const lines = Object.entries(subjects).map(([name, subject]) => `    ${key(name)}: ${literal(subject)},\n`);
  return `  dataset: ${literal(dataset)},\n  subjects: {\n${lines.join('')}  },\n`;
}

/** A value as it is written in a program, on one line. */
function literal(value: unknown): string {
  return inspect(value, { depth: null, breakLength: Infinity, maxStringLength: null, maxArrayLength: null });
}

function key(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : literal(name);
}

/** The file of a CI system, by its path in the project. */
export const ciFiles: Readonly<Record<Exclude<System, 'none'>, readonly [name: string, text: string]>> = {
  github: [
    '.github/workflows/robust.yml',
    `name: robustness

on:
  pull_request:
  workflow_dispatch:

permissions:
  contents: read

jobs:
  robustness:
    runs-on: ubuntu-latest
    timeout-minutes: 120
    steps:
      - uses: actions/checkout@v6
      # Brings robust, one of the project's dev dependencies, and the action that lies in it.
      - run: npm ci --ignore-scripts
      - uses: ./node_modules/robust
        with:
          config: robust.config.ts
`,
  ],
  gitlab: [
    'robust.gitlab-ci.yml',
    `# In .gitlab-ci.yml:  include: [{ local: robust.gitlab-ci.yml }]
robustness:
  image: node:22
  timeout: 2h
  variables:
    ROBUST_CACHE: $CI_PROJECT_DIR/.cache/robust
  cache:
    key:
      files: [package-lock.json]
    paths: [.cache/robust, .cache/npm]
  before_script:
    - apt-get update -qq
    - apt-get install -y -qq --no-install-recommends g++ python3 python3-pip python3-venv
    # Brings robust, one of the project's dev dependencies.
    - npm ci --ignore-scripts --cache .cache/npm --prefer-offline
    - npx --no robust backend install tensorflow
  script:
    - npx --no robust run --output robust-run --reporter terminal --reporter json --reporter html --reporter junit
  artifacts:
    when: always
    paths: [robust-run/report.json, robust-run/report.html, robust-run/junit.xml]
    reports:
      junit: robust-run/junit.xml
`,
  ],
};
