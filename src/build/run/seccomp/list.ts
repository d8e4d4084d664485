// The system calls that a RUN may use: those needed to build software and install packages. Calls that reach beyond the container, into the kernel or the
// machine, are refused. Calls that no kernel has, or only one that is newer than this list, report ENOSYS, so that programs use a fallback.
import { HARMLESS_DEVICES } from '../device-numbers.ts';

/** System calls of one purpose. */
export interface Purpose {
  readonly purpose: string;
  /** Includes calls that exist on some architectures only. */
  readonly calls: readonly string[];
}

/** Compares the lower 32 bits of an argument, after masking. */
export interface Compared {
  readonly argument: number;
  readonly mask: number;
  readonly value: number;
}

/** A call that is allowed if, in any one of the alternatives, all comparisons hold. */
export interface Condition extends Purpose {
  readonly whenever: readonly (readonly Compared[])[];
}

const of = (purpose: string, calls: string): Purpose => ({ purpose, calls: calls.trim().split(/\s+/) });

export const ALLOWED: readonly Purpose[] = [
  of(
    'bytes of open files',
    `read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek _llseek close close_range dup dup2 dup3 fcntl fcntl64 ioctl flock
    sendfile sendfile64 splice tee vmsplice copy_file_range readahead fadvise64 fadvise64_64 arm_fadvise64_64 fallocate truncate truncate64 ftruncate
    ftruncate64 fsync fdatasync sync syncfs sync_file_range sync_file_range2 cachestat pipe pipe2 memfd_create memfd_secret`,
  ),
  of(
    'files and directories by name',
    `open openat openat2 creat access faccessat faccessat2 stat stat64 lstat lstat64 fstat fstat64 newfstatat fstatat64 statx oldstat oldlstat
    oldfstat statfs statfs64 fstatfs fstatfs64 getdents getdents64 readdir getcwd chdir fchdir chroot umask mkdir mkdirat rmdir link linkat unlink unlinkat
    symlink symlinkat readlink readlinkat rename renameat renameat2 chmod fchmod fchmodat fchmodat2 chown chown32 lchown lchown32 fchown fchown32 fchownat
    utime utimes futimesat utimensat utimensat_time64 name_to_handle_at file_getattr file_setattr`,
  ),
  of(
    'attributes of files',
    `getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat removexattr lremovexattr
    fremovexattr removexattrat`,
  ),
  of('changes of files, waited for', 'inotify_init inotify_init1 inotify_add_watch inotify_rm_watch'),
  of(
    'memory',
    `brk mmap mmap2 munmap mremap mprotect madvise process_madvise mincore msync mlock mlock2 mlockall munlock munlockall remap_file_pages membarrier mseal
    pkey_alloc pkey_free pkey_mprotect map_shadow_stack process_mrelease`,
  ),
  of(
    'processes and threads',
    `fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid getsid setsid set_tid_address
    set_thread_area get_thread_area set_robust_list get_robust_list rseq restart_syscall arch_prctl modify_ldt uretprobe cacheflush set_tls get_tls
    pidfd_open pidfd_getfd pidfd_send_signal`,
  ),
  of(
    'what a process is to itself',
    'prctl personality seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self lsm_get_self_attr',
  ),
  of('other processes of the container, for debuggers', 'ptrace process_vm_readv process_vm_writev kcmp'),
  of(
    'who a process is',
    `getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 setuid setuid32
    setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups
    setgroups32 capget capset`,
  ),
  of(
    'signals',
    `kill tkill tgkill pause signal sigaction sigaltstack sigpending sigprocmask sigreturn sigsuspend sgetmask ssetmask rt_sigaction rt_sigpending
    rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo signalfd signalfd4 eventfd eventfd2`,
  ),
  of(
    'waiting for each other',
    `futex futex_time64 futex_waitv futex_wake futex_wait futex_requeue poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create
    epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`,
  ),
  of(
    'time, which is only read: setting it takes a capability that nobody has',
    `time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep clock_nanosleep_time64 nanosleep alarm getitimer
    setitimer adjtimex clock_adjtime clock_adjtime64 times timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime
    timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64`,
  ),
  of(
    'sockets',
    `socketpair socketcall bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt send sendto sendmsg sendmmsg
    recv recvfrom recvmsg recvmmsg recvmmsg_time64`,
  ),
  of(
    'System V and POSIX messages, semaphores and memory, of a namespace of their own',
    `ipc msgget msgctl msgrcv msgsnd semget semctl semop semtimedop semtimedop_time64 shmget shmctl shmat shmdt mq_open mq_unlink mq_notify mq_getsetattr
    mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64`,
  ),
  of(
    'scheduling and limits of its own processes',
    `nice getpriority setpriority ioprio_get ioprio_set sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam
    sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
    sched_rr_get_interval_time64 getrlimit ugetrlimit setrlimit prlimit64 getrusage`,
  ),
  of('what the machine is', 'uname olduname oldolduname sysinfo getcpu getrandom statmount listmount lsm_list_modules'),
];

