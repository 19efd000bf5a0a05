'use strict';
const root = document.documentElement;
const dark = window.matchMedia('(prefers-color-scheme: dark)');
root.dataset.theme = dark.matches ? 'dark' : 'light';
const data = JSON.parse(document.getElementById('data').textContent);
const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

function draw() {
  const narrow = window.innerWidth < 760;
  const axis = { gridcolor: colour('--line'), zerolinecolor: colour('--soft'), linecolor: colour('--line'), automargin: true };
  const layout = (y) => ({
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', margin: { l: narrow ? 44 : 60, r: 10, t: 8, b: 32 },
    font: { family: 'system-ui, sans-serif', size: narrow ? 11 : 13, color: colour('--soft') },
    hovermode: 'x unified', hoverlabel: { bgcolor: colour('--card'), bordercolor: colour('--line'), font: { color: colour('--ink') } },
    legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { color: colour('--ink') } },
    dragmode: narrow ? false : 'zoom',
    xaxis: Object.assign({}, axis, { showgrid: false }), yaxis: Object.assign({}, axis, y),
  });
  const line = (y, name, c) => ({ x: data.date, y, name, type: 'scatter', mode: 'lines', line: { width: 1.6, color: colour(c) } });
  const options = { responsive: true, displaylogo: false, displayModeBar: false };
  Plotly.react('growth', [line(data.a, 'A', '--accent'), line(data.b, 'B', '--second')], layout({ type: 'log', hoverformat: '.3f' }), options);
  const area = Object.assign(line(data.over, 'A over B', '--accent'), { fill: 'tozeroy', fillcolor: colour('--accent') + '2e' });
  Plotly.react('over', [area], Object.assign(layout({ tickformat: '.0%', hoverformat: '.1%' }), { showlegend: false }), options);
}

document.getElementById('theme').addEventListener('click', () => {
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  draw();
});
window.addEventListener('beforeprint', () => { root.dataset.theme = 'light'; draw(); });
dark.addEventListener('change', (e) => { root.dataset.theme = e.matches ? 'dark' : 'light'; draw(); });
draw();
