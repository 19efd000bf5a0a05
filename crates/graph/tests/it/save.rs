//! Saving and loading: channels with an encoding, nodes with state, and bytes that do not fit.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_graph::{Chan, Channel, Compiled, GraphBuilder, Io, Limits, LoadError, Node, NodeError, START};

/// Counts its runs into `total`.
struct Counter {
    runs: u64,
    total: Chan<u64>,
}

impl Node<()> for Counter {
    fn run(&mut self, _: &mut (), io: &mut Io<'_>) -> Result<(), NodeError> {
        self.runs += 1;
        Ok(io.write(self.total, self.runs)?)
    }
    fn save(&self, to: &mut Encoder) {
        to.u64(self.runs);
    }
    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.runs = from.u64("runs")?;
        Ok(())
    }
}

type Names = Chan<Vec<String>, String>;

fn graph(name: &str) -> (Compiled<()>, Chan<u64>, Names, Chan<u64>) {
    let mut g = GraphBuilder::new("saved");
    let total = g.channel("total", Channel::last(0).saved());
    let names = g.channel("names", Channel::reduce(Vec::new(), |all: &mut Vec<String>, n| all.push(n)).saved());
    let scratch = g.channel("scratch", Channel::last(7));
    g.channel("run_local", Channel::last(0_u8).reset_each_run());
    let n = g.node(name, Counter { runs: 0, total });
    g.edge(START, n);
    (g.compile(Limits::default()).unwrap(), total, names, scratch)
}

fn saved() -> Vec<u8> {
    let (mut g, _, names, scratch) = graph("counter");
    g.input(names, "é".to_owned()).unwrap();
    g.input(scratch, 9).unwrap();
    g.run(&mut ()).unwrap();
    g.run(&mut ()).unwrap();
    let mut bytes = Encoder::new();
    g.save(&mut bytes);
    bytes.into_bytes()
}

#[test]
fn a_loaded_graph_goes_on_where_the_saved_one_was() {
    let (mut g, total, names, scratch) = graph("counter");
    assert_eq!(g.unsaved().collect::<Vec<_>>(), ["scratch"]);
    g.input(scratch, 8).unwrap();
    g.run(&mut ()).unwrap();
    let bytes = saved();
    let mut from = Decoder::new(&bytes);
    g.load(&mut from).unwrap();
    from.finish().unwrap();
    assert_eq!((g.get(total), g.get(scratch)), (Ok(&2), Ok(&7)));
    assert_eq!(g.get(names).unwrap(), &["é"]);
    let mut again = Encoder::new();
    g.save(&mut again);
    assert_eq!(again.as_bytes(), bytes);
    g.run(&mut ()).unwrap();
    assert_eq!(g.get(total), Ok(&3));
}

#[test]
fn every_cut_of_the_bytes_is_an_error() {
    let bytes = saved();
    for cut in 0..bytes.len() {
        let (mut g, ..) = graph("counter");
        assert!(g.load(&mut Decoder::new(&bytes[..cut])).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_state_of_another_graph_is_refused_by_name() {
    let error = graph("other").0.load(&mut Decoder::new(&saved())).unwrap_err();
    assert_eq!(error, LoadError::OtherGraph { found: "counter".into(), expected: "other".into() });
    let mut wrong_version = saved();
    wrong_version[0] = 9;
    let error = graph("counter").0.load(&mut Decoder::new(&wrong_version)).unwrap_err();
    assert!(error.to_string().contains("version of the saved graph: found 9"), "{error}");
}
