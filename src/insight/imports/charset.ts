import { AppError } from '../../core/errors.ts';

/** How a file says its text is spelt. Null: not said, so it is found out. `latin1` is read as Windows-1252, as browsers do. */
export type Charset = 'utf-8' | 'latin1' | null;

/** Turns the bytes of a file into text, piece by piece. A piece may end inside a character. */
type FileText = {
  /** @throws AppError malformed_file */
  write(bytes: Uint8Array): string;
  /** @throws AppError malformed_file */
  end(): string;
};

const unreadable = (detail: string): AppError => new AppError('malformed_file', detail);

/**
 * Where nothing is said, the first byte beyond ASCII decides: it begins a character of UTF-8, or the file is Latin-1. A file
 * that was UTF-8 until then and breaks later is refused: half of it would be read wrongly.
 */
export function textOf(charset: Charset): FileText {
  if (charset !== null) return decoding(charset);
  let known: FileText | null = null;
  // What precedes the first byte beyond ASCII is the same in both; a byte order mark belongs to its decoder.
  let held: Uint8Array = new Uint8Array();
  const ascii = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  return {
    write(bytes) {
      if (known !== null) return known.write(bytes);
      const all: Uint8Array = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
      if (isUtf16(all)) throw unreadable('The file is UTF-16. Save it as UTF-8.');
      const at = all.findIndex((byte) => byte >= 0x80);
      if (at < 0) {
        held = new Uint8Array();
        return ascii.decode(all, { stream: true });
      }
      const character = characterAt(all, at);
      if (character === 'cut') {
        held = all.slice(at);
        return ascii.decode(all.subarray(0, at), { stream: true });
      }
      known = decoding(character === 'whole' ? 'utf-8' : 'latin1');
      return known.write(all);
    },
    end: () => (known !== null ? known.end() : decoding('latin1').write(held)),
  };
}

function decoding(charset: 'utf-8' | 'latin1'): FileText {
  const decoder = new TextDecoder(charset === 'latin1' ? 'windows-1252' : 'utf-8', { fatal: true, ignoreBOM: false });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
    } catch {
      throw unreadable('The file is not UTF-8.');
    }
  };
  return { write: decode, end: () => decode() };
}

const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

/** Whether the bytes at `at` are a character of UTF-8 (RFC 3629), as far as its first bytes tell. */
function characterAt(bytes: Uint8Array, at: number): 'whole' | 'cut' | 'none' {
  const first = bytes[at] ?? 0;
  const length = first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first <= 0xf4 ? 4 : 0;
  if (length === 0 || first < 0xc2) return 'none';
  const rest = bytes.subarray(at + 1, at + length);
  if (!rest.every((byte) => byte >= 0x80 && byte <= 0xbf)) return 'none';
  return rest.length === length - 1 ? 'whole' : 'cut';
}
