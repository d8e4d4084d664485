// How many of something each client has. Those that have none take no memory.

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
