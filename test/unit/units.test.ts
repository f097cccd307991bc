/** What limits count or name: how an amount or a list of names is typed, read by people, and asked for. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isNamed, money, names, things, withArticle } from '../../src/authority/units.ts';

const mails = things('mail', 'mails');
const euros = money('EUR', 'euros', '€');
const domains = names('domain', 'domains', /^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'example.com');

/** Typed by nobody who means an amount. */
const NO_AMOUNTS = ['', ' ', ' 1', '1 ', '-1', '+1', '1e3', '0x10', '٣', '５', '1,000', 'NaN', 'Infinity', 'five', '½'];

test.each([
  [0, '0 mails'],
  [1, '1 mail'],
  [2, '2 mails'],
  [1000, '1,000 mails'],
])('%i things read as %j', (amount, reads) => {
  expect(mails.reads(amount)).toBe(reads);
});

test.each([
  [0, '€0.00'],
  [1, '€0.01'],
  [2500, '€25.00'],
  [250_000_050, '€2,500,000.50'],
])('%i cents read as %j', (cents, reads) => {
  expect(euros.reads(cents)).toBe(reads);
});

test('things are typed as whole numbers, and nothing else is one', () => {
  for (const [typed, amount] of [
    ['0', 0],
    ['7', 7],
    ['007', 7],
    ['999999999', 999_999_999],
  ] as const)
    expect(mails.read(typed)).toBe(amount);
  for (const typed of [...NO_AMOUNTS, '1.5', '1.0', '1234567890', '€1'])
    expect([typed, mails.read(typed)]).toEqual([typed, undefined]);
});

test('money is typed with its sign or without, in whole or with one or two decimals, and counted in its smallest coin', () => {
  for (const [typed, cents] of [
    ['0', 0],
    ['99', 9900],
    ['99.5', 9950],
    ['€99.50', 9950],
    ['0.01', 1],
    // Not whole cents in binary floating point.
    ['1.15', 115],
    ['8.20', 820],
    ['297.29', 29_729],
    ['999999999.99', 99_999_999_999],
  ] as const)
    expect([typed, euros.read(typed)]).toEqual([typed, cents]);
  for (const typed of [...NO_AMOUNTS, '1.234', '.5', '5.', '$5', '€', '€€5', '5€', '1234567890'])
    expect([typed, euros.read(typed)]).toEqual([typed, undefined]);
});

test('a sign of several characters is taken off, and off the front alone', () => {
  const francs = money('CHF', 'francs', 'Fr.');
  expect(francs.read('Fr.5')).toBe(500);
  expect(francs.read('F5')).toBeUndefined();
  expect(francs.read('5Fr.')).toBeUndefined();
});

test('whatever amount stands in a blank is read back as it was', () => {
  fc.assert(
    fc.property(fc.nat(99_999_999), (amount) => {
      for (const unit of [mails, euros]) expect(unit.read(unit.write(amount))).toBe(amount);
    }),
  );
});

test('what to type is said with its bounds', () => {
  expect(mails.ask(0, 1000)).toBe('Enter a whole number from 0 to 1000.');
  expect(euros.ask(1, 250_050)).toBe('Enter an amount in euros from 0.01 to 2500.50, such as 100 or 99.50.');
  expect(domains.ask(3)).toBe('Enter a domain, or up to 3 domains with commas between them, such as example.com.');
  expect(names('address', 'addresses', /^\S+$/, 'ada').ask(3)).toMatch(/^Enter an address, /);
});

test('a word has the article that its first letter asks for', () => {
  expect(['mail', 'order', 'Address', 'booking', ''].map(withArticle)).toEqual([
    'a mail',
    'an order',
    'an Address',
    'a booking',
    'a ',
  ]);
});

test.each([
  ['example.com', ['example.com']],
  ['a.example, b.example', ['a.example', 'b.example']],
  ['a.example b.example\nc.example\t,,d.example', ['a.example', 'b.example', 'c.example', 'd.example']],
  [' ,a.example, ', ['a.example']],
  ['Example.COM', ['example.com']],
  ['b.example, a.example, B.EXAMPLE, b.example', ['b.example', 'a.example']],
])('the names %j are read in lower case, each once, in their order', (typed, read) => {
  expect(domains.read(typed)).toEqual(read);
});

test('where one name is wrong, or none is typed, nothing is read', () => {
  for (const typed of [
    '',
    ' ',
    ',',
    ' , ,',
    'example',
    'a.example; b.example',
    'ada@a.example',
    '.example',
    'ä.example',
  ])
    expect([typed, domains.read(typed)]).toEqual([typed, undefined]);
  expect(domains.read('a.example, example')).toBeUndefined();
  expect(domains.read('a.example, constructor')).toBeUndefined();
});

test('names read as a choice', () => {
  expect(domains.reads(['a.example'])).toBe('a.example');
  expect(domains.reads(['a.example', 'b.example'])).toBe('a.example or b.example');
  expect(domains.reads(['a.example', 'b.example', 'c.example'])).toBe('a.example, b.example, or c.example');
});

test('whatever names were read are written so that they are read again', () => {
  const name = fc.stringMatching(/^[a-zA-Z0-9-]{1,8}\.[a-zA-Z0-9-]{1,8}$/);
  const separator = fc.constantFrom(',', ' ', ', ', '\n', ' ,, ');
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 6 }), separator, (typed, between) => {
      const read = domains.read(typed.join(between));
      expect(read).toEqual([...new Set(typed.map((each) => each.toLowerCase()))]);
      expect(domains.read(domains.write(read ?? []))).toEqual(read);
    }),
  );
});

test('a pattern that remembers where it was does not refuse every other name', () => {
  const sticky = names('word', 'words', /^[a-z]+$/g, 'word');
  for (const _ of [1, 2, 3]) expect(sticky.read('one, two')).toEqual(['one', 'two']);
});

test('names are told from amounts', () => {
  expect([mails, euros, domains].map((unit) => isNamed(unit))).toEqual([false, false, true]);
});
