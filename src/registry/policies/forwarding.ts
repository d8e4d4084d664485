// Policies: functions from a contract to the same contract. A policy names every member, with an implementation or with `FORWARD`. So the type checker
// finds each policy that lacks a member which was added to the contract later. Used for registries, sources and sinks.

/** Uses the inner object's member unchanged. */
export const FORWARD = Symbol('forward');

/** All members of the contract, including optional ones. */
export type Policy<Contract> = {
  readonly [Member in keyof Required<Contract>]: Contract[Member] | typeof FORWARD;
};

/** `inner` with the members of the policy. A forwarded member that `inner` lacks stays absent. */
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
