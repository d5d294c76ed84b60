import type { Answer as Verdict, From } from '../../../identity/index.ts';
import { unproven } from '../command.ts';
import { problem, problemOf } from '../problem.ts';
import { type Access, type Answer, type Done, publicRoute, route } from '../route.ts';
import {
  credentials,
  jwks,
  me,
  passwordChange,
  refreshBody,
  rolesBody,
  sessionList,
  sessionParams,
  signedIn,
  userParams,
  userRolesAnswer,
} from '../schemas/identity.ts';

/** Everybody who is a person, about themselves. */
const people: Access = {
  roles: { customer: 'own', merchant: 'own', support: 'own', reviewer: 'own', admin: 'own' },
  scopes: [],
};

/** RFC 6749, 5.1: nobody between us and the caller keeps tokens or what is personal. */
const notStored = { 'cache-control': 'no-store' };

const signUp = publicRoute({
  method: 'POST',
  path: '/v1/identity/sign-up',
  operation: 'signUp',
  tag: 'identity',
  summary: 'Sign up',
  description:
    'Makes a user (a customer) and a first session on this device. Access tokens last 10 minutes and are taken with ' +
    '`Kora-Device` naming the device that they are bound to.',
  body: credentials,
  answers: { 201: signedIn },
  problems: ['InvalidIdentity', 'LoginTaken', 'PasswordRefused', 'TooManyAttempts', 'LocalUsersOff', 'IdentityBusy'],
  handle: async (call, { identity }) => answered(await identity.signUp(call.body, fromOf(call)), 201),
});

const logIn = publicRoute({
  method: 'POST',
  path: '/v1/identity/log-in',
  operation: 'logIn',
  tag: 'identity',
  summary: 'Log in',
  description:
    'Opens a session. A device that is new is registered; one that is known comes with the key that it had. An unknown ' +
    'login and a wrong password are answered alike; after some failures there are pauses.',
  body: credentials,
  answers: { 200: signedIn },
  problems: [
    'InvalidIdentity',
    'WrongCredentials',
    'TooManyAttempts',
    'DeviceKeyMismatch',
    'LocalUsersOff',
    'IdentityBusy',
  ],
  handle: async (call, { identity }) => answered(await identity.logIn(call.body, fromOf(call)), 200),
});

const refresh = publicRoute({
  method: 'POST',
  path: '/v1/identity/refresh',
  operation: 'refresh',
  tag: 'identity',
  summary: 'The next pair of tokens',
  description:
    'A refresh token is good once, from the device of its session (`Kora-Device`). A second use, also at the same ' +
    'moment, ends the session: so refresh in one place, and never send it twice.',
  body: refreshBody,
  answers: { 200: signedIn },
  problems: ['RefreshRefused', 'InvalidIdentity'],
  handle: async (call, { identity }) => {
    const deviceId = call.header('kora-device');
    if (deviceId === undefined) {
      const detail = 'Kora-Device: the device of the session is wanted';
      return problem('InvalidIdentity', detail, { figures: { field: 'Kora-Device' } });
    }
    const { refreshToken } = call.body;
    return answered(await identity.refresh({ refreshToken, deviceId }, fromOf(call)), 200);
  },
});

const logOut = route({
  method: 'POST',
  path: '/v1/identity/log-out',
  operation: 'logOut',
  tag: 'identity',
  summary: 'End the session of the caller',
  answers: { 204: null },
  access: people,
  handle: async (call, { identity }) => answered(await identity.logOut(call.principal, fromOf(call)), 204),
});

const whoAmI = route({
  method: 'GET',
  path: '/v1/identity/me',
  operation: 'me',
  tag: 'identity',
  summary: 'Who the caller is',
  answers: { 200: me },
  access: people,
  handle: async ({ principal }, { identity }) => answered(await identity.me(principal), 200),
});

const listSessions = route({
  method: 'GET',
  path: '/v1/identity/sessions',
  operation: 'listSessions',
  tag: 'identity',
  summary: 'Live sessions of the caller, newest first',
  answers: { 200: sessionList },
  access: people,
  handle: async ({ principal }, { identity }) => {
    const verdict = await identity.sessions(principal);
    return answered(verdict.ok ? { ok: true, value: { items: verdict.value } } : verdict, 200);
  },
});

const endSession = route({
  method: 'DELETE',
  path: '/v1/identity/sessions/:id',
  operation: 'endSession',
  tag: 'identity',
  summary: 'End one of the caller’s sessions',
  description: 'Its access token is refused from now on by this process, and within seconds by all others.',
  params: sessionParams,
  answers: { 204: null },
  problems: ['SessionNotFound'],
  access: people,
  handle: async (call, { identity }) =>
    answered(await identity.endSession(call.principal, call.params.id, fromOf(call)), 204),
});

const changePassword = route({
  method: 'POST',
  path: '/v1/identity/password',
  operation: 'changePassword',
  tag: 'identity',
  summary: 'Change the password',
  description: 'Signed by the device, with the present password. Every other session of the user ends.',
  body: passwordChange,
  answers: { 204: null },
  problems: ['PasswordRefused', 'WrongCredentials', 'TooManyAttempts', 'NotPermitted', 'IdentityBusy'],
  sensitive: true,
  access: people,
  handle: async (call, door) => {
    const problemFound = await unproven(call, door);
    if (problemFound !== undefined) return problemFound;
    return answered(await door.identity.changePassword(call.principal, call.body, fromOf(call)), 204);
  },
});

const changeRoles = route({
  method: 'PUT',
  path: '/v1/users/:userId/roles',
  operation: 'changeRoles',
  tag: 'identity',
  summary: 'Give a user exactly these roles',
  description: 'Access tokens with the roles of before are refused from now on; a refresh gives one with the new ones.',
  params: userParams,
  body: rolesBody,
  answers: { 200: userRolesAnswer },
  problems: ['UserNotFound', 'LastAdmin'],
  access: { roles: { admin: 'any' }, scopes: [] },
  handle: async (call, { identity }) => {
    const request = { userId: call.params.userId, roles: call.body.roles };
    return answered(await identity.changeRoles(call.principal, request, fromOf(call)), 200);
  },
});

const keys = publicRoute({
  method: 'GET',
  path: '/.well-known/jwks.json',
  operation: 'jwks',
  tag: 'identity',
  summary: 'Public keys of access tokens (RFC 7517)',
  description: 'A key is listed half an hour before it signs, and until its last token has ended.',
  answers: { 200: jwks },
  handle: (_call, { identity }) => {
    const answer: Done = { status: 200, body: identity.jwks(), headers: { 'cache-control': 'public, max-age=300' } };
    return Promise.resolve(answer);
  },
});

export const identityRoutes = [
  signUp,
  logIn,
  refresh,
  logOut,
  whoAmI,
  listSessions,
  endSession,
  changePassword,
  changeRoles,
  keys,
];

function fromOf({ address, correlationId }: { readonly address: string; readonly correlationId: string }): From {
  return { address, correlationId };
}

function answered(verdict: Verdict<unknown>, status: 200 | 201 | 204): Answer {
  if (!verdict.ok) return problemOf(verdict.refusal);
  return status === 204 ? { status } : { status, body: verdict.value, headers: notStored };
}
