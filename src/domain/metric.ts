/** One metric as Prometheus understands it: a name, what it means, and a value for each combination of labels. */
export interface Metric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  /** Names of the labels that every sample has. */
  readonly labels: readonly string[];
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** In the order of the metric's labels. */
  readonly labels: readonly string[];
  readonly value: number;
}
