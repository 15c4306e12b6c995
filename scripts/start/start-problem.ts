/** Why the demo cannot start or go on; the message is all that a reader needs. */
export class StartProblem extends Error {
  override readonly name = 'StartProblem';
  readonly code = 'start_problem';
}
