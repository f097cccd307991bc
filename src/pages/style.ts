/** The one stylesheet of the pages. */
export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --page: light-dark(#fbfbf9, #17181b);
  --card: light-dark(#fff, #202226);
  --text: light-dark(#1c1d20, #ececea);
  --muted: light-dark(#5b5f66, #a9adb5);
  --line: light-dark(#d5d6d2, #3c4047);
  --accent: light-dark(#1a4fd0, #8fb4ff);
  --on-accent: light-dark(#fff, #10131a);
  --warning: light-dark(#fff4d6, #3a2f10);
  --warning-line: light-dark(#b07a00, #d9a521);
  --danger: light-dark(#b3001b, #ff6b6b);
  --on-danger: light-dark(#fff, #111);
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 2rem 1rem 4rem; background: var(--page); color: var(--text);
  font: 1.0625rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere;
}
main { max-width: 40rem; margin-inline: auto; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p, ul, ol { margin: 0 0 1rem; }
a { color: var(--accent); }
code { font-family: ui-monospace, monospace; font-size: .93em; }
small, .muted { color: var(--muted); font-size: .93rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.25rem; margin: 0 0 1.25rem; }
.warning { background: var(--warning); border: 1px solid var(--warning-line); border-radius: .6rem; padding: .9rem 1.1rem; margin: 0 0 1.25rem; }
.account { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; margin: 0 0 1.5rem; }
.account form { margin: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: 0; }
dt { color: var(--muted); }
dd { margin: 0; }
fieldset { border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1.1rem; margin: 0 0 1.25rem; background: var(--card); }
legend { font-weight: 600; padding: 0 .4rem; }
label.power { display: grid; grid-template-columns: 1.5rem 1fr; gap: .1rem .5rem; padding: .45rem 0; min-height: 2.75rem; align-items: start; }
label.power input { width: 1.15rem; height: 1.15rem; margin: .2rem 0 0; accent-color: var(--accent); }
input[type=email] { font: inherit; width: 100%; padding: .6rem .7rem; border: 1px solid var(--muted); border-radius: .4rem; background: var(--page); color: inherit; }
.blanks { line-height: 2.5; }
.blank { white-space: nowrap; }
fieldset { min-width: 0; }
.blank input, select, .card input { font: inherit; line-height: 1.3; padding: .3rem .5rem; min-height: 2.2rem; border: 1px solid var(--muted); border-radius: .4rem; background: var(--page); color: inherit; max-width: 100%; }
[aria-invalid] { outline: 2px solid var(--danger); }
.problem { border-left: 4px solid var(--danger); padding: .25rem 0 .25rem .9rem; }
.problem ul { margin: .4rem 0 0; }
h3 { font-size: 1.05rem; margin: 0 0 .5rem; }
.card p:last-child { margin-bottom: 0; }
.timeline { list-style: none; padding: 0; }
.timeline li { padding: .4rem 0 .4rem .8rem; border-left: 4px solid var(--line); margin-bottom: .3rem; }
.timeline .refused { border-left-color: var(--danger); }
.timeline .human { border-left-color: var(--accent); }
.timeline time { color: var(--muted); font-variant-numeric: tabular-nums; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; }
button, .button {
  font: inherit; font-weight: 600; min-height: 2.75rem; padding: .55rem 1.25rem; border-radius: .4rem; cursor: pointer;
  border: 1px solid var(--accent); background: transparent; color: var(--accent); text-decoration: none; display: inline-block;
}
button.primary, .button.primary { background: var(--accent); color: var(--on-accent); }
button.danger { background: var(--danger); border-color: var(--danger); color: var(--on-danger); }
form.card button + p { margin: .75rem 0 0; }
button.link { border: 0; padding: 0; min-height: 0; font-weight: 400; text-decoration: underline; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; font-size: .93rem; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: normal; }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } }
`;
