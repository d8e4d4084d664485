// The codes of errors, each with what causes it and what mends it: docs/errors.md is made from these tables.

export interface CodeMeaning {
  /** What a code means to people: one sentence each. */
  readonly cause: string;
  readonly mend: string;
  /** What clients of the embedded registry get. Without it they are told of a bug (500), because they should not meet such an error. */
  readonly answer?: CodeAnswer;
}

export interface CodeAnswer {
  /** Of HTTP. */
  readonly status: number;
  /** For problems of the server: replaces code and message, which may name files and hosts of the operator. Without it, an error is the client's. */
  readonly instead?: { readonly code: string; readonly message: string };
}

/** Error codes of the OCI distribution specification 1.1, section "Error Codes", plus those that registries use beside it. */
export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_TOO_LARGE'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'RANGE_INVALID'
  | 'SIZE_INVALID'
  | 'TAG_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNSUPPORTED';

/** A policy's own code: POLICY_ and a word of the policy. It needs no line here. Clients of the registry get the error's message, with status 403. */
export type PolicyErrorCode = `POLICY_${string}`;

export type ErrorCode = RegistryErrorCode | PolicyErrorCode | OtherErrorCode;

/** Codes of all other errors that the user can mend. */
export type OtherErrorCode =
  | 'ABORTED'
  | 'ADDRESS_IN_USE'
  | 'ADDRESS_NOT_PERMITTED'
  | 'ADDRESS_UNAVAILABLE'
  | 'ALREADY_RUNNING'
  | 'BAD_ANSWER'
  | 'BROKEN_OFF'
  | 'BUILD_FAILED'
  | 'COMPRESSION_INVALID'
  | 'CONFIG_INVALID'
  | 'DOCKERFILE_INVALID'
  | 'FILE_UNREADABLE'
  | 'LOCATION_INVALID'
  | 'NO_ACCESS'
  | 'NO_REGISTRY'
  | 'NO_SPACE'
  | 'NOT_RUNNING'
  | 'OVERLAY_UNKNOWN'
  | 'PATH_UNKNOWN'
  | 'PLATFORM_INVALID'
  | 'PLATFORM_UNKNOWN'
  | 'READ_ONLY'
  | 'REFERENCE_INVALID'
  | 'RUN_UNAVAILABLE'
  | 'SERVER_ERROR'
  | 'TAR_INVALID'
  | 'TIMEOUT'
  | 'UNREACHABLE'
  | 'USAGE'
  | 'YAML_INVALID';

export const POLICY_ERROR: CodeMeaning = {
  cause: 'A policy of the registry does not allow it: the rest of the code is the name of the policy.',
  mend: 'The message says what is allowed; else ask who runs the registry.',
  answer: { status: 403 },
};

