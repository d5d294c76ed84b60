import { Type } from 'typebox';
import { publicRoute } from '../route.ts';

const openApi = publicRoute({
  method: 'GET',
  path: '/openapi.json',
  operation: 'getOpenApi',
  tag: 'documentation',
  summary: 'This document',
  answers: { 200: Type.Object({ openapi: Type.String() }, { additionalProperties: Type.Unknown(), title: 'OpenApi' }) },
  handle: (_call, door) => Promise.resolve({ status: 200, body: door.openApi() }),
});

export const documentationRoutes = [openApi];
