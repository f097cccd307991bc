/** Sign in at AuthKit, then consent, then the deputy: who answers /authorize, /login, /callback and /logout. */
import { Hono } from 'hono';
import { answerConsent, showConsent } from './auth/authorize.tsx';
import type { PageEnv } from './auth/session.ts';
import { finishSignIn, finishSignOut, notAhead, signOut, startSignIn } from './auth/sign-in.tsx';

export const auth = new Hono<{ Bindings: PageEnv }>()
  .on('GET', ['/authorize', '/login', '/callback', '/logout'], notAhead)
  .get('/authorize', showConsent)
  .post('/authorize', answerConsent)
  .get('/login', startSignIn)
  .get('/callback', finishSignIn)
  .post('/logout', signOut)
  .get('/logout', finishSignOut);
