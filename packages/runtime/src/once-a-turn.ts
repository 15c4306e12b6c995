/** A function that calls `run` once in this turn of the event loop, after what the turn has to do, however often it is called. */
export function onceATurn(run: () => void): () => void {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    setImmediate(() => {
      asked = false;
      run();
    });
  };
}
