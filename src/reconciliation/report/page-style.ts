import { createHash } from 'node:crypto';

/**
 * How the report looks. On a narrow screen each row of a wide table becomes a block with its columns' titles, so that nothing
 * runs off the page; on paper it is black on white, and no row is cut in two.
 */
export const pageStyle = `
:root { color-scheme: light dark; --line: #8a8f98; --soft: #f1f3f5; --bad: #a40018; --good: #0b6b34; }
@media (prefers-color-scheme: dark) {
  :root { --line: #6b7280; --soft: #24272c; --bad: #ff8a94; --good: #6fd195; }
}
* { box-sizing: border-box; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 90rem; padding: 1.5rem; }
h1 { font-size: 1.75em; line-height: 1.2; margin: 0 0 0.5rem; }
h2 { border-top: 2px solid var(--line); font-size: 1.375em; margin: 2.5rem 0 0; padding-top: 1rem; }
h1, h2, tbody th, li { overflow-wrap: anywhere; }
.alert, .good { border-left: 0.375rem solid var(--good); padding: 0.25rem 0 0.25rem 1rem; }
.alert { border-color: var(--bad); }
.alert p { color: var(--bad); font-weight: 600; margin: 0; }
.alert ul { margin: 0; padding-left: 1.25rem; }
table { border-collapse: collapse; margin: 0 0 1.5rem; width: 100%; }
caption { font-size: 1.125em; font-weight: 600; padding: 1rem 0 0.5rem; text-align: left; }
th, td { border-bottom: 1px solid var(--line); padding: 0.375rem 0.5rem; text-align: left; vertical-align: top; }
thead th { vertical-align: bottom; }
tbody th { font-weight: 400; }
.number { font-variant-numeric: tabular-nums; text-align: right; }
td.number { white-space: nowrap; }
small { display: block; font-size: 0.8125em; }
em { font-style: italic; }
.ledger { max-width: 46rem; }
.part th { padding-left: 2rem; }
.sum th, .sum td { background: var(--soft); font-weight: 600; }
.sum.wrong td { color: var(--bad); }
@media screen and (max-width: 75rem) {
  body { padding: 1rem; }
  .summary, .summary tbody, .summary tr, .summary th, .summary td,
  .accounts, .accounts tbody, .accounts tr, .accounts th, .accounts td, .summary caption, .accounts caption { display: block; }
  .summary thead, .accounts thead { display: none; }
  .summary tr, .accounts tr { border-bottom: 2px solid var(--line); padding: 0.5rem 0; }
  .summary th, .summary td, .accounts th, .accounts td { border: 0; padding: 0.125rem 0.25rem; }
  .summary tbody th, .accounts tbody th { font-weight: 600; }
  .summary td, .accounts td { display: flex; gap: 1rem; justify-content: space-between; }
  td::before { content: attr(data-label); text-align: left; white-space: normal; }
  .ledger td::before { content: none; }
  .part th { padding-left: 1.25rem; }
}
@page { margin: 12mm; size: A4 landscape; }
@media print {
  :root { color-scheme: light; --line: #555; --soft: #eee; --bad: #a40018; --good: #0b6b34; }
  body { font-size: 9pt; max-width: none; padding: 0; }
  tr, caption { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  th, td { padding: 0.2rem 0.35rem; }
  .sum th, .sum td { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;

const hash = createHash('sha256').update(pageStyle).digest('base64');

/** What a browser may do with the page, which is to show it in this style. As a meta element and as a header. */
export const pagePolicy = `default-src 'none'; style-src 'sha256-${hash}'`;
