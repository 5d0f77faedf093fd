import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The repository. */
export const root = fileURLToPath(new URL('../', import.meta.url));

/** A source file of the repository. */
export interface Source {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  /** Texts of all string literals. */
  readonly strings: readonly string[];
}

export interface Import {
  /** Path of the imported file from the root, or the specifier of a package. */
  readonly target: string;
  readonly relative: boolean;
  readonly typeOnly: boolean;
}

/** The TypeScript and JavaScript files below a folder. */
export function sourcesOf(folder: string): Source[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && /\.[jt]sx?$/.test(entry.name));
  return files.map((file) => sourceOf(join(file.parentPath, file.name)));
}

function sourceOf(file: string): Source {
  const text = readFileSync(file, 'utf8');
  const tree = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const imports = [...declared(tree), ...dynamic(tree)].map(({ specifier, typeOnly }) => {
    const local = specifier.startsWith('.');
    const target = local ? relative(root, join(dirname(file), specifier)) : specifier;
    return { target, relative: local, typeOnly };
  });
  return { path: relative(root, file), text, imports, strings: strings(tree) };
}

interface Specifier {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** `import ... from` and `export ... from`. */
function declared(tree: ts.SourceFile): Specifier[] {
  return tree.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const { moduleSpecifier } = statement;
    if (!moduleSpecifier || !ts.isStringLiteral(moduleSpecifier)) return [];
    const typeOnly = ts.isImportDeclaration(statement)
      ? statement.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
      : statement.isTypeOnly;
    return [{ specifier: moduleSpecifier.text, typeOnly }];
  });
}

/** `import('...')` of a literal. */
function dynamic(tree: ts.SourceFile): Specifier[] {
  return nodes(tree).flatMap((node) => {
    const called = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
    const argument = called ? node.arguments[0] : undefined;
    return argument && ts.isStringLiteral(argument) ? [{ specifier: argument.text, typeOnly: false }] : [];
  });
}

function strings(tree: ts.SourceFile): string[] {
  return nodes(tree).flatMap((node) => (ts.isStringLiteralLike(node) ? [node.text] : []));
}

function nodes(tree: ts.SourceFile): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** Lines that hold code: neither blank nor nothing but a comment. */
export function codeLines({ text }: Pick<Source, 'text'>): number {
  const lines = new Set<number>();
  const tree = ts.createSourceFile('', text, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node) || node.getWidth(tree) === 0) return;
    const children = node.getChildren(tree);
    if (children.length > 0) return children.forEach(visit);
    const first = tree.getLineAndCharacterOfPosition(node.getStart(tree)).line;
    const last = tree.getLineAndCharacterOfPosition(node.getEnd()).line;
    for (let line = first; line <= last; line++) lines.add(line);
  };
  visit(tree);
  return lines.size;
}
