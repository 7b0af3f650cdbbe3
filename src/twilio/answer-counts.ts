import type { AnswerKind, Answers } from '../domain/run.ts';
import type { Decision } from './retry.ts';

/** What came back for the requests of one target. */
export interface AnswerCounts {
  readonly answers: Answers;
  count(endpoint: string, kind: AnswerKind): void;
}

export function createAnswerCounts(): AnswerCounts {
  const answers: Record<string, Partial<Record<AnswerKind, number>>> = {};
  return {
    answers,
    count(endpoint, kind) {
      const counts = answers[endpoint] ?? {};
      counts[kind] = (counts[kind] ?? 0) + 1;
      answers[endpoint] = counts;
    },
  };
}

/** Twilio asks for fewer requests with 429, and with codes under other statuses: the decision knows. */
export function answerKind(status: number, decision: Decision): AnswerKind {
  if (decision === 'wait') return 'throttled';
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}
