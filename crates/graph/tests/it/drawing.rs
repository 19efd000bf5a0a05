//! Drawings, compared with what they looked like when they were checked by eye.

use crate::council::council;
use tradegraph_graph::{Channel, END, GraphBuilder, Limits, START};

#[test]
fn the_council_is_drawn_as_before() {
    let drawing = council(true, &["options_trader"]).0.compile(Limits::default()).unwrap().mermaid();
    assert_eq!(drawing, include_str!("council.mmd"), "the drawing is now:\n{drawing}");
}

#[test]
fn data_flow_and_awkward_names() {
    let mut g = GraphBuilder::<()>::new("data");
    let panel = g.channel("panel", Channel::external());
    let rows = g.channel("rows", Channel::rows());
    let a = crate::idle(&mut g, "say \"a\" #1");
    g.node_mut(a).once().reads(&[panel.id()]).writes(&[rows.id()]);
    g.edge(START, a).edge(a, END);
    let graph = g.compile(Limits::default()).unwrap();
    assert_eq!(
        graph.mermaid_data(),
        "flowchart LR\n    n0[[\"say #quot;a#quot; #35;1\"]]\n    c0[(\"panel (external)\")]\n    \
         c1[(\"rows (rows)\")]\n    c0 --> n0\n    n0 --> c1\n"
    );
    assert_eq!(
        graph.mermaid(),
        "flowchart TD\n    START([START])\n    n0[[\"say #quot;a#quot; #35;1\"]]\n    END([END])\n    \
         START --> n0\n    n0 --> END\n"
    );
}

/// Numbers of an attribute, of all elements of a class.
fn numbers(svg: &str, class: &str, attribute: &str) -> Vec<i64> {
    let of = |line: &str| line.split(&format!(" {attribute}=\"")).nth(1)?.split('"').next()?.parse().ok();
    svg.lines().filter(|l| l.contains(&format!("class=\"{class}\""))).filter_map(of).collect()
}

#[test]
fn a_picture_shows_every_node_and_line_and_no_boxes_overlap() {
    let graph = council(true, &[]).0.compile(Limits::default()).unwrap();
    let svg = graph.svg();
    assert_eq!(svg, council(true, &[]).0.compile(Limits::default()).unwrap().svg());
    for name in crate::council::NAMES.iter().chain(&["START", "END", "risk_check", "execute", "learn"]) {
        assert!(svg.contains(&format!(">{name}</text>")), "{name} is missing");
    }
    // 2 joins to momentum, 1 to the short seller and 5 to the allocator, 5 edges from START and the ingestor, one from the
    // risk manager, one from the execution engine, one to END; 3 options.
    assert_eq!(svg.matches("tg-line tg-join\"").count(), 8);
    assert_eq!(svg.matches("class=\"tg-line\"").count(), 8);
    assert_eq!(svg.matches("tg-line tg-choice\"").count(), 3);
    assert_eq!(svg.matches("class=\"tg-inner\"").count(), 4, "those that run at most once");
    let [x, y, w, h] = ["x", "y", "width", "height"].map(|a| numbers(&svg, "tg-box", a));
    assert_eq!(x.len(), 13);
    let (width, height) = (numbers(&svg, "tg-back", "width")[0], numbers(&svg, "tg-back", "height")[0]);
    for a in 0..x.len() {
        assert!(x[a] >= 0 && y[a] >= 0 && x[a] + w[a] <= width && y[a] + h[a] <= height, "box {a} is outside");
        for b in 0..a {
            let apart = x[a] + w[a] <= x[b] || x[b] + w[b] <= x[a] || y[a] + h[a] <= y[b] || y[b] + h[b] <= y[a];
            assert!(apart, "boxes {a} and {b} overlap");
        }
    }
}

#[test]
fn circles_and_awkward_names_are_drawn_too() {
    let mut g = GraphBuilder::<()>::new("a < b & \"c\"");
    let steps = g.channel("steps", Channel::last(0_i64));
    let a = g.node_fn("<first>", move |(), io| {
        let n = *io.get(steps)?;
        Ok(io.write(steps, n + 1)?)
    });
    let b = crate::idle(&mut g, "b");
    g.edge(START, a).edge(a, b);
    g.route(b, &[("again", a), ("done", END)], move |s| Ok(if *s.get(steps)? < 3 { "again" } else { "done" }));
    let svg = g.compile(Limits::default()).unwrap().svg();
    assert!(svg.contains("<title>a &lt; b &amp; &quot;c&quot;</title>") && svg.contains(">&lt;first&gt;</text>"));
    assert_eq!(svg.matches("l9 -5v10z").count(), 1, "one line leads back");
}
