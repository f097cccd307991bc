/** The last quarter of an hour: a lane for each deputy, and the stop as a curtain over all of them. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import { type Lane, quietLane, type Recent, STEP_MS, STEPS } from '../ledger/recent.ts';
import { isolated } from '../text.ts';
import type { NameOf } from './in-short.tsx';

const WIDTH = 10;

/** Lanes that fit beside the record. */
const LANES_SHOWN = 4;

/** `deputies` have a lane even when they did nothing. */
export const Strip: FC<{ recent: Recent; deputies: readonly string[]; nameOf: NameOf }> = ({
  recent: { since, lanes, stops },
  deputies,
  nameOf,
}) => {
  const ids = [...new Set([...lanes.map(({ deputyId }) => deputyId), ...deputies])].slice(0, LANES_SHOWN);
  const shown = ids.map((id) => lanes.find(({ deputyId }) => deputyId === id) ?? quietLane(id));
  const others = lanes.length - LANES_SHOWN;
  return (
    <section class="strip sheet" aria-label="The last 15 minutes">
      <h2 class="label">Last 15 min</h2>
      <p class="legend quiet">
        <span class="k did">looked</span>
        <span class="k bought">{domain.act.did}</span>
        <span class="k no">refused</span>
        {lanes.some(({ count }) => count.asked > 0) && <span class="k no asked">asked</span>}
        {stops.length > 0 && <span class="k curtain">stopped</span>}
        {others > 0 && <span>and {others} more</span>}
      </p>
      {shown.map((lane) => (
        <>
          <b class="who">
            <bdi>{nameOf(lane.deputyId)}</bdi>
          </b>
          <Drawn lane={lane} name={nameOf(lane.deputyId)} curtains={curtainsOver(lane, stops, since)} />
        </>
      ))}
      <p class="axis" aria-hidden="true">
        <span>15 min ago</span>
        <span>10</span>
        <span>5</span>
        <span>now</span>
      </p>
    </section>
  );
};

/** The steps from the first up to before the last in which that deputy was stopped: whole ones, as the marks are. */
type Curtain = [first: number, end: number];

function curtainsOver({ deputyId }: Lane, stops: Recent['stops'], since: number): Curtain[] {
  return stops
    .filter((stop) => stop.deputyId === undefined || stop.deputyId === deputyId)
    .map(({ from, to }): Curtain => {
      const first = Math.floor((Math.max(from, since) - since) / STEP_MS);
      return [first, Math.max(Math.ceil((to - since) / STEP_MS), first + 1)];
    })
    .filter(([, end]) => end > 0);
}

const Drawn: FC<{ lane: Lane; name: string; curtains: Curtain[] }> = ({ lane, name, curtains }) => (
  <svg
    class="lane"
    viewBox={`0 0 ${STEPS * WIDTH} 24`}
    preserveAspectRatio="none"
    role="img"
    aria-label={`${isolated(name)}: ${inNumbers(lane)}`}
  >
    {curtains.map(([first, end]) => (
      <rect class="curtain" x={String(first * WIDTH)} y="0" width={String((end - first) * WIDTH)} height="24" />
    ))}
    {lane.marks.map(({ step, made, refused, asked, looked }) => {
      const x = step * WIDTH;
      const isHeld = curtains.some(([first, end]) => first <= step && step < end);
      return (
        <>
          {made && <rect class="bought" x={String(x + 1)} y="4" width="8" height="18" />}
          {refused && (
            <rect
              class={isHeld ? 'no held' : 'no'}
              x={String(x + (made ? 4 : 2))}
              y="5"
              width={made ? '5' : '6'}
              height="17"
            />
          )}
          {asked && !made && !refused && <rect class="no asked" x={String(x + 2)} y="11" width="6" height="11" />}
          {looked && !made && !refused && !asked && <rect class="did" x={String(x + 2)} y="17" width="6" height="5" />}
        </>
      );
    })}
  </svg>
);

function inNumbers({ count: { made, refused, asked, looked } }: Lane): string {
  const { noun, nouns } = domain.act;
  const told = [times(looked, 'look', 'looks'), times(made, noun, nouns), times(refused, 'refusal', 'refusals')];
  if (asked > 0) told.push(times(asked, 'question', 'questions'));
  return told.join(', ');
}

function times(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
