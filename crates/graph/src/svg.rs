//! Drawings of a compiled graph as SVG: layers from top to bottom by the longest way from START, nodes of a layer
//! ordered so that few lines cross, long lines led between nodes. Everything is computed in a fixed order from whole
//! numbers, so equal graphs give equal bytes.

mod layout;

use crate::bits;
use crate::run::Compiled;
use layout::{Drawn, Layout};
use std::fmt::Write;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Edge,
    Join,
    Choice,
}

/// A line between boxes.
#[derive(Clone, Debug)]
struct Line {
    from: usize,
    to: usize,
    style: Style,
    label: String,
}

/// A node, START or END.
#[derive(Clone, Debug)]
struct Shape {
    text: String,
    once: bool,
    deferred: bool,
    /// START or END.
    end: bool,
}

/// Half of a character's width at the size of the text below, and the height of a box.
const HALF_LETTER: i64 = 4;
const HEIGHT: i64 = 34;

impl Shape {
    fn width(&self) -> i64 {
        2 * HALF_LETTER * self.text.chars().count() as i64 + 28
    }
}

impl<C> Compiled<C> {
    /// The flow of control as a picture: an `<svg>` element of its own size that stands alone as a file or inside a
    /// page, in light or dark surroundings. A solid line is an edge, a thick one a join (waits for all its beginnings),
    /// a dashed one an option of a route, a goto, packets or an error handler, with its label. A double border is a
    /// node that runs at most once a run, a dashed border a deferred one.
    #[must_use]
    pub fn svg(&self) -> String {
        let (shapes, lines) = self.picture();
        let widths: Vec<i64> = shapes.iter().map(Shape::width).collect();
        let layout = Layout::new(&widths, &lines.iter().map(|l| (l.from, l.to)).collect::<Vec<_>>());
        let mut out = String::new();
        // Writing to a String cannot fail, here and below.
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tg-graph\" role=\"img\" viewBox=\"0 0 {0} {1}\" \
             width=\"{0}\" height=\"{1}\">\n<title>{2}</title>\n{STYLE}\n",
            layout.width,
            layout.height,
            escaped(&self.plan.name)
        );
        let _ = writeln!(out, "<rect class=\"tg-back\" width=\"{}\" height=\"{}\"/>", layout.width, layout.height);
        for (line, drawn) in lines.iter().zip(&layout.lines) {
            draw_line(&mut out, line, drawn);
        }
        for (shape, (x, y)) in shapes.iter().zip(&layout.places) {
            draw_shape(&mut out, shape, *x, *y);
        }
        // Labels last: nothing covers them.
        for (line, drawn) in lines.iter().zip(&layout.lines).filter(|(l, _)| !l.label.is_empty()) {
            let (x, y) = drawn.label;
            let _ = writeln!(out, "<text class=\"tg-label\" x=\"{x}\" y=\"{y}\">{}</text>", escaped(&line.label));
        }
        out.push_str("</svg>\n");
        out
    }

    /// Boxes: nodes by rank, then START and END; and the lines between them.
    fn picture(&self) -> (Vec<Shape>, Vec<Line>) {
        let n = self.plan.nodes.len();
        let (start, end) = (n, n + 1);
        let mut shapes: Vec<Shape> = (0_u16..)
            .zip(&self.plan.nodes)
            .map(|(rank, node)| Shape {
                text: node.name.clone(),
                once: node.once,
                deferred: bits::has(&self.plan.deferred, rank),
                end: false,
            })
            .collect();
        for text in ["START", "END"] {
            shapes.push(Shape { text: text.to_owned(), once: false, deferred: false, end: true });
        }
        let mut lines = Vec::new();
        let mut add = |from: usize, to: usize, style: Style, label: &str| {
            lines.push(Line { from, to, style, label: label.to_owned() });
        };
        let to_all = |set: &[u64]| bits::members(set).map(usize::from).collect::<Vec<_>>();
        to_all(&self.plan.entry).into_iter().for_each(|to| add(start, to, Style::Edge, ""));
        if self.plan.entry_ends {
            add(start, end, Style::Edge, "");
        }
        let routes = |from: usize, range: std::ops::Range<usize>, add: &mut dyn FnMut(usize, usize, Style, &str)| {
            for route in self.plan.routes.get(range).unwrap_or_default() {
                for (label, target) in route.labels.iter().zip(&route.targets) {
                    add(from, target.map_or(end, usize::from), Style::Choice, label);
                }
            }
        };
        routes(start, self.plan.entry_routes.clone(), &mut add);
        for (from, node) in self.plan.nodes.iter().enumerate() {
            to_all(&node.next).into_iter().for_each(|to| add(from, to, Style::Edge, ""));
            let leads = !bits::is_empty(&node.goes) || !bits::is_empty(&node.sends);
            let last = bits::is_empty(&node.next) && node.joins.is_empty() && node.routes.is_empty() && !leads;
            if node.ends || last {
                add(from, end, Style::Edge, "");
            }
            routes(from, node.routes.clone(), &mut add);
            to_all(&node.goes).into_iter().for_each(|to| add(from, to, Style::Choice, "goto"));
            to_all(&node.sends).into_iter().for_each(|to| add(from, to, Style::Choice, "packets"));
            if let Some(handler) = node.handler {
                add(from, usize::from(handler), Style::Choice, "error");
            }
        }
        for join in &self.plan.joins {
            to_all(&join.members).into_iter().for_each(|from| add(from, usize::from(join.to), Style::Join, ""));
        }
        (shapes, lines)
    }
}

