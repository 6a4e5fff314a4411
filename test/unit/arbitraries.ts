import fc from 'fast-check';

/** Any string of JavaScript, halves of surrogate pairs included. (`unit: 'binary'` of fast-check takes a second to start.) */
export const anyText = fc
  .array(fc.oneof(fc.integer({ max: 0x7f, min: 0 }), fc.integer({ max: 0xffff, min: 0 })))
  .map((codes) => String.fromCharCode(...codes));
