import { expect, it } from 'vitest';
import { withQuietInterfaces } from './quiet-interfaces.ts';

const TRIE = `Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 10.0.0.0/8 2 0 2
        |-- 10.1.2.3
           /32 host LOCAL
Local:
  +-- 0.0.0.0/0 2 0 2
     +-- 127.0.0.0/8 2 0 2
        +-- 127.0.0.0/31 1 0 0
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
        |-- 127.255.255.255
           /32 link BROADCAST
     +-- 192.168.0.0/24 2 0 2
        |-- 192.168.0.0
           /24 link UNICAST
        +-- 192.168.0.248/29 2 0 2
           |-- 192.168.0.250
              /32 host LOCAL
           |-- 192.168.0.255
              /32 link BROADCAST
`;
const ROUTES = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0101010A	0003	0	0	0	00000000	0	0	0
eth0	0000010A	00000000	0001	0	0	0	0000FFFF	0	0	0
wide	0000A8C0	00000000	0001	0	0	0	0000FFFF	0	0	0
xcbr1	0000A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
`;
const INET6 = `00000000000000000000000000000001 01 80 10 80       lo
fd0000000000000000000000c0a800fa 02 78 00 c2    xcbr1
fe8000000000000060420cfffe1cdb8d 02 40 20 c0    xcbr1
fd0000000000000000000000000000fb 02 78 00 c8    xcbr1
`;
const ETH0 = [{ address: '10.1.2.3', family: 'IPv4', internal: false, cidr: '10.1.2.3/16' }];

it('an interface without a carrier has its addresses, with the prefix of its network', () => {
  const all = withQuietInterfaces({ eth0: ETH0 }, { trie: TRIE, routes: ROUTES, inet6: INET6 });
  expect(all.eth0).toBe(ETH0);
  expect(all.xcbr1).toEqual([
    { address: '192.168.0.250', family: 'IPv4', internal: false, cidr: '192.168.0.250/24', isQuiet: true },
    { address: 'fd00::c0a8:fa', family: 'IPv6', internal: false, cidr: 'fd00::c0a8:fa/120', isQuiet: true },
    {
      address: 'fe80::6042:cff:fe1c:db8d',
      family: 'IPv6',
      internal: false,
      cidr: 'fe80::6042:cff:fe1c:db8d/64',
      isQuiet: true,
    },
  ]);
  expect(all.lo).toEqual([{ address: '::1', family: 'IPv6', internal: true, cidr: '::1/128', isQuiet: true }]);
  expect(Object.keys(all)).toEqual(['eth0', 'xcbr1', 'lo']);
});

it('without tables, or with others, nothing changes', () => {
  for (const text of ['', 'Iface\n', 'what\never ::\n|-- 1.2.3.4\n'])
    expect(withQuietInterfaces({ eth0: ETH0 }, { trie: text, routes: text, inet6: text })).toEqual({ eth0: ETH0 });
});
