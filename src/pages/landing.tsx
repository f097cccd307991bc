/** The landing page: what this is, the address to give to an MCP client, and the brake to try. */
import type { FC } from 'hono/jsx';
import { domain } from '../domain.ts';
import type { Brief } from '../tools/define-domain.ts';
import { AddressCode } from './address-code.tsx';
import { Icon, Thing } from './icons.tsx';
import { Copy, Layout, Notice, ToConsole } from './layout.tsx';
import { waysTo } from './ways.tsx';

/** `signIn` is where people sign in; `local` when that is on this server. */
export const LandingPage: FC<{ origin: string; signIn: { name: string; local: boolean } }> = ({ origin, signIn }) => {
  const address = `${origin}/mcp`;
  return (
    <Layout
      title="Deputies, not users"
      kind="landing"
      nav={<ToConsole class="me" />}
      foot={
        <>
          <a href="/how">How it works</a>
          <span>Streamable HTTP with OAuth. People sign in at {signIn.name}.</span>
        </>
      }
    >
      <section class="hero">
        <div>
          <h1>
            <span class="blank">An agent is</span> <span class="blank">not a user.</span>{' '}
            <span class="blank">It is a deputy.</span>
          </h1>
          <p class="lead">
            {domain.about} Each acts for one person, within what that person signed, until that person says stop.
          </p>
          <Copy text={address} what="the address" big />
          <p class="keys">
            <a class="key ink" href="/deputies">
              Your deputies <Icon of="next" />
            </a>{' '}
            <span class="small quiet">Give the address to your agent. It comes here to ask you.</span>
          </p>
          <AddressCode origin={origin} />
        </div>
        <div class="scene">
          <Hero />
          <Toy />
        </div>
      </section>
      <section class="band">
        <h2 class="hidden">Three steps</h2>
        <ol class="steps" role="list">
          <li>
            <h3>It asks</h3>
            <p>Your agent comes here and asks to act for you. You see who it is, or that nobody can tell.</p>
          </li>
          <li>
            <h3>You sign</h3>
            <p>You write how much, how often and until when. It can never give itself more.</p>
          </li>
          <li>
            <h3>You can stop it</h3>
            <p>One key stops every deputy at its very next call. Each act is on record, with who allowed it.</p>
          </li>
        </ol>
      </section>
      <section class="band">
        <h2 id="connect">Connect a deputy</h2>
        <div class="tabs" role="group" aria-labelledby="connect">
          {waysTo(address).map(({ name, copy, what, text }, index) => (
            <>
              <label class="key">
                <input class="hidden" type="radio" name="way" checked={index === 0} />
                {name}
              </label>
              <section class="way sheet">
                <h3>{name}</h3>
                <Copy text={copy} what={what} />
                <p>{text}</p>
              </section>
            </>
          ))}
        </div>
      </section>
      {signIn.local && (
        <Notice icon="key">
          <strong>This server runs on {signIn.name}.</strong> Any e-mail address signs in, without a password.{' '}
          <a href="/local-authkit">What it recorded</a>
        </Notice>
      )}
    </Layout>
  );
};

const Hero: FC = () =>
  domain.look && (
    <picture>
      <source srcset={domain.look.hero.dark} media="(prefers-color-scheme: dark)" />
      <img src={domain.look.hero.light} alt={domain.look.hero.alt} width="480" height="480" />
    </picture>
  );

const SCENE = domain.look?.scene ?? { did: [{ what: '' }], tried: 'too much' };

/** The console in small: a tick behind the key stops it, without script. */
const Toy: FC = () => (
  <div class="toy sheet">
    <div class="top">
      <span class="on">Two at work</span>
      <span class="off word">STOPPED</span>
      <span class="seat">
        <input class="hidden" type="checkbox" id="toy" />
        <label class="stop" for="toy">
          <Icon of="stop" />
          <span class="on">Stop all</span>
          <span class="off">Go on</span>
        </label>
      </span>
    </div>
    <ol class="stream" role="list">
      <Tried who="Claude" what={`${domain.act.verb} ${SCENE.did[0]?.what ?? ''}`} stopped />
      <Tried who="Laptop agent" what="say pretty please" stopped />
      <Tried who="Laptop agent" what="look around" stopped />
      <Did who="Claude" brief={SCENE.did[0]} />
      <Tried who="Laptop agent" what={`${domain.act.verb} ${SCENE.tried}`} />
      <Did who="Laptop agent" brief={SCENE.did[1] ?? SCENE.did[0]} />
    </ol>
  </div>
);

const Tried: FC<{ who: string; what: string; stopped?: boolean }> = ({ who, what, stopped }) => (
  <li class={stopped ? 'no stopped off' : 'no on'}>
    <Icon of={stopped ? 'lock' : 'cross'} class="mid" />
    <p>
      <b>{who}</b> tried to <b>{what}</b>
    </p>
    <b class="stamp">Refused</b>
  </li>
);

const Did: FC<{ who: string; brief: Brief | undefined }> = ({ who, brief }) => (
  <li class="buy on">
    <Thing class={brief?.tint ?? ''} />
    <p>
      <b>{who}</b> {domain.act.did} <b>{brief?.what}</b>
    </p>
    <span class="sum num">{brief?.sum}</span>
  </li>
);
