import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/**', 'runs/**', 'node_modules/**', '.robust/**'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.{ts,js}'],
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js', 'core/cli/*.js'] } } },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 320, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'error', '@typescript-eslint/no-misused-promises': 'error' } },
);
