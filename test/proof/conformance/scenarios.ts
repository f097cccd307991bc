/**
 * Every scenario that the suite has for servers: where it must pass, which of its checks cannot, and why. `verdict.ts` holds
 * the suite's results against this list in both directions.
 */

/** The suite's wire versions; its extensions belong to none, and are run at the newest. */
export const ERAS = ['2025-11-25', '2026-07-28'] as const;
export type Era = (typeof ERAS)[number] | 'extension';

/** The shop as it is, or the same Worker with the suite's own tools, resources and prompts. */
export type Place = 'shop' | 'fixtures';

export type Exception = { check: string; status: Status; reason: string; era?: Era; place?: Place };
export type Status = 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';

export type Entry = {
  eras: readonly Era[];
  /** Where every check must pass, but for the exceptions. */
  passes: readonly Place[];
  /** Why it passes nowhere. */
  reason?: string;
  exceptions?: readonly Exception[];
  /** It passes on the shop without its tools being there, which proves nothing. */
  passesEmptyHanded?: true;
};

const OLD = ['2025-11-25'] as const;
const NEW = ['2026-07-28'] as const;

const NEEDS_FIXTURES = "Needs the suite's own tools or lists; passes on the fixtures.";
const NOTHING_CHANGES =
  'The list of tools never changes while a client is connected, so no list change is announced, and there is none to hear of.';
const NO_SESSION =
  'Needs a session: each POST is served by itself, so that nothing can be hijacked, lost at a deployment or kept awake.';
const NO_QUESTIONS =
  'The server would ask the client in the middle of a call and wait for another POST of the same session. ' +
  'Clients of 2026-07-28 are asked without a session (input-required-result-…).';
const NO_UPDATES = 'Updates of a resource would need a stream that stays open, so subscriptions are not announced.';
const NO_EXTENSION = 'An optional extension that this server does not announce.';

function fixturesOnly(eras: readonly Era[], names: readonly string[]): [string, Entry][] {
  return names.map((name) => [name, { eras, passes: ['fixtures'] }]);
}
function everywhere(eras: readonly Era[], names: readonly string[]): [string, Entry][] {
  return names.map((name) => [name, { eras, passes: ['shop', 'fixtures'] }]);
}
function nowhere(reason: string, eras: readonly Era[], names: readonly string[]): [string, Entry][] {
  return names.map((name) => [name, { eras, passes: [], reason }]);
}
function needsFixtures(status: Status, checks: readonly string[]): Exception[] {
  return checks.map((check) => ({ check, status, place: 'shop', reason: NEEDS_FIXTURES }));
}

export const SCENARIOS: ReadonlyMap<string, Entry> = new Map<string, Entry>([
  [
    'server-initialize',
    {
      eras: OLD,
      passes: ['shop', 'fixtures'],
      exceptions: [{ check: 'server-session-id-visible-ascii', status: 'INFO', reason: NO_SESSION }],
    },
  ],
  [
    'server-stateless',
    {
      eras: NEW,
      passes: ['shop', 'fixtures'],
      exceptions: [
        ...needsFixtures('FAILURE', [
          'sep-2575-server-rejects-undeclared-capability',
          'sep-2575-missing-capability-http-400',
          'sep-2575-http-server-no-independent-requests-on-stream',
          'sep-2575-server-no-log-without-loglevel',
        ]),
        {
          check: 'sep-2575-server-sends-prompts-list-changed-on-subscription',
          status: 'SKIPPED',
          reason: NOTHING_CHANGES,
        },
        {
          check: 'sep-2575-server-sends-tools-list-changed-on-subscription',
          status: 'SKIPPED',
          reason: NOTHING_CHANGES,
        },
      ],
    },
  ],
  [
    'caching',
    {
      eras: NEW,
      passes: ['shop', 'fixtures'],
      exceptions: [
        ...needsFixtures('FAILURE', [
          'sep-2549-prompts-list-caching-hints',
          'sep-2549-resources-list-caching-hints',
          'sep-2549-resources-templates-list-caching-hints',
        ]),
        ...needsFixtures('SKIPPED', ['sep-2549-resources-read-caching-hints']),
      ],
    },
  ],
  ...everywhere(OLD, ['ping']),
  ...everywhere(ERAS, ['tools-list', 'dns-rebinding-protection']),
  ...everywhere(NEW, ['http-header-validation', 'input-required-result-unsupported-methods']),

  ...fixturesOnly(OLD, ['logging-set-level', 'tools-call-with-logging']),
  ...fixturesOnly(ERAS, [
    'completion-complete',
    'json-schema-2020-12',
    'tools-call-simple-text',
    'tools-call-image',
    'tools-call-audio',
    'tools-call-embedded-resource',
    'tools-call-mixed-content',
    'tools-call-error',
    'tools-call-with-progress',
    'resources-list',
    'resources-read-text',
    'resources-read-binary',
    'resources-templates-read',
    'prompts-list',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-embedded-resource',
    'prompts-get-with-image',
  ]),
  ...fixturesOnly(NEW, [
    'sep-2164-resource-not-found',
    'http-custom-header-server-validation',
    'input-required-result-basic-elicitation',
    'input-required-result-basic-sampling',
    'input-required-result-basic-list-roots',
    'input-required-result-request-state',
    'input-required-result-multiple-input-requests',
    'input-required-result-multi-round',
    'input-required-result-missing-input-response',
    'input-required-result-non-tool-request',
    'input-required-result-result-type',
    'input-required-result-tampered-state',
    'input-required-result-capability-check',
    'input-required-result-ignore-extra-params',
  ]),
  ['input-required-result-validate-input', { eras: NEW, passes: ['fixtures'], passesEmptyHanded: true }],

  ...nowhere(NO_SESSION, OLD, ['server-session-lifecycle', 'server-sse-polling']),
  ...nowhere(
    'Several streams at once need a session in 2025-11-25; in 2026-07-28 the answers are JSON, and the scenario then checks nothing.',
    ERAS,
    ['server-sse-multiple-streams'],
  ),
  ...nowhere(NO_QUESTIONS, OLD, [
    'tools-call-sampling',
    'tools-call-elicitation',
    'elicitation-sep1034-defaults',
    'elicitation-sep1330-enums',
  ]),
  ...nowhere(NO_UPDATES, OLD, ['resources-subscribe', 'resources-unsubscribe']),
  ...nowhere(
    NO_EXTENSION,
    ['extension'],
    [
      'sep-2640-skills-directory',
      'sep-2640-skills-enumeration',
      'sep-2640-skills-manifest',
      'tasks-lifecycle',
      'tasks-capability-negotiation',
      'tasks-wire-fields',
      'tasks-request-state-removal',
      'tasks-mrtr-input',
      'tasks-request-headers',
      'tasks-dispatch-and-envelope',
      'tasks-status-notifications',
      'tasks-required-task-error',
      'tasks-mrtr-composition',
    ],
  ),

  // The authorization server, which the fixtures have in common with the shop.
  ['authorization-server-metadata-endpoint', { eras: ERAS, passes: ['shop'] }],
  ['authorization-code-grant', { eras: ERAS, passes: ['shop'] }],
]);
