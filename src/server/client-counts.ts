// Counts something for each client. A client whose count is 0 takes no memory.

export interface ClientCounts {
  of(client: string): number;
  change(client: string, difference: number): void;
}

export function createClientCounts(): ClientCounts {
  const counts = new Map<string, number>();
  const of = (client: string) => counts.get(client) ?? 0;
  return {
    of,
    change: (client, difference) => {
      const count = of(client) + difference;
      if (count > 0) counts.set(client, count);
      else counts.delete(client);
    },
  };
}
