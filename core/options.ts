/** Options of plugins: their schemas, and the types of their values. */

type TypeName = 'string' | 'number' | 'integer' | 'boolean' | 'array' | 'object' | 'null';

/** One option: the part of JSON Schema that options need. An option without a `default` must be given. */
export interface OptionSchema {
  readonly description: string;
  readonly type?: TypeName | readonly TypeName[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly items?: Omit<OptionSchema, 'description'>;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly additionalProperties?: Omit<OptionSchema, 'description'>;
}
export type OptionsSchema = Readonly<Record<string, OptionSchema>>;

/** The TypeScript type of an option's values. */
type ValueOf<O> = O extends { readonly enum: readonly (infer V)[] }
  ? V
  : O extends { readonly type: readonly (infer T extends TypeName)[] }
    ? { [N in T]: Typed<N, O> }[T]
    : O extends { readonly type: infer T extends TypeName }
      ? Typed<T, O>
      : unknown;

type Typed<T extends TypeName, O> = {
  string: string;
  number: number;
  integer: number;
  boolean: boolean;
  null: null;
  array: readonly (O extends { readonly items: infer I } ? ValueOf<I> : unknown)[];
  object: Readonly<
    Record<string, O extends { readonly additionalProperties: infer I } ? ValueOf<I> : unknown>
  >;
}[T];

/** The options as a plugin receives them: checked, with defaults filled in, frozen. */
export type OptionsOf<S extends OptionsSchema> = { readonly [K in keyof S]: ValueOf<S[K]> };
