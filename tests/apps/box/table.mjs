// What came of it, as a table in Markdown.

export function table(rows) {
  const lines = rows.flatMap((row) => {
    const steps = row.steps.map((step) => [step.text, step.passed ? 'passed' : 'FAILED']);
    const outside = row.failure && steps.every(([, result]) => result === 'passed');
    if (outside) steps.push([firstLine(row.failure), 'FAILED']);
    return steps.map(([text, result], at) => (at === 0 ? [row.name, row.version, text, result] : ['', '', text, result]));
  });
  return ['app|version|tried|result', '---|---|---|---', ...lines.map((cells) => cells.map(escaped).join('|'))]
    .map((line) => `| ${line.replaceAll('|', ' | ')} |`)
    .join('\n');
}

const firstLine = (error) => String(error.message ?? error).split('\n')[0];

const escaped = (text) => String(text).replaceAll('|', '/');
