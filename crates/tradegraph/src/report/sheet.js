'use strict';
const root = document.documentElement;
const dark = window.matchMedia('(prefers-color-scheme: dark)');
root.dataset.theme = dark.matches ? 'dark' : 'light';
const plots = JSON.parse(document.getElementById('data').textContent);

// Names of the page's colours become colours; two digits behind a slash are the opacity.
function coloured(value) {
  if (typeof value === 'string' && value.startsWith('--')) {
    const [name, opacity] = value.split('/');
    return getComputedStyle(root).getPropertyValue(name).trim() + (opacity || '');
  }
  if (Array.isArray(value)) return value.map(coloured);
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v)]));
  return value;
}

function draw() {
  const narrow = window.innerWidth < 760;
  const axis = { gridcolor: '--line', zerolinecolor: '--line', linecolor: '--line', tickcolor: '--line', automargin: true };
  for (const plot of plots) {
    const { xaxis, yaxis, ...rest } = plot.layout;
    const layout = coloured(Object.assign({
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      font: { family: 'system-ui, sans-serif', size: narrow ? 11 : 13, color: '--soft' },
      margin: { l: narrow ? 44 : 60, r: 10, t: 8, b: 40 },
      hoverlabel: { bgcolor: '--card', bordercolor: '--line', font: { color: '--ink' } },
      legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { color: '--ink' } },
      dragmode: narrow ? false : 'zoom',
      xaxis: Object.assign({}, axis, { showgrid: false }, xaxis), yaxis: Object.assign({}, axis, yaxis),
    }, rest));
    Plotly.react(plot.id, coloured(plot.traces), layout, { responsive: true, displaylogo: false, displayModeBar: false });
  }
}

document.getElementById('theme').addEventListener('click', () => {
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  draw();
});
dark.addEventListener('change', (e) => { root.dataset.theme = e.matches ? 'dark' : 'light'; draw(); });
draw();
