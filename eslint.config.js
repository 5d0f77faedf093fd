import tseslint from 'typescript-eslint';

const forbid = (regex, message) => ({
  'no-restricted-imports': ['error', { patterns: [{ regex, message }] }],
});

/** The import law; test/architecture.test.ts checks it on resolved paths. */
const law = [
  {
    files: ['core/**/*.ts'],
    rules: forbid('^(\\.\\./)+(plugins|presets|test|bench|fixtures)/', 'Core imports nothing outside core.'),
  },
  {
    files: ['plugins/**/*.{ts,tsx}'],
    rules: forbid(
      '^(\\.\\./)+(core/(?!index\\.ts$)|presets/|test/|bench/|fixtures/)',
      'Plugins import only the public door, core/index.ts.',
    ),
  },
  {
    files: ['presets/*.ts'],
    rules: {
      'no-restricted-imports': 'off',
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { regex: '.*', message: 'Presets are data: they import types only.', allowTypeImports: true },
          ],
        },
      ],
    },
  },
];

export default tseslint.config(
  { ignores: ['plugins/models/*/proto/*_pb.ts', 'dist/**', 'runs/**', 'node_modules/**', '.robust/**'] },
  ...tseslint.configs.strict,
  {
    rules: {
      eqeqeq: 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    files: ['**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['core/**/*.ts', 'plugins/**/*.{ts,tsx}'],
    rules: { 'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }] },
  },
  ...law,
);
