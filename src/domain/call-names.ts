/** What the calls of a plan are called, as in `TargetDirectory.calls`. */
export interface CallNames {
  readonly createUser: string;
  readonly replaceUser: string;
  readonly deactivateUser: string;
  readonly listAssignments: string;
  readonly createAssignment: string;
  readonly deleteAssignment: string;
}