export const REGISTRY_ERRORS: Readonly<Record<RegistryErrorCode, CodeMeaning & Required<Pick<CodeMeaning, 'answer'>>>> =
  {
    BLOB_UNKNOWN: {
      cause: 'A part of an image, a layer or a configuration, is not where it was asked for.',
      mend: 'Push or copy the image there again, or take it from another source.',
      answer: { status: 404 },
    },
    BLOB_UPLOAD_INVALID: {
      cause: 'The registry does not accept an upload as it was sent or ended.',
      mend: 'Run the command again; if it stays, something between the two (a proxy) changes requests.',
      answer: { status: 400 },
    },
    BLOB_UPLOAD_UNKNOWN: {
      cause:
        'The registry no longer knows the upload: it was too old, or the registry was started again without its data.',
      mend: 'Run the command again: it starts a new upload.',
      answer: { status: 404 },
    },
    DENIED: {
      cause: 'The other side knows who asks, and refuses; or a file on this machine blocks the host.',
      mend: 'Use credentials that may do this, or change what blocks the host: the message names the file.',
      answer: { status: 403 },
    },
    DIGEST_INVALID: {
      cause: 'Bytes are not those that their digest promises: they are damaged, or somebody has changed them.',
      mend: '`images check IMAGE` tells which part; write the copy anew, or take the image from another source.',
      answer: { status: 400 },
    },
    MANIFEST_BLOB_UNKNOWN: {
      cause: 'A registry refuses a manifest because something it names is not there: layers, or images of an index.',
      mend: 'Push all parts first; for a registry that takes only complete indexes, copy with --platform=all.',
      answer: { status: 400 },
    },
    MANIFEST_INVALID: {
      cause: 'A manifest or configuration is not as the specification has it, or the parts of an image disagree.',
      mend: '`images check IMAGE` tells more; make the image again with a current tool.',
      answer: { status: 400 },
    },
    MANIFEST_TOO_LARGE: {
      cause: 'A manifest is larger than any image has: 4 MiB.',
      mend: 'Check the name: something else than an image is there.',
      answer: { status: 413 },
    },
    MANIFEST_UNKNOWN: {
      cause: 'There is no image of this name, tag or digest.',
      mend: 'Check name and tag; a private repository may hide until `images login`.',
      answer: { status: 404 },
    },
    NAME_INVALID: {
      cause: 'A repository name has characters or a form that the specification does not allow.',
      mend: 'Write it in lower case: letters, digits, single `.`, `_`, `-` and `/` between them.',
      answer: { status: 400 },
    },
    NAME_UNKNOWN: {
      cause: 'The registry has no such repository.',
      mend: 'Check the name; a private repository may hide until `images login`.',
      answer: { status: 404 },
    },
    PAGINATION_NUMBER_INVALID: {
      cause: 'A client of the registry asks for a page of a list with a size that is no number.',
      mend: 'Ask with n=NUMBER.',
      answer: { status: 400 },
    },
    RANGE_INVALID: {
      cause: 'A part of a blob is asked for that it does not have, or an upload goes on at the wrong byte.',
      mend: 'Run the command again: it goes on from what is there.',
      answer: { status: 416 },
    },
    SIZE_INVALID: {
      cause: 'Content is longer or shorter than was announced.',
      mend: 'Run it again; if it stays, `images check IMAGE` tells which part is damaged.',
      answer: { status: 400 },
    },
    TAG_INVALID: {
      cause: 'A tag has characters that the specification does not allow, or more than 128 of them.',
      mend: 'Use letters, digits, `.`, `_` and `-`, the first of them no `.` or `-`.',
      answer: { status: 400 },
    },
    TOOMANYREQUESTS: {
      cause: 'The other side has a limit on requests, connections or uploads, and it is reached.',
      mend: 'Try again later; a `images login` or a mirror raises most limits.',
      answer: { status: 429 },
    },
    UNAUTHORIZED: {
      cause: 'The registry wants credentials, or does not accept those that were sent: the message names their file.',
      mend: '`images login HOST`, then again; check the name too, because an unknown repository looks the same.',
      answer: { status: 401 },
    },
    UNSUPPORTED: {
      cause: 'A registry, a transport or a format cannot do or hold what is asked.',
      mend: 'The hint says what it can; use another transport or option.',
      answer: { status: 405 },
    },
  };

/** Of what may work at another time. */
export const BUSY: CodeAnswer = {
  status: 503,
  instead: { code: 'UNAVAILABLE', message: 'the registry cannot do this now: try again' },
};
const UPSTREAM: CodeAnswer = {
  status: 502,
  instead: { code: 'UNAVAILABLE', message: 'another registry, asked for this, has failed' },
};

