const GRACE_MS = 1_000;

/** Resolves with the promise, whatever became of it, or a second after the deadline: Redis may be frozen, or a handler deaf. */
export async function untilDeadline(promise: Promise<unknown>, deadline: AbortSignal): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const arm = () => {
    timer = setTimeout(resolve, GRACE_MS);
  };
  if (deadline.aborted) arm();
  else deadline.addEventListener('abort', arm, { once: true });
  promise.then(
    () => resolve(),
    () => resolve(),
  );
  await over;
  clearTimeout(timer);
  deadline.removeEventListener('abort', arm);
}
