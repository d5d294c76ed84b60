import type { Static, TObject, TSchema } from 'typebox';
import type { Principal, Role } from '../principal.ts';
import type { Scope } from '../scopes.ts';
import type { Answer, Done } from './answer.ts';
import type { DoorParts } from './parts.ts';
import type { ProblemCode } from './problem-map.ts';

/**
 * How a route of this door is declared. Everything that is said about it is said once, here: the door registers it, the
 * OpenAPI document is made from it, and the tests walk it as every role. To add one: a file in `routes/` (one per
 * resource), its schemas in `schemas/`, and a line in `routes.ts`.
 */

/**
 * What of a route's things a role reaches: those that it owns, or any. Said here for the documents and the tests that
 * walk it; `src/gateway/access.ts`, which handlers ask, decides.
 */
export type Reach = 'own' | 'any';

/** Who may call a route. A role that is not named is refused before anything is looked at, whatever the call names. */
export interface Access {
  readonly roles: Readonly<Partial<Record<Role, Reach>>>;
  /** What a service's token must be scoped for: one of these. Empty: nothing in particular. */
  readonly scopes: readonly Scope[];
}

/** One call of a route, checked against its schemas. */
export interface Call<Params = unknown, Query = unknown, Body = unknown, Who = Principal> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Undefined on a public route. */
  readonly principal: Who;
  readonly correlationId: string;
  /** Present where the route is `idempotent`. */
  readonly idempotencyKey: string;
  readonly method: string;
  /** As it was sent, with its query if it has one: what a sensitive command signs. */
  readonly path: string;
  /** A header by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** All of them, by their lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body of an `upload`, as it comes. Undefined where there is none. */
  readonly upload: AsyncIterable<Uint8Array> | undefined;
  /** The body's bytes as they came: what a sensitive command signs. */
  readonly rawBody: Buffer;
  /** Where the caller comes from: never logged or stored as it is. */
  readonly address: string;
}

export type { Answer, Done };

interface RouteSpec<Params extends TSchema, Query extends TSchema, Body extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `/v1/accounts/:id` */
  readonly path: string;
  /** Name in the OpenAPI document, and of what is generated from it: `openAccount`. */
  readonly operation: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** The body may be left out: every field of it is optional. */
  readonly bodyOptional?: true;
  /** The body is a file, of any kind, and is handed on as it comes: the handler holds it to its limit. */
  readonly upload?: true;
  /** Answers by status. A 204 has `null`. */
  readonly answers: Readonly<Partial<Record<Done['status'], TSchema | null>>>;
  /** What its answers may be. Default: JSON. */
  readonly mediaTypes?: readonly ('application/json' | 'text/csv' | 'text/html')[];
  /** Problems that are special to it, beside those that every route has. */
  readonly problems?: readonly ProblemCode[];
  /** Needs `Idempotency-Key`: it commands money or accounts. */
  readonly idempotent?: true;
  /** Not limited in how often it is called: balancers and orchestrators ask it. */
  readonly uncounted?: true;
  /** Takes `Kora-Timestamp`, `Kora-Nonce` and `Kora-Signature`, which users must send where the handler says so. */
  readonly sensitive?: true;
}

type NoFields = TObject<Record<string, never>>;

/** A route with its types forgotten: what the table holds. `Parts` is what its door has to lend it. */
export interface Route<Parts = DoorParts> extends RouteSpec<TSchema, TSchema, TSchema> {
  readonly access: Access | 'public';
  readonly handle: (call: Call<never, never, never, never>, door: Parts) => Promise<Answer>;
}

/** Declares a route for whom `access` names. A handler that needs little of its door says of which parts. */
export function route<
  Params extends TSchema = NoFields,
  Query extends TSchema = NoFields,
  Body extends TSchema = NoFields,
  Parts = DoorParts,
>(
  spec: RouteSpec<Params, Query, Body> & {
    readonly access: Access;
    handle(call: Call<Static<Params>, Static<Query>, Static<Body>>, door: Parts): Promise<Answer>;
  },
): Route<Parts> {
  return spec;
}

/** Declares a route for everybody; its handler is told nothing of who calls. */
export function publicRoute<
  Params extends TSchema = NoFields,
  Query extends TSchema = NoFields,
  Body extends TSchema = NoFields,
  Parts = DoorParts,
>(
  spec: RouteSpec<Params, Query, Body> & {
    handle(call: Call<Static<Params>, Static<Query>, Static<Body>, undefined>, door: Parts): Promise<Answer>;
  },
): Route<Parts> {
  return { ...spec, access: 'public' } as unknown as Route<Parts>;
}
