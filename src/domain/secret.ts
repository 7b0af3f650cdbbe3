/** A secret by reference. It is read anew each time, so that rotation needs no restart, and never held by the configuration. */
export interface Secret {
  /** As configured, e.g. `${env:TWILIO_CLIENT_SECRET}`: safe to print. */
  readonly reference: string;
  /** Absolute path of the file that it stands in, if it does. */
  readonly file?: string;
  /** The present value. Throws ConfigError naming the reference, never the value, when it is missing, empty or unreadable. */
  read(): string;
}
