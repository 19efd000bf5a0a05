'use strict';
const root = document.documentElement;
const dark = window.matchMedia('(prefers-color-scheme: dark)');

// A thick line for every stretch of time in a state, each state on a row of its own.
function bands(steps, states, colours) {
  const rows = states.map((name, i) => ({ x: [], y: [], name, type: 'scatter', mode: 'lines', line: { width: 12, color: colours[i] } }));
  for (let i = 0; i + 1 < steps.x.length; i += 1) {
    const row = rows[states.indexOf(steps.y[i])];
    row.x.push(steps.x[i], steps.x[i + 1], null);
    row.y.push(steps.y[i], steps.y[i], null);
  }
  return rows;
}
root.dataset.theme = dark.matches ? 'dark' : 'light';
const plots = JSON.parse(document.getElementById('data').textContent);
const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

// A plot is drawn when it comes near the screen: a long report opens at once.
const drawings = new Map();
const drawn = new Set();
const bring = (id) => {
  if (!drawn.has(id) && drawings.has(id)) {
    drawn.add(id);
    drawings.get(id)();
  }
};
const near = new IntersectionObserver((seen) => {
  for (const e of seen.filter((e) => e.isIntersecting)) {
    near.unobserve(e.target);
    bring(e.target.id);
  }
}, { rootMargin: '600px' });

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
    drawings.set(id, () => Plotly.react(id, traces, merged, options));
    if (drawn.has(id)) {
      drawings.get(id)();
    } else {
      near.observe(document.getElementById(id));
    }
  };
  const values = plots.equity.flatMap((t) => t.y);
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const spread = values.reduce((a, b) => Math.max(a, b), -Infinity) / low;
  show('equity', [line(plots.equity[0], colour('--fourth')), line(plots.equity[1], second), line(plots.equity[2], account)], {
    yaxis: { type: low > 0 ? 'log' : 'linear', tickformat: '~s', hoverformat: ',.0f', dtick: spread > 5 ? 'D2' : undefined },
  });
  const fall = line(plots.drawdown[1], account);
  fall.fillcolor = account + '2e';
  show('drawdown', [line(plots.drawdown[0], second), fall], { yaxis: { tickformat: '.0%', hoverformat: '.1%' } });
  if (plots.exposure.length) {
    const area = line(plots.exposure[0], second);
    area.fillcolor = second + '22';
    show('exposure', [area, line(plots.exposure[1], account)], { yaxis: { tickformat: '.0%', hoverformat: '.1%', rangemode: 'tozero' } });
    show('turnover', plots.turnover.map((t) => Object.assign({}, t, { marker: { color: account } })), { yaxis: { ticksuffix: ' ×', hoverformat: '.2f' }, bargap: 0.15, showlegend: false });
  }
  if (plots.rolling.length) {
    show('rolling-sharpe', [line(plots.rolling[0], account)], { yaxis: { hoverformat: '.2f', zeroline: true, zerolinecolor: colour('--soft') }, showlegend: true });
    show('rolling-volatility', [line(plots.rolling[1], second)], { yaxis: { tickformat: '.0%', hoverformat: '.1%', rangemode: 'tozero' }, showlegend: true });
  }
  if (document.getElementById('trips') && plots.trips.length) {
    const marks = plots.trips.map((t, i) => Object.assign({}, t, { marker: Object.assign({}, t.marker, { color: i ? down : up, opacity: 0.7 }) }));
    show('trips', marks, {
      hovermode: 'closest',
      xaxis: { title: { text: 'went against the account by (MAE)', font: { size: narrow ? 11 : 13 } }, tickformat: '.0%', hoverformat: '.1%', zeroline: false, showgrid: true },
      yaxis: { title: { text: narrow ? '' : 'ended with', font: { size: 13 } }, tickformat: '.0%', hoverformat: '.1%', zerolinecolor: colour('--soft') },
      margin: { l: narrow ? 44 : 64, r: 10, t: 8, b: 48 },
    });
  }
  const bars = plots.activity.map((t, i) => Object.assign({}, t, { marker: { color: i ? down : up } }));
  show('activity', bars, { barmode: 'relative', bargap: 0.15 });
  const council = plots.council;
  if (council.agents.length) {
    const palette = [account, second, colour('--third'), colour('--fourth'), up, down, colour('--soft')];
    const each = (traces) => traces.map((t, i) => line(t, palette[i % palette.length]));
    const last = council.agents.length - 1;
    show('agents', council.agents.map((t, i) => line(t, i === last ? colour('--soft') : palette[i % palette.length])), { yaxis: { tickformat: '~s', hoverformat: ',.0f' } });
    show('weights', each(council.weights), { yaxis: { hoverformat: '.2f', rangemode: 'tozero' } });
    const order = ['unknown', 'crisis', 'range, volatile', 'range, calm', 'trend, volatile', 'trend, calm'];
    show('regimes', bands(council.regimes[0], order, [colour('--soft'), down, second, account, second, account]), {
      hovermode: 'closest', yaxis: { type: 'category', categoryorder: 'array', categoryarray: order }, showlegend: false,
    });
  }
  if (plots.decision) {
    const d = plots.decision;
    const n = d.names.length;
    const signed = (x) => (x > 0 ? '+' : '') + x.toFixed(2);
    const totals = d.changes.reduce((all, x) => [...all, all[all.length - 1] + x], [0]);
    const [least, most] = [Math.min(...totals), Math.max(...totals)];
    const room = (most - least) * (narrow ? 0.22 : 0.1);
    show('decision', [{
      type: 'waterfall', orientation: 'h', y: [...d.names.keys(), n], x: [...d.changes, d.decided], measure: [...d.names.map(() => 'relative'), 'total'],
      text: [...d.changes, d.decided].map(signed), textposition: 'outside', cliponaxis: false, hovertext: [...d.sentences, 'decided'], hoverinfo: 'text',
      increasing: { marker: { color: up } }, decreasing: { marker: { color: down } }, totals: { marker: { color: account } },
      connector: { line: { color: colour('--soft'), width: 1 } },
    }], {
      hovermode: 'closest', showlegend: false, bargap: 0.35, margin: { l: 44, r: narrow ? 40 : 60, t: 8, b: 32 },
      xaxis: { range: [least - room, most + room], ticksuffix: ' %', zeroline: true, zerolinecolor: colour('--soft'), showgrid: true },
      yaxis: { autorange: 'reversed', tickvals: [...d.names.keys(), n], ticktext: [...d.names.map((t) => (narrow ? t.split(' · ').pop() : t)), 'decided'], showgrid: false, zeroline: false },
    });
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
window.addEventListener('beforeprint', () => { root.dataset.theme = 'light'; draw(); [...drawings.keys()].forEach(bring); });
dark.addEventListener('change', (e) => { root.dataset.theme = e.matches ? 'dark' : 'light'; draw(); });
draw();
