import * as z from 'zod';

// An address one signs in with is ASCII: two spellings that differ in more than the case of A to Z are two addresses, for
// every counter and every database. `app.fold_address` folds the same letters and nothing else.

const LONGEST = 254;
const ASCII = /^[\x20-\x7e]*$/;
const NOT_ASCII = { message: 'Must be an e-mail address in ASCII.', params: { code: 'invalid_email' } };

const asciiLine = () =>
  z
    .string()
    .trim()
    .max(LONGEST, `Must have at most ${LONGEST} characters.`)
    .refine((text) => ASCII.test(text), { ...NOT_ASCII, abort: true });

/** The address of a user, as they want it written. */
export const userEmail = () => asciiLine().pipe(z.email({ message: 'Must be an e-mail address.' }));

/** An address as somebody types it to sign in: what could never be one is nobody's, and no fault. Answers it folded. */
export const typedEmail = () => asciiLine().transform(foldEmail);

/** An ASCII address as everybody compares it. */
function foldEmail(email: string): string {
  return email.toLowerCase();
}
