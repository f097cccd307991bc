/** The last day at a glance: a lane for each deputy, a bar for each hour, refusals on top in red, pauses shaded across. */
import type { FC } from 'hono/jsx';
import { type Activity, HOUR, HOURS } from '../authority/activity.ts';

const [BAR, HEIGHT, LANES_SHOWN] = [24, 48, 6];

export const ActivityChart: FC<{ activity: Activity; nameOf: (deputyId: string) => string }> = ({
  activity: { since, lanes, pauses },
  nameOf,
}) => {
  const most = Math.max(1, ...lanes.flatMap(({ hours }) => hours.map(({ allowed, refused }) => allowed + refused)));
  const x = (at: number) => (Math.max(at - since, 0) / HOUR) * BAR;
  return (
    <figure class="chart">
      <figcaption>
        <span class="key">carried out</span> <span class="key refused">refused</span>{' '}
        <span class="key pause">paused</span> · from {clock(since)} UTC to now, by the hour
      </figcaption>
      {lanes.length === 0 && <p class="muted">No calls in the last 24 hours.</p>}
      {lanes.slice(0, LANES_SHOWN).map(({ deputyId, hours, allowed, refused }) => {
        const words = `${nameOf(deputyId)}: ${allowed} carried out, ${refused} refused`;
        return (
          <>
            <p class="lane">
              <bdi>{words}</bdi>
            </p>
            <svg role="img" aria-label={`${words}, in the last 24 hours`} viewBox={`0 0 ${HOURS * BAR} ${HEIGHT + 2}`}>
              {pauses.map(({ from, to }) => (
                <rect class="pause" x={x(from)} y="0" width={Math.max(x(to) - x(from), 2)} height={HEIGHT} />
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
      {lanes.length > LANES_SHOWN && <p class="muted">And {lanes.length - LANES_SHOWN} quieter ones.</p>}
    </figure>
  );
};

function clock(at: number): string {
  return new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}
