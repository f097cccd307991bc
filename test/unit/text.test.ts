/** What counts as text that a person can see: every code point of the kinds that are drawn as nothing. */
import { expect, test } from 'vitest';
import { displayName, quoted, seen, visible } from '../../src/text.ts';

function range(from: number, to = from): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

const KINDS: [string, number[]][] = [
  ['tags', range(0xe0000, 0xe007f)],
  ['variation selectors', [...range(0xfe00, 0xfe0f), ...range(0xe0100, 0xe01ef)]],
  ['Mongolian variation selectors', [...range(0x180b, 0x180f)]],
  ['the rest of the ignorable plane', [...range(0xe0080, 0xe00ff), ...range(0xe01f0, 0xe0fff)]],
  ['zero width characters and joiners', [...range(0x200b, 0x200f), 0xfeff, 0x2060]],
  ['bidirectional controls', [...range(0x202a, 0x202e), ...range(0x2066, 0x2069), 0x061c]],
  ['invisible operators', range(0x2061, 0x206f)],
  ['soft hyphen and grapheme joiner', [0x00ad, 0x034f]],
  ['Hangul fillers', [0x115f, 0x1160, 0x3164, 0xffa0]],
  ['Khmer vowels that are not drawn', [0x17b4, 0x17b5]],
  ['the Khitan filler, the Braille blank and the null notehead', [0x16fe4, 0x2800, 0x1d159]],
  ['shorthand and musical format controls', [...range(0x1bca0, 0x1bca3), ...range(0x1d173, 0x1d17a)]],
  ['reserved ignorables and annotations', range(0xfff0, 0xfffb)],
  [
    'noncharacters',
    [
      ...range(0xfdd0, 0xfdef),
      ...range(0, 16).flatMap((plane) => range(plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff)),
    ],
  ],
];

test.each(KINDS)('%s are taken out, wherever they stand, and alone they are no name', (_, codes) => {
  for (const code of codes) {
    const character = String.fromCodePoint(code);
    const what = `U+${code.toString(16)}`;
    expect(seen(`${character}A${character}${character}B\n${character}`), what).toBe('AB\n');
    expect(visible(` ${character} A${character}B ${character}`), what).toBe('AB');
    expect(displayName(character.repeat(3)), what).toBe('An app without a name');
    expect(displayName(`Cl${character}aude`), what).toBe('Claude');
  }
});

test('no code point of Unicode is ignorable by default and seen', () => {
  const kept = range(0, 0x10ffff).filter((code) => {
    const character = String.fromCodePoint(code);
    return /\p{DI}/u.test(character) && seen(character) !== '';
  });
  expect(kept).toEqual([]);
});

test('control characters and separators stay out of a line, and ill-formed text is made well-formed', () => {
  for (const code of [...range(0, 0x1f), ...range(0x7f, 0x9f), 0x2028, 0x2029])
    expect(visible(`A${String.fromCodePoint(code)}B`)).toBe('AB');
  expect(visible('A\ud800B')).toBe('A\ufffdB');
  expect(displayName('\udc00Claude')).toBe('\ufffdClaude');
});

test('what people read stays as it is', () => {
  for (const text of ['Łódź', '株式会社', 'שלום', 'नमस्ते', 'ไทย', '한글', '👋', '€ & “x” – 1', 'e\u0301', '\u0600١'])
    expect(visible(text)).toBe(text);
  expect(seen('12 St James’s Square\r\nLondon')).toBe('12 St James’s Square\r\nLondon');
});

test.each(['', '   ', '\u00a0\u3000', '\u0301\u0301', '\u200b\u0336', '\u0000'])('%j is no name', (name) => {
  expect(displayName(name)).toBe('An app without a name');
});

test('a name is 60 characters long at most, and the quotation of one 40, in quotes that it cannot end', () => {
  expect(displayName('x'.repeat(60))).toBe('x'.repeat(60));
  expect(displayName('👋'.repeat(61))).toBe(`${'👋'.repeat(60)}…`);
  expect(quoted('x'.repeat(40))).toBe(`"${'x'.repeat(40)}"`);
  expect(quoted('x'.repeat(41))).toBe(`"${'x'.repeat(40)}…"`);
  expect(quoted('a", b\\\n\u2028c\u{e0041}')).toBe('"a\\", b\\\\c"');
});
