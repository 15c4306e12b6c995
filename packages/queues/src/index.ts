export { type BellState, type Bells, createBells, type LaneCounts } from './create-bells.ts';
export { type BoardQueue, type BoardQueues, createBoardQueues } from './create-board-queues.ts';
export {
  type Bell,
  type BellHandler,
  type BellResult,
  createLaneConsumer,
  type LaneConsumer,
  type LaneConsumerOptions,
  type LaneEvents,
} from './create-lane-consumer.ts';
export {
  createTaskConsumer,
  createTasks,
  TASK_QUEUES,
  type TaskConsumer,
  type TaskEvents,
  type TaskHandlers,
  type TaskKind,
  type TaskPayload,
  type Tasks,
  UnknownTaskError,
} from './create-tasks.ts';
export type { JobResult } from './job-result.ts';
export type { ConsumerTimes } from './queue-options.ts';
