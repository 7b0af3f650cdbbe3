/** What a long life leaves behind, told from noise: by quarters of the life, and by the slope over all of it. */
import type { Measurement } from './daemon-process.ts';

export interface Sample extends Measurement {
  /** Number of the run after which it was taken. */
  readonly run: number;
  /** Of the snapshot with its write-ahead log. */
  readonly snapshotBytes: number;
}

type Quantity = Exclude<keyof Sample, 'run'>;

/** Medians of the four quarters. */
export function byQuarter(samples: readonly Sample[], quantity: Quantity): readonly number[] {
  return [0, 1, 2, 3].map((quarter) => {
    const part = samples.slice((quarter * samples.length) / 4, ((quarter + 1) * samples.length) / 4);
    return median(part.map((sample) => sample[quantity]));
  });
}

/** Growth over all samples by linear regression (least squares), from the first run to the last. */
export function growth(samples: readonly Sample[], quantity: Quantity): number {
  const n = samples.length;
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + of(sample), 0) / n;
  const [middle, average] = [mean(({ run }) => run), mean((sample) => sample[quantity])];
  const spread = samples.reduce((sum, { run }) => sum + (run - middle) ** 2, 0);
  const common = samples.reduce((sum, sample) => sum + (sample.run - middle) * (sample[quantity] - average), 0);
  const span = (samples.at(-1)?.run ?? 0) - (samples[0]?.run ?? 0);
  return spread === 0 ? 0 : (common / spread) * span;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
