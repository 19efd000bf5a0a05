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
