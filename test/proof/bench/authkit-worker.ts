/** The local AuthKit as a Worker of its own, so that the Worker beside it is the one that is deployed. */
import { authkit } from '../../../src/dev/authkit.tsx';

export default {
  fetch: (request, env, ctx) => authkit.fetch(request, env, ctx),
} satisfies ExportedHandler<Env & { ORIGIN: string }>;
