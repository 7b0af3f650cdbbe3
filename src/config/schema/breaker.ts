import * as z from 'zod';
import { wholeNumber } from './values.ts';

export const breaker = z
  .strictObject({
    inARow: wholeNumber(2, 1_000_000)
      .default(10)
      .meta({ description: 'So many people whom Twilio refused one after another end the run.' }),
    percent: z.number().min(1).max(100).default(50).meta({
      title: 'number',
      description: 'So does this share of the people tried, once there are `sample` of them.',
    }),
    sample: wholeNumber(2, 1_000_000)
      .default(20)
      .meta({ description: 'People that must have been tried before `percent` counts.' }),
    unanswered: wholeNumber(1, 1_000)
      .default(3)
      .meta({ description: 'So many calls in a row without an answer, each after its own attempts, end the run.' }),
  })
  .prefault({})
  .meta({
    description:
      'Circuit breaker: ends a run when what fails is not about single people. The next run tries one of those before the others. Addresses that are taken, a domain that is not verified and a quota that is used up do not count.',
  });
