declare module 'vitest' {
  interface ProvidedContext {
    /** The private Redis of the integration tests, as `redis://127.0.0.1:port`. */
    redisUrl: string;
  }
}

export {};
