/** How the shop is drawn on the pages. */

export const look = {
  thing:
    '<path d="M12 4.2C13 7 19 7 20 4.2L23.6 5.5C25.4 6.1 26.6 7.2 27.4 8.9L30.6 15.8 25.2 18.7 23.8 16V27.9Q16 29.3 8.2 27.9V16L6.8 18.7 1.4 15.8 4.6 8.9C5.4 7.2 6.6 6.1 8.4 5.5Z"/>',
  star: '<path class="star" d="M16 11.4L17.8 14.8L21.5 15.4L18.9 18.1L19.4 21.9L16 20.2L12.6 21.9L13.1 18.1L10.5 15.4L14.2 14.8ZM15.2 11.6a0.8 0.8 0 1 1 1.7 0a0.8 0.8 0 1 1 -1.7 0ZM20.5 15.5a0.8 0.8 0 1 1 1.7 0a0.8 0.8 0 1 1 -1.7 0ZM18.4 21.7a0.8 0.8 0 1 1 1.7 0a0.8 0.8 0 1 1 -1.7 0ZM11.9 21.7a0.8 0.8 0 1 1 1.7 0a0.8 0.8 0 1 1 -1.7 0ZM9.9 15.5a0.8 0.8 0 1 1 1.7 0a0.8 0.8 0 1 1 -1.7 0Z"/>',
  hero: {
    light: '/shirt-black.svg',
    dark: '/shirt-white.svg',
    alt: 'A T-shirt with a deputy’s star. It says: My deputy bought me this shirt.',
  },
  scene: {
    did: [
      { what: '2 blue shirts', sum: '$50', tint: 'blue' },
      { what: '1 white shirt', sum: '$25', tint: 'white' },
    ],
    tried: '50 shirts',
  },
};
