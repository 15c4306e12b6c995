// Preloaded with --import: the process dies, as in a crash, `DIE_AFTER_MS` after it asked to add the user `DIE_OF`.
import { subscribe } from 'node:diagnostics_channel';

interface Created {
  readonly request: { readonly path: string; readonly body: unknown };
}

subscribe('undici:request:create', (message) => {
  const { request } = message as Created;
  const isFatal = request.path.includes('/pine_perm/add') && String(request.body).includes(`=${process.env.DIE_OF}&`);
  if (isFatal) setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(process.env.DIE_AFTER_MS));
});
