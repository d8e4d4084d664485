// Policies: functions from a contract to the same contract. A policy names every member of it, as its own or as `FORWARD`, so that a member which
// is added to the contract later is forgotten by none: the type checker refuses the policy. It serves registries, sources and sinks alike.

/** The member is the inner one's, as it is. */
export const FORWARD = Symbol('forward');

/** Every member of the contract, optional ones too. */
export type Policy<Contract> = {
  readonly [Member in keyof Required<Contract>]: Contract[Member] | typeof FORWARD;
};

/** `inner` with the policy's members in the place of its own. Members that `inner` lacks, and that are forwarded, stay lacking. */
export function forwarding<Contract extends object>(inner: Contract, policy: Policy<Contract>): Contract {
  const result: Partial<Contract> = {};
  for (const member of Reflect.ownKeys(policy) as (keyof Contract)[]) {
    const own = policy[member];
    const value = own === FORWARD ? inner[member] : (own as Contract[typeof member]);
    if (value !== undefined)
      result[member] = typeof value === 'function' && own === FORWARD ? value.bind(inner) : value;
  }
  return result as Contract;
}
