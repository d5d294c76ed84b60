import { operationTable } from '../generated/operations.ts';
import type { operations } from '../generated/types.ts';

export type OperationName = keyof typeof operationTable & keyof operations;

type Content<Part> = Part extends { readonly content: { readonly 'application/json': infer Body } } ? Body : undefined;

/** What an operation answers when it is done; undefined where there is nothing to say. */
export type ValueOf<Name extends OperationName> = Content<
  operations[Name]['responses'][keyof operations[Name]['responses'] & (200 | 201 | 204)]
>;

/** Fields that hold money: they may be given as `bigint`, because JSON has no whole numbers that are large enough. */
type AmountField = 'amount' | 'captureAmount' | 'providerFee' | 'limit';
type Given<Body> = {
  readonly [Field in keyof Body]: Field extends AmountField ? Body[Field] | bigint : Body[Field];
};

/** The body of an operation's request, as callers write it. */
export type BodyOf<Name extends OperationName> = Given<
  Content<NonNullable<operations[Name] extends { readonly requestBody?: infer Body } ? Body : never>>
>;

export type PathOf<Name extends OperationName> = operations[Name]['parameters'] extends { readonly path: infer Path }
  ? Path
  : undefined;

export type QueryOf<Name extends OperationName> = NonNullable<
  operations[Name]['parameters'] extends { readonly query?: infer Query } ? Query : undefined
>;

/** What is sent: the parts that an operation has. */
export type InputOf<Name extends OperationName> = {
  readonly query?: QueryOf<Name>;
} & (PathOf<Name> extends undefined ? unknown : { readonly path: PathOf<Name> }) & {
    readonly body?: BodyOf<Name>;
  };

export interface Route {
  readonly method: string;
  readonly path: string;
  readonly keyed: boolean;
  readonly signed: boolean;
}

/** The path of an operation with its parameters filled in. */
export function pathOf({ path }: Route, params: Readonly<Record<string, string>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

export function routeOf(name: OperationName): Route {
  return operationTable[name];
}