export const OTHER_ERRORS: Readonly<Record<OtherErrorCode, CodeMeaning>> = {
  ABORTED: {
    cause: 'The command was interrupted.',
    mend: 'Run it again: it goes on from what is there.',
    answer: BUSY,
  },
  ADDRESS_IN_USE: {
    cause: 'Something else listens on the address that the registry is to have.',
    mend: 'End it, or choose another with --listen=ADDR:PORT.',
  },
  ADDRESS_NOT_PERMITTED: {
    cause: 'This user may not listen on the port.',
    mend: 'Choose a port above 1023, or allow low ones: the hint has the command.',
  },
  ADDRESS_UNAVAILABLE: {
    cause: 'This machine does not have the address, or VMs cannot reach it.',
    mend: 'List the addresses with `ip address`; `images lreg_start --listen=:5000` listens on all of them.',
  },
  ALREADY_RUNNING: {
    cause: 'The embedded registry runs already over these data.',
    mend: '`images lreg_stop` first, to start it with other settings.',
  },
  BAD_ANSWER: {
    cause: 'What answers does not speak as a registry, web server or daemon should: a login page, a proxy, a defect.',
    mend: 'Check host and port, and what stands in between; --debug=http shows each request.',
    answer: UPSTREAM,
  },
  BROKEN_OFF: {
    cause: 'A connection ended in the middle.',
    mend: 'Check the network, and that the server runs; then run it again: it goes on from there.',
    answer: UPSTREAM,
  },
  BUILD_FAILED: {
    cause: 'A command of RUN, or the `tar` script, ended with an error.',
    mend: 'What it said is above the message.',
  },
  COMPRESSION_INVALID: {
    cause: 'Compressed bytes are damaged, end early, or are in a form that is not supported.',
    mend: 'Fetch or make the file again.',
  },
  CONFIG_INVALID: {
    cause: 'A configuration file or a variable of the environment says something that is not understood.',
    mend: 'Mend it: the message names file or variable.',
  },
  DOCKERFILE_INVALID: {
    cause: 'A Dockerfile has a mistake: the message shows the line.',
    mend: 'Mend the line; docs/building.md says what is supported.',
  },
  FILE_UNREADABLE: {
    cause: 'A file cannot be read, or is not what it should be.',
    mend: 'Check path and permissions.',
  },
  LOCATION_INVALID: {
    cause: 'What is at a location is no image of that form, or nothing can be written there.',
    mend: 'Check the transport before the colon, and the path: `images help copy`.',
  },
  NO_ACCESS: {
    cause: 'This user may not read, write or use something on this machine.',
    mend: 'The hint says what gives access; else ask its owner.',
    answer: { status: 503, instead: { code: 'UNAVAILABLE', message: 'the registry cannot use its own store' } },
  },
  NO_REGISTRY: {
    cause: 'No private registry is known, and none is running.',
    mend: '`images lreg_start`, or set LOCAL_REGISTRY.',
  },
  NO_SPACE: {
    cause: 'A file system is full, or a limit on what may be stored is reached.',
    mend: 'Free space there, then run it again: it goes on from there.',
    answer: { status: 507, instead: { code: 'NO_SPACE', message: "no space left on the registry's disk" } },
  },
  NOT_RUNNING: {
    cause: 'The embedded registry, the Docker daemon or a cluster does not run.',
    mend: '`images lreg_start`; for the daemon `systemctl start docker`, or check DOCKER_HOST.',
  },
  OVERLAY_UNKNOWN: {
    cause: 'An argument is neither an overlay nor a directory, a file or an image.',
    mend: 'Check the name; overlays are found through XCLUSTER and XCLUSTER_OVLPATH.',
  },
  PATH_UNKNOWN: {
    cause: 'A path does not exist on this machine or in the image.',
    mend: 'Check the path; `images ls IMAGE` lists what is in an image.',
  },
  PLATFORM_INVALID: {
    cause: 'The value of --platform is no platform.',
    mend: 'Write OS/ARCH or OS/ARCH/VARIANT: linux/arm64, linux/arm/v7.',
  },
  PLATFORM_UNKNOWN: {
    cause: 'The image is not there for a platform that is wanted.',
    mend: 'Choose with --platform one of those that the message lists.',
  },
  READ_ONLY: {
    cause: 'A file system or a registry takes no changes.',
    mend: 'Write elsewhere, or make it writable.',
    answer: { status: 405, instead: { code: 'UNSUPPORTED', message: 'the registry is read-only' } },
  },
  REFERENCE_INVALID: {
    cause: 'The name of an image is not written as names of images are.',
    mend: 'Write [HOST[:PORT]/]PATH[:TAG][@DIGEST], the path in lower case.',
  },
  RUN_UNAVAILABLE: {
    cause: 'This machine lacks what RUN needs: user namespaces, programs, an emulator.',
    mend: 'The hint says what is missing and how to get it.',
  },
  SERVER_ERROR: {
    cause: 'The other side has trouble of its own (a status from 500 on).',
    mend: 'Try again later; its log says more.',
    answer: UPSTREAM,
  },
  TAR_INVALID: {
    cause: 'An archive is damaged, or no tar archive.',
    mend: 'Fetch or make it again; `images check` finds what else is damaged.',
  },
  TIMEOUT: {
    cause: 'The other side did not answer, or sent too little, for too long.',
    mend: 'Try again later, or check the network and http_proxy.',
    answer: {
      status: 504,
      instead: { code: 'UNAVAILABLE', message: 'another registry, asked for this, has not answered in time' },
    },
  },
  UNREACHABLE: {
    cause: 'No connection comes about: the name, the route, the port or TLS.',
    mend: 'The hint says which of them, and what to check.',
    answer: UPSTREAM,
  },
  USAGE: {
    cause: 'The command line, or an argument of a function of the library, is wrong.',
    mend: '`images help COMMAND` shows how to use it; the message names the argument.',
  },
  YAML_INVALID: {
    cause: 'A file of values that was given for charts is no YAML, or no mapping.',
    mend: 'Mend the file that the message names.',
  },
};

const MEANINGS: ReadonlyMap<string, CodeMeaning> = new Map(Object.entries({ ...REGISTRY_ERRORS, ...OTHER_ERRORS }));

/** What the tables say about a code; of a policy's own code what its kind says. */
export function meaningOf(code: string): CodeMeaning | undefined {
  return MEANINGS.get(code) ?? (code.startsWith('POLICY_') ? POLICY_ERROR : undefined);
}