const STYLE: &str = "<style>.tg-graph{color-scheme:light dark;font:13px ui-monospace,monospace;--ink:#1f2933;--back:#fff;\
--box:#eef2f6;--soft:#52606d}@media (prefers-color-scheme:dark){.tg-graph{--ink:#e4e7eb;--back:#14181d;--box:#232a32;\
--soft:#9aa5b1}}.tg-graph text{fill:var(--ink);text-anchor:middle;dominant-baseline:central}.tg-back{fill:var(--back)}\
.tg-box{fill:var(--box);stroke:var(--ink)}.tg-inner{fill:none;stroke:var(--ink)}.tg-line{fill:none;stroke:var(--soft);\
stroke-width:1.4}.tg-join{stroke-width:2.8}.tg-choice{stroke-dasharray:5 4}.tg-tip{fill:var(--soft)}\
.tg-graph .tg-label{font-size:11px;fill:var(--soft);paint-order:stroke;stroke:var(--back);stroke-width:4px}</style>";

fn draw_shape(out: &mut String, shape: &Shape, x: i64, y: i64) {
    let (w, h) = (shape.width(), HEIGHT);
    let (left, top) = (x - w / 2, y - h / 2);
    let round = if shape.end { h / 2 } else { 6 };
    let dashed = if shape.deferred { " stroke-dasharray=\"4 3\"" } else { "" };
    let _ = writeln!(
        out,
        "<rect class=\"tg-box\" x=\"{left}\" y=\"{top}\" width=\"{w}\" height=\"{h}\" rx=\"{round}\"{dashed}/>"
    );
    if shape.once {
        let _ = writeln!(
            out,
            "<rect class=\"tg-inner\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\"/>",
            left + 3,
            top + 3,
            w - 6,
            h - 6
        );
    }
    let _ = writeln!(out, "<text x=\"{x}\" y=\"{y}\">{}</text>", escaped(&shape.text));
}

fn draw_line(out: &mut String, line: &Line, drawn: &Drawn) {
    let class = match line.style {
        Style::Edge => "tg-line",
        Style::Join => "tg-line tg-join",
        Style::Choice => "tg-line tg-choice",
    };
    let _ = writeln!(out, "<path class=\"{class}\" d=\"{}\"/>", drawn.path);
    let (x, y) = drawn.tip;
    let _ = match drawn.sideways {
        false => writeln!(out, "<path class=\"tg-tip\" d=\"M{x} {y}l-5 -9h10z\"/>"),
        true => writeln!(out, "<path class=\"tg-tip\" d=\"M{x} {y}l9 -5v10z\"/>"),
    };
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
