/** The last day at a glance: a lane for each deputy, a bar for each hour, refusals on top and hatched, pauses shaded across. */
import type { FC } from 'hono/jsx';
import { type Activity, HOUR_MS, HOURS } from '../ledger/activity.ts';
import { isolated, toMinute } from '../text.ts';

const [BAR, HEIGHT, LANES_SHOWN] = [24, 48, 6];

export const ActivityChart: FC<{ activity: Activity; nameOf: (deputyId: string) => string }> = ({
  activity: { since, from, lanes, pauses },
  nameOf,
}) => {
  const others = lanes.slice(LANES_SHOWN);
  const most = Math.max(1, ...lanes.flatMap(({ hours }) => hours.map(({ allowed, refused }) => allowed + refused)));
  const x = (at: number) => (Math.max(at - since, 0) / HOUR_MS) * BAR;
  return (
    <figure class="chart">
      <figcaption>
        <span class="key">carried out</span> <span class="key refused">refused</span>{' '}
        <span class="key pause">paused</span> · from {clock(from)} UTC to now, by the hour
        {from > since && '; what was before is in the record, and too much to draw'}
      </figcaption>
      {lanes.length === 0 && <p class="muted">No calls in the last 24 hours.</p>}
      <Hatch />
      {lanes.slice(0, LANES_SHOWN).map(({ deputyId, hours, allowed, refused }) => {
        const counts = `${allowed} carried out, ${refused} refused`;
        return (
          <>
            <p class="lane">
              <bdi>{nameOf(deputyId)}</bdi>: {counts}
            </p>
            <svg
              role="img"
              aria-label={`${isolated(nameOf(deputyId))}: ${counts}`}
              viewBox={`0 0 ${HOURS * BAR} ${HEIGHT + 2}`}
            >
              {pauses.map((pause) => (
                <rect
                  class="pause"
                  x={x(pause.from)}
                  y="0"
                  width={Math.max(x(pause.to) - x(pause.from), 2)}
                  height={HEIGHT}
                />
              ))}
              {hours.map((hour, index) => {
                const [done, stopped] = [(hour.allowed / most) * HEIGHT, (hour.refused / most) * HEIGHT];
                return (
                  <>
                    {done > 0 && (
                      <rect class="allowed" x={index * BAR + 3} y={HEIGHT - done} width={BAR - 6} height={done} />
                    )}
                    {stopped > 0 && (
                      <rect
                        class="refused"
                        fill="url(#hatch)"
                        x={index * BAR + 3}
                        y={HEIGHT - done - stopped}
                        width={BAR - 6}
                        height={stopped}
                      />
                    )}
                  </>
                );
              })}
              <line class="base" x1="0" x2={HOURS * BAR} y1={HEIGHT + 1} y2={HEIGHT + 1} />
            </svg>
          </>
        );
      })}
      {others.length > 0 && <p class="muted">{inWords(others)}</p>}
      {lanes.length > 0 && <InNumbers since={since} lanes={lanes.slice(0, LANES_SHOWN)} nameOf={nameOf} />}
    </figure>
  );
};

/** Told apart from what was carried out by more than its colour. */
const Hatch: FC = () => (
  <svg class="defs" width="0" height="0" aria-hidden="true">
    <pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="refused" width="6" height="6" />
      <rect class="gap" width="2" height="6" />
    </pattern>
  </svg>
);

/** The same for those who do not see the bars. */
const InNumbers: FC<Pick<Activity, 'since' | 'lanes'> & { nameOf: (deputyId: string) => string }> = ({
  since,
  lanes,
  nameOf,
}) => (
  <details id="chart-numbers">
    <summary>In numbers</summary>
    <div class="scroll" tabindex={0} role="region" aria-label="Calls by the hour">
      <table>
        <tr>
          <th>Hour, UTC</th>
          <th>Deputy</th>
          <th>Carried out</th>
          <th>Refused</th>
        </tr>
        {lanes.flatMap(({ deputyId, hours }) =>
          hours.map(
            ({ allowed, refused }, index) =>
              allowed + refused > 0 && (
                <tr>
                  <td>{clock(since + index * HOUR_MS)}</td>
                  <td>
                    <bdi>{nameOf(deputyId)}</bdi>
                  </td>
                  <td>{allowed}</td>
                  <td>{refused}</td>
                </tr>
              ),
          ),
        )}
      </table>
    </div>
  </details>
);

/** What deputies without a bar did together. */
function inWords(lanes: Activity['lanes']): string {
  const sum = (what: 'allowed' | 'refused') => lanes.reduce((total, lane) => total + lane[what], 0);
  const who = lanes.length === 1 ? 'one more deputy' : `${lanes.length} more deputies`;
  return `And ${who}: ${sum('allowed')} carried out, ${sum('refused')} refused.`;
}

function clock(at: number): string {
  return toMinute(new Date(at).toISOString());
}
