/**
 * Draws a ThumbHash (Evan Wallace, evanw.github.io/thumbhash): the few lowest frequencies of a picture, shown until its
 * thumbnail has come. Written for opaque pictures, which is all that the server hashes.
 */

const SIDE = 24;

/**
 * @typedef {[column: number, row: number]} Frequency
 * @typedef {{ mean: number, kept: Frequency[], amplitudes: number[] }} Channel
 */

/** One byte of the hash; what is cut off counts as nothing. @param {Uint8Array} bytes @param {number} at */
const byteOf = (bytes, at) => bytes[at] ?? 0;

/** @param {Uint8Array} bytes @param {number} start @param {number} count @param {number} scale */
function amplitudes(bytes, start, count, scale) {
  return Array.from({ length: count }, (_, each) => {
    const at = start + each;
    return (((byteOf(bytes, 5 + (at >> 1)) >> ((at & 1) << 2)) & 15) / 7.5 - 1) * scale;
  });
}

/**
 * The frequencies that the format keeps of a channel: the triangle below the diagonal, without the mean.
 * @param {number} columns @param {number} rows
 */
function frequencies(columns, rows) {
  /** @type {Frequency[]} */
  const kept = [];
  for (let row = 0; row < rows; row++)
    for (let column = row ? 0 : 1; column * rows < columns * (rows - row); column++) kept.push([column, row]);
  return kept;
}

/** @param {Uint8Array} bytes @returns {Channel[]} */
function read(bytes) {
  const low = byteOf(bytes, 0) | (byteOf(bytes, 1) << 8) | (byteOf(bytes, 2) << 16);
  const high = byteOf(bytes, 3) | (byteOf(bytes, 4) << 8);
  const wide = high >> 15;
  const other = high & 7;
  const shapes = [
    {
      mean: (low & 63) / 63,
      scale: ((low >> 18) & 31) / 31,
      columns: Math.max(3, wide ? 7 : other),
      rows: Math.max(3, wide ? other : 7),
    },
    { mean: ((low >> 6) & 63) / 31.5 - 1, scale: (((high >> 3) & 63) / 63) * 1.25, columns: 3, rows: 3 },
    { mean: ((low >> 12) & 63) / 31.5 - 1, scale: (((high >> 9) & 63) / 63) * 1.25, columns: 3, rows: 3 },
  ];
  let start = 0;
  return shapes.map(({ mean, scale, columns, rows }) => {
    const kept = frequencies(columns, rows);
    const channel = { mean, kept, amplitudes: amplitudes(bytes, start, kept.length, scale) };
    start += kept.length;
    return channel;
  });
}

/**
 * One channel's value at a point between 0 and 1 on both axes.
 * @param {Channel} channel @param {number} x @param {number} y
 */
function valueAt({ mean, kept, amplitudes: each }, x, y) {
  let value = mean;
  kept.forEach(([column, row], index) => {
    value += 2 * (each[index] ?? 0) * Math.cos(Math.PI * column * x) * Math.cos(Math.PI * row * y);
  });
  return value;
}

/**
 * Draw a placeholder into a canvas, which the style sheet stretches over its tile.
 * @param {HTMLCanvasElement} canvas
 * @param {string|null|undefined} placeholder ThumbHash in base64; nothing is drawn of none, or of a damaged one
 */
export function drawPlaceholder(canvas, placeholder) {
  if (!placeholder) return;
  try {
    const channels = read(Uint8Array.from(atob(placeholder), (letter) => letter.charCodeAt(0)));
    canvas.width = canvas.height = SIDE;
    const picture = new ImageData(SIDE, SIDE);
    for (let y = 0; y < SIDE; y++)
      for (let x = 0; x < SIDE; x++) {
        const [l = 0, p = 0, q = 0] = channels.map((channel) => valueAt(channel, (x + 0.5) / SIDE, (y + 0.5) / SIDE));
        const blue = l - (2 / 3) * p;
        const red = (3 * l - blue + q) / 2;
        picture.data.set([255 * red, 255 * (red - q), 255 * blue, 255], 4 * (y * SIDE + x));
      }
    canvas.getContext('2d')?.putImageData(picture, 0, 0);
  } catch {
    canvas.width = canvas.height = 1;
  }
}
