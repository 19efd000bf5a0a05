'use strict';
const root = document.documentElement;
const dark = window.matchMedia('(prefers-color-scheme: dark)');
root.dataset.theme = dark.matches ? 'dark' : 'light';
const plots = JSON.parse(document.getElementById('data').textContent);
const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

function layout(extra, narrow) {
  const axis = { gridcolor: colour('--line'), zerolinecolor: colour('--line'), linecolor: colour('--line'), tickcolor: colour('--line'), automargin: true };
  return Object.assign({
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: { family: 'system-ui, sans-serif', size: narrow ? 11 : 13, color: colour('--soft') },
    margin: { l: narrow ? 44 : 60, r: 10, t: 8, b: 32 },
    hovermode: 'x unified', hoverlabel: { bgcolor: colour('--card'), bordercolor: colour('--line'), font: { color: colour('--ink') } },
    legend: { orientation: 'h', x: 0, y: 1.02, yanchor: 'bottom', font: { color: colour('--ink') } },
    dragmode: narrow ? false : 'zoom',
    xaxis: Object.assign({}, axis, { showgrid: false }),
    yaxis: Object.assign({}, axis),
  }, extra);
}

function draw() {
  const narrow = window.innerWidth < 760;
  const options = { responsive: true, displaylogo: false, displayModeBar: false };
  const [account, second, up, down] = ['--accent', '--second', '--up', '--down'].map(colour);
  const line = (trace, c) => Object.assign({}, trace, { line: Object.assign({}, trace.line, { color: c }) });
  const show = (id, traces, extra) => {
    const merged = layout({}, narrow);
    for (const key of Object.keys(extra)) {
      merged[key] = typeof extra[key] === 'object' ? Object.assign({}, merged[key], extra[key]) : extra[key];
    }
    Plotly.react(id, traces, merged, options);
  };
  const values = plots.equity.flatMap((t) => t.y);
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const spread = values.reduce((a, b) => Math.max(a, b), -Infinity) / low;
  show('equity', [line(plots.equity[0], second), line(plots.equity[1], account)], {
    yaxis: { type: low > 0 ? 'log' : 'linear', tickformat: '~s', hoverformat: ',.0f', dtick: spread > 5 ? 'D2' : undefined },
  });
  const fall = line(plots.drawdown[1], account);
  fall.fillcolor = account + '2e';
  show('drawdown', [line(plots.drawdown[0], second), fall], { yaxis: { tickformat: '.0%', hoverformat: '.1%' } });
  if (plots.invested.length) {
    const area = line(plots.invested[0], account);
    area.fillcolor = account + '2e';
    show('invested', [area], { yaxis: { tickformat: '.0%', hoverformat: '.1%', rangemode: 'tozero' }, showlegend: false });
  } else {
    document.getElementById('invested-section').hidden = true;
  }
  const bars = plots.activity.map((t, i) => Object.assign({}, t, { marker: { color: i ? down : up } }));
  show('activity', bars, { barmode: 'relative', bargap: 0.15 });
  const council = plots.council;
  if (council.agents.length) {
    const palette = [account, second, up, down, colour('--third'), colour('--fourth'), colour('--soft')];
    const each = (traces) => traces.map((t, i) => line(t, palette[i % palette.length]));
    const last = council.agents.length - 1;
    show('agents', council.agents.map((t, i) => line(t, i === last ? colour('--soft') : palette[i % palette.length])), { yaxis: { tickformat: '~s', hoverformat: ',.0f' } });
    show('weights', each(council.weights), { yaxis: { hoverformat: '.2f', rangemode: 'tozero' } });
    const order = ['unknown', 'crisis', 'range, volatile', 'range, calm', 'trend, volatile', 'trend, calm'];
    show('regimes', [line(council.regimes[0], account)], { yaxis: { type: 'category', categoryorder: 'array', categoryarray: order }, showlegend: false });
  }
  if (plots.price.length) {
    const marks = plots.price.slice(1).map((t, i) => Object.assign({}, t, { marker: Object.assign({}, t.marker, { color: i ? down : up }) }));
    show('price', [line(plots.price[0], colour('--soft')), ...marks], { hovermode: 'closest' });
  }
}

document.getElementById('theme').addEventListener('click', () => {
  root.dataset.theme = root.dataset.theme === 'dark' ? 'light' : 'dark';
  draw();
});
dark.addEventListener('change', (e) => { root.dataset.theme = e.matches ? 'dark' : 'light'; draw(); });
draw();
