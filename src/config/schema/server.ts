import * as z from 'zod';
import { parseListen } from '../listen.ts';
import { duration } from './values.ts';

const listen = z
  .string()
  .refine((value) => parseListen(value) !== undefined, {
    error: 'must be host:port, e.g. 127.0.0.1:9464, [::1]:9464 or, for other machines too, 0.0.0.0:9464',
  })
  .default('127.0.0.1:9464')
  .meta({
    title: 'host:port',
    description:
      'Where to listen. Only this machine reaches 127.0.0.1; `0.0.0.0` is for everybody who reaches the machine, as a container needs it. There is no password: what is shown names no person.',
    examples: ['0.0.0.0:9464'],
  });

export const server = z
  .strictObject({
    listen,
    maxAge: duration()
      .default('2h')
      .meta({
        description:
          'Not ready (`/health/ready`) when the last good run is older, or there was none; choose two or three times the schedule.',
        examples: ['45m'],
      }),
  })
  .optional()
  .meta({
    description:
      'Health and metrics of `tdsync daemon` by HTTP: `/metrics`, `/health/live`, `/health/ready`. Off unless set.',
  });
