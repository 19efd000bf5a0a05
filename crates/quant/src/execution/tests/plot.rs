//! Small line plots for the docs, as SVG text.

use std::fmt::Write;

const COLOURS: [&str; 4] = ["#1f6feb", "#d1603d", "#2e8b57", "#8250df"];
const LEFT: f64 = 64.0;
const TOP: f64 = 38.0;
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 176.0;

/// A named line through points.
pub(crate) type Line<'a> = (&'a str, Vec<(f64, f64)>);

/// A plot with the range of each axis written at its ends.
pub(crate) fn svg(title: &str, x_axis: &str, y_axis: &str, lines: &[Line<'_>]) -> String {
    let points = || lines.iter().flat_map(|(_, p)| p);
    let range = |of: fn(&(f64, f64)) -> f64| {
        points().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)))
    };
    let ((x0, x1), (y0, y1)) = (range(|p| p.0), range(|p| p.1));
    let x = |v: f64| LEFT + WIDTH * (v - x0) / (x1 - x0);
    let y = |v: f64| TOP + HEIGHT * (1.0 - (v - y0) / (y1 - y0));
    let (right, bottom) = (LEFT + WIDTH, TOP + HEIGHT);
    let mut s = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"640\" height=\"260\" viewBox=\"0 0 640 260\" font-family=\"sans-serif\" \
         font-size=\"11\" fill=\"#444\">\n<rect width=\"640\" height=\"260\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"16\" font-size=\"13\" fill=\"#111\">{title}</text>\n\
         <path d=\"M{LEFT} {TOP}V{bottom}H{right}\" fill=\"none\" stroke=\"#999\"/>\n"
    );
    let label = |s: &mut String, x: f64, y: f64, anchor: &str, text: &str| {
        writeln!(s, "<text x=\"{x:.0}\" y=\"{y:.0}\" text-anchor=\"{anchor}\">{text}</text>").unwrap();
    };
    let short = |v: f64| {
        let text = if v == 0.0 || (0.001..1e5).contains(&v.abs()) { format!("{v:.3}") } else { format!("{v:.1e}") };
        if text.contains('.') && !text.contains('e') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        }
    };
    label(&mut s, LEFT, bottom + 16.0, "start", &short(x0));
    label(&mut s, right, bottom + 16.0, "end", &short(x1));
    label(&mut s, LEFT + WIDTH / 2.0, bottom + 32.0, "middle", x_axis);
    label(&mut s, LEFT - 6.0, bottom, "end", &short(y0));
    label(&mut s, LEFT - 6.0, TOP + 10.0, "end", &short(y1));
    label(&mut s, LEFT, TOP - 4.0, "start", y_axis);
    for (k, (name, line)) in lines.iter().enumerate() {
        let colour = COLOURS[k % COLOURS.len()];
        let mut path = String::new();
        for (n, p) in line.iter().enumerate() {
            write!(path, "{}{:.1} {:.1}", if n == 0 { 'M' } else { 'L' }, x(p.0), y(p.1)).unwrap();
        }
        writeln!(s, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>").unwrap();
        let at = TOP + 12.0 + 16.0 * k as f64;
        writeln!(s, "<text x=\"{}\" y=\"{at}\" fill=\"{colour}\">{name}</text>", right + 10.0).unwrap();
    }
    s.push_str("</svg>\n");
    s
}