/** Answered with EPERM, as if the caller lacked a privilege. */
export const REFUSED: readonly Purpose[] = [
  of('code in the kernel', 'init_module finit_module delete_module kexec_load kexec_file_load bpf perf_event_open'),
  of(
    'mounts',
    'mount umount umount2 pivot_root move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick mount_setattr',
  ),
  of('namespaces, in which a process would have all rights again', 'unshare setns'),
  of(
    'the state of the machine',
    'reboot swapon swapoff sethostname setdomainname settimeofday stime clock_settime clock_settime64 acct vhangup syslog',
  ),
  of(
    'quotas of file systems, and files behind the back of their directories',
    'quotactl quotactl_fd open_by_handle_at fanotify_init fanotify_mark',
  ),
  of('devices, past their drivers', 'ioperm iopl vm86 vm86old pciconfig_iobase pciconfig_read pciconfig_write'),
  of('keys, which are no container’s own', 'add_key request_key keyctl'),
  of(
    'memory among the nodes of the machine',
    'mbind get_mempolicy set_mempolicy set_mempolicy_home_node migrate_pages move_pages',
  ),
  of(
    'what attacks on the kernel are built with, and programs do without',
    'userfaultfd io_uring_setup io_uring_enter io_uring_register lookup_dcookie',
  ),
  of('rules of security modules', 'lsm_set_self_attr'),
];

/** System calls that change owners. */
export const OWNER_CALLS: readonly string[] = [
  'chown',
  'chown32',
  'fchown',
  'fchown32',
  'fchownat',
  'lchown',
  'lchown32',
];

/** CLONE_NEW… of sched.h, except CLONE_NEWTIME, which clone does not support. clone3 has its flags behind a pointer: it reports ENOSYS, and programs use clone. */
const NEW_NAMESPACES = 0x7e020000;
const TYPE = 0o170000;
const CHARACTER_DEVICE = 0o020000;

/** File types that are not devices. A type of 0 is a regular file. */
const NO_DEVICES: readonly number[] = [0, 0o100000, 0o010000, 0o140000];

/**
 * From sys/socket.h. Through AF_ALG, the kernel's ciphers, CVE-2026-31431 writes to files that it may only read. AF_VSOCK is not confined by network namespaces.
 * 32-bit programs also have socketcall, whose family is behind a pointer; it is allowed, because without it no glibc program for i386 has a network.
 */
const [AF_ALG, AF_VSOCK] = [38, 40];
const FAMILY_BITS = 6;

export const CONDITIONS: readonly Condition[] = [
  {
    ...of('sockets, but to the kernel’s ciphers and to the machine around a virtual one', 'socket'),
    whenever: noneOf([AF_ALG, AF_VSOCK], 0, FAMILY_BITS).map((compared) => [compared]),
  },
  {
    ...of('processes and threads, in the namespaces that are there', 'clone'),
    whenever: [[{ argument: 0, mask: NEW_NAMESPACES, value: 0 }]],
  },
  { ...of('special files, and devices of the list', 'mknod'), whenever: ofNodes(1) },
  { ...of('special files, and devices of the list', 'mknodat'), whenever: ofNodes(2) },
];

/** Comparisons of leading bits. For each number of `bits` bits that is not in `numbers`, one of them holds: it compares a prefix that none of `numbers` has. */
function noneOf(numbers: readonly number[], argument: number, bits: number, leading = 0): readonly Compared[] {
  if (numbers.length === 0) return [{ argument, mask: (1 << FAMILY_BITS) - (1 << bits), value: leading }];
  if (bits === 0) return [];
  const next = 1 << (bits - 1);
  return [0, next].flatMap((bit) =>
    noneOf(
      numbers.filter((number) => (number & next) === bit),
      argument,
      bits - 1,
      leading | bit,
    ),
  );
}

/** `at` is the argument with the mode; the device is the next one. The kernel evaluates 16 bits of the mode and 32 of the device. */
function ofNodes(at: number): Condition['whenever'] {
  const type = (value: number): Compared => ({ argument: at, mask: TYPE, value });
  const numbered = (value: number): Compared => ({ argument: at + 1, mask: 0xffffffff, value });
  return [
    ...NO_DEVICES.map((each) => [type(each)]),
    ...HARMLESS_DEVICES.map(({ major, minor }) => [type(CHARACTER_DEVICE), numbered((major << 8) | minor)]),
  ];
}
