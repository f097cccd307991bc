/** The pages that hold all of what the overview shows the first of: every deputy, every order. */
import type { FC } from 'hono/jsx';
import { isLive, type NumberedOrder, type Standing } from '../authority/view.ts';
import { formatPrice } from '../shop/catalog.ts';
import { minute } from '../text.ts';
import { DeputyTable, namesOf } from './deputy-card.tsx';
import { Frame, type Looking } from './frame.tsx';

export const DeputiesPage: FC<Looking & { standing: Standing }> = ({ standing, ...looking }) => {
  const live = standing.deputies.filter(isLive);
  const ended = standing.deputies.filter((deputy) => !isLive(deputy));
  const shown = { standing, nameOf: namesOf(standing.deputies) };
  return (
    <Frame {...looking} title="Every deputy" paused={standing.account.authority === 'paused'}>
      <h2>Acting for you: {live.length}</h2>
      {live.length > 0 && <DeputyTable {...shown} deputies={live} label="Acting for you" />}
      <h2>No longer acting for you: {ended.length}</h2>
      {ended.length > 0 && <DeputyTable {...shown} deputies={ended} label="No longer acting for you" />}
      <Back />
    </Frame>
  );
};

/** `older` is what to pass as `before` for the page after this one. */
export const OrdersPage: FC<Looking & { orders: NumberedOrder[]; older: number | undefined; first: boolean }> = ({
  orders,
  older,
  first,
  ...looking
}) => (
  <Frame {...looking} title="Orders">
    {orders.length === 0 && <p class="muted">{first ? 'None yet.' : 'No older ones.'}</p>}
    {orders.length > 0 && <OrderTable orders={orders} />}
    <p class="actions">
      {!first && <a href="/deputies/orders">Newest</a>}
      {older !== undefined && <a href={`/deputies/orders?before=${older}`}>Older</a>}
    </p>
    <Back />
  </Frame>
);

export const OrderTable: FC<{ orders: NumberedOrder[] }> = ({ orders }) => (
  <div class="scroll" tabindex={0} role="region" aria-label="Orders">
    <table>
      <tr>
        <th>Number</th>
        <th>Ordered</th>
        <th>What</th>
        <th>Total</th>
        <th>Status</th>
        <th>Order</th>
      </tr>
      {orders.map((order) => (
        <tr>
          <td>{order.number}</td>
          <td>{minute(order.orderDate)}</td>
          <td>
            {order.quantity} {order.color} {order.tshirtSize}, <bdi>{order.company}</bdi>
          </td>
          <td>{formatPrice(order.total)}</td>
          <td>{order.status}</td>
          <td>
            <code>{order.id}</code>
          </td>
        </tr>
      ))}
    </table>
  </div>
);

const Back: FC = () => (
  <a class="button" href="/deputies">
    To your deputies
  </a>
);
