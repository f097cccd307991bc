/** What the runtime prints of the faults that tests bring about on purpose. A green run prints nothing that alarms. */

/** How such a report begins, and what a test threw or did. Anything else is printed. */
const REPORT = /^(?:uncaught exception; |exception = |stack: |NOSENTRY )/;
const ON_PURPOSE = [
  'the disk is full',
  'storage broke',
  'ended by the weather',
  'goes back in time',
  'the storage has not gone back',
  'does not implement point-in-time recovery',
  'Application called abortAllDurableObjects()',
  // A job that runs late, because a test has moved the clock.
  'SQLite alarm overdue',
  "detected that your Worker's code had hung",
  'read end of pipe was aborted',
];

/** From now on such reports are left out of what this process prints. */
export function leaveOutWhatIsOnPurpose(): void {
  for (const stream of [process.stdout, process.stderr])
    // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
    stream.write = new Proxy(stream.write, {
      apply: (write, _, args: Parameters<typeof stream.write>) =>
        isOnPurpose(String(args[0])) || write.apply(stream, args),
    });
}

function isOnPurpose(text: string): boolean {
  return REPORT.test(text) && ON_PURPOSE.some((reason) => text.includes(reason));
}
