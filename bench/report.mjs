// Medians, spreads and tables.
//
// A machine that is busy with something else slows everybody for a while, so rounds are compared with the same round of another
// worker, a moment earlier, and the median of those ratios is what counts.

// The value at `share` of a sorted list.
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function median(values) {
  return quantile([...values].sort((a, b) => a - b), 0.5);
}

// The median of the rounds' ratios of `name` to `base`, and the quartiles as its spread. `of` says what of a round is compared.
export const ratio = (rounds, name, base, of) => compared(rounds, name, base, (one, other) => of(one) / of(other));

// The same of their differences.
export const difference = (rounds, name, base, of) => compared(rounds, name, base, (one, other) => of(one) - of(other));

function compared(rounds, name, base, how) {
  const all = rounds[name].map((round, at) => how(round, rounds[base][at])).sort((a, b) => a - b);
  return { median: quantile(all, 0.5), low: quantile(all, 0.25), high: quantile(all, 0.75) };
}

export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) => row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join("  ")).join("\n");
}

export function number(value, digits = 0) {
  if (!Number.isFinite(value)) return "-";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function spread({ median, low, high }, digits = 2) {
  if (!Number.isFinite(median)) return "-";
  return `${median.toFixed(digits)} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
}
