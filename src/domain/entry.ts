import type { ExternalId } from './identity.ts';
import type { ReadManner } from './source-read.ts';

/** One value, or several where the source holds several. An absent attribute is a missing key, never an empty value. */
export type AttributeValue = string | readonly string[];

/** Where an entry stands in its source, for messages: `people.csv:17` or a DN. */
export type Location = string;

/** One record of the source as read, before any rule. */
export interface Entry {
  /** The immutable key, trimmed; the empty string when the record has none (a finding, never guessed). */
  readonly id: ExternalId | '';
  /** Keyed by the names that the demand asked for, in the demand's spelling. */
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** Names of the groups the person belongs to: as rules spell them where a rule names the group, else the group's name. */
  readonly groups: readonly string[];
  /** How the person came by each of them, where the source knows groups within groups. */
  readonly groupPaths?: GroupPaths;
  readonly location: Location;
  /** Present when the source marks the account as one that may not be used, whatever its attributes say. */
  readonly disabled?: true;
  /** Present when a value that may decide about the person cannot be read: a clause for a message. Nothing is concluded then. */
  readonly problem?: string;
}

/** The ways from a person to groups. Shared by people in the same groups, and worked out only when asked. */
export interface GroupPaths {
  /** The groups on the shortest way, as the source calls them: from the one that the person belongs to directly up to the one with that name. Empty when there is none. */
  to(name: string): readonly string[];
}

/** What the rules need of the source, so that a source asks for nothing else. */
export interface Demand {
  /** Attribute names in the rules' spelling, sorted, without duplicates; `all` when a rule reads attributes by a computed name. */
  readonly attributes: readonly string[] | 'all';
  /** Those of the attributes that people's addresses are made of; without all of them nobody has an address. */
  readonly address?: readonly string[];
  /** Groups that rules name, sorted: each must exist in the source. */
  readonly groups: readonly string[];
  /** True when a rule looks at group names in another way than by a literal name, so every group is needed. */
  readonly allGroups: boolean;
}

/** Proof of a complete read: the source saw everything that it holds. */
export interface CompleteRead {
  /** Entries handed over. */
  readonly entries: number;
  /** What was read, for people: file or server, base and filter. */
  readonly description: string;
  /** Given by a source that can also read only what changed, when it is set to. */
  readonly manner?: ReadManner;
}
