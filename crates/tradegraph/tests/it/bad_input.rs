//! Bad input of every kind to every command: the exit code, a message that names the place, and no panic.

use crate::{Place, SMALL};

const FAILED: i32 = 1;
const USAGE: i32 = 2;
const INPUT: i32 = 3;
const NOT_FOUND: i32 = 4;

#[test]
fn every_command_answers_bad_input_with_its_code_and_place() {
    let place = Place::new();
    place.write("good.toml", SMALL);
    place.write("typo.toml", SMALL.replace("gross =", "grosss ="));
    place.write("binary.toml", [0_u8, 159, 146, 150, 255, 0]);
    place.write("control.toml", [1_u8, 2, 3]);
    place.write("deep.toml", format!("a = {}", "[".repeat(200_000)));
    place.write("huge.toml", vec![b'#'; 2 << 20]);
    place.write("empty.toml", "");
    place.write("nofile.toml", SMALL.replace("source = \"sample:us20\"", "path = \"gone.csv\"\ncalendar = \"XNYS\""));
    place.write("folder.toml", SMALL.replace("source = \"sample:us20\"", "path = \".\"\ncalendar = \"XNYS\""));
    place.write("symbol.toml", SMALL.replace("\"AAPL\"", "\"APPL\""));
    place.write("none.toml", SMALL.replace("2019-01-01", "1950-01-01").replace("2021-12-31", "1950-02-01"));
    place.write("instrument.toml", format!("{SMALL}[instruments.APPL]\nlot = 1\n"));
    place.write("currency.toml", format!("{SMALL}[instruments]\ncurrency = \"EUR\"\n"));
    let csv = |name: &str, bytes: &[u8]| {
        place.write(&format!("{name}.csv"), bytes);
        let text = SMALL.replace("source = \"sample:us20\"", &format!("path = \"{name}.csv\"\ncalendar = \"XNYS\""));
        place.write(&format!("csv-{name}.toml"), text.replace("symbols = [\"AAPL\", \"KO\", \"XOM\"]", ""));
    };
    csv("garbage", &[255, 254, 0, 1, 2, 3]);
    csv("zero", b"");
    csv("header", b"when,how much\n1,2\n");
    csv("rows", b"date,close\nyesterday,high\n");
    place.write("good.csv", "date,close\n2024-01-02,1\n2024-01-03,2\n");
    place.write("other.csv", "date,close\n2024-01-02,1\n2024-01-03,3\n");
    place.write("facts.csv", "Symbol,Market Cap\nACME,5\n");
    place.write("stories.csv", "ts,text\n2024-01-02T00:00:00Z,news of a day\n");
    place.good(&["data", "import", "good.csv", "--name", "taken", "--calendar", "XNYS"]);
    place.good(&["data", "import", "stories.csv", "--name", "news"]);
    let data = |name: &str, lines: &str| {
        let text =
            SMALL.replace("source = \"sample:us20\"", lines).replace("symbols = [\"AAPL\", \"KO\", \"XOM\"]", "");
        place.write(&format!("{name}.toml"), text);
    };
    data("catalog", "source = \"catalog:takenn\"");
    data("news", "source = \"catalog:news\"");
    data("actions", "source = \"sample:us4-raw\"\nactions = \"guess\"");
    data("adjusted", "source = \"sample:us4-2013\"\nactions = \"yahoo\"");
    data("mid", "path = \"good.csv\"\ncalendar = \"XNYS\"\nprice = \"mid\"");
    place.write("w1_ts.bin", [1, 2, 3]);
    std::fs::create_dir(place.path().join("folder")).unwrap();
    place.json(&["backtest", "good.toml"]);
    std::fs::create_dir(place.path().join("made")).unwrap();
    place.write("made/mandate.toml", "kept");

    let rows: &[(&[&str], i32, &str)] = &[
        (&["fly"], USAGE, "fly"),
        (&["--hom", "x"], USAGE, "--hom"),
        (&["backtest"], USAGE, "MANDATE"),
        (&["backtest", "good.toml", "--threads", "0"], USAGE, "0 is not in"),
        (&["backtest", "good.toml", "--threads", "many"], USAGE, "many"),
        (&["backtest", "gone.toml"], NOT_FOUND, "gone.toml: there is no such file"),
        (&["backtest", "folder"], INPUT, "folder: this is a folder"),
        (&["backtest", "sample:nothing"], NOT_FOUND, "choose one of sample:demo"),
        (
            &["backtest", "typo.toml"],
            INPUT,
            "typo.toml:16:1: unknown key 'allocator.grosss' in [allocator]; the nearest known key is 'gross'",
        ),
        (&["backtest", "binary.toml"], INPUT, "byte 1 is not UTF-8"),
        (&["backtest", "control.toml"], INPUT, "control.toml:1:"),
        (&["backtest", "deep.toml"], INPUT, "deep.toml:1:"),
        (&["backtest", "huge.toml"], INPUT, "2097152 bytes are no mandate"),
        (&["backtest", "empty.toml"], INPUT, "'account' is missing"),
        (&["backtest", "nofile.toml"], NOT_FOUND, "gone.csv: there is no such file"),
        (&["backtest", "folder.toml"], INPUT, "this is a folder"),
        (&["backtest", "symbol.toml"], INPUT, "there is no 'APPL' (nearest: 'AAPL')"),
        (&["backtest", "none.toml"], INPUT, "no bar is left"),
        (&["backtest", "instrument.toml"], INPUT, "the nearest symbol is 'AAPL'"),
        (&["backtest", "currency.toml"], INPUT, "is priced in EUR but the account is in USD"),
        (&["backtest", "csv-garbage.toml"], INPUT, "garbage.csv:1: byte 1 of the line is not UTF-8"),
        (&["backtest", "csv-zero.toml"], INPUT, "the file is empty"),
        (&["backtest", "csv-header.toml"], INPUT, "no column is called date or ts"),
        (&["backtest", "csv-rows.toml"], INPUT, "rows.csv:2: date 'yesterday' is no date"),
        (&["backtest", "good.toml", "--home", "good.toml"], FAILED, "good.toml"),
        (&["replay"], USAGE, "RUN"),
        (&["replay", "nothing"], NOT_FOUND, "no run begins with 'nothing'"),
        (&["replay", "last", "--home", "nowhere"], NOT_FOUND, "there is no store"),
        (&["resume", "last"], FAILED, "is finished"),
        (&["resume", "'; DROP TABLE runs"], NOT_FOUND, "no run begins with"),
        (&["resume", "last", "--home", "nowhere"], NOT_FOUND, "there is no store"),
        (&["runs", "--newest", "-1"], USAGE, "-1"),
        (&["runs", "--home", "good.toml"], FAILED, "good.toml"),
        (&["explain", "last"], USAGE, "ORDER"),
        (&["explain", "last", "first"], USAGE, "first"),
        (&["explain", "last", "0"], NOT_FOUND, "has no order 0"),
        (&["explain", "last", "18446744073709551615"], NOT_FOUND, "orders of this run have numbers from 1 to"),
        (&["explain", "nothing", "1"], NOT_FOUND, "no run begins with 'nothing'"),
        (&["report", "nothing"], NOT_FOUND, "no run begins with 'nothing'"),
        (&["graph", "gone.toml"], NOT_FOUND, "gone.toml"),
        (&["graph", "typo.toml"], INPUT, "'gross'"),
        (&["init", "made"], FAILED, "the file exists and is left as it is"),
        (&["init", "good.toml"], FAILED, "good.toml"),
        (&["doctor", "--home", "good.toml"], FAILED, "is no folder"),
        (&["bench"], USAGE, "NAME"),
        (&["bench", "w1"], USAGE, "--data"),
        (&["data"], USAGE, "import"),
        (&["data", "import"], USAGE, "FILE"),
        (&["data", "import", "gone.csv"], NOT_FOUND, "gone.csv"),
        (&["data", "import", "folder"], INPUT, "folder"),
        (&["data", "import", "garbage.csv"], INPUT, "garbage.csv"),
        (&["data", "import", "zero.csv"], INPUT, "zero.csv"),
        (&["data", "import", "good.csv", "--calendar", "XNAS"], USAGE, "no such calendar"),
        (&["data", "import", "good.csv", "--lag", "soon"], USAGE, "30d"),
        (&["data", "import", "good.csv", "--kind", "nothing"], USAGE, "possible values"),
        (&["data", "import", "good.csv", "--column", "a"], USAGE, "="),
        (&["data", "import", "good.csv", "--type", "a=b"], USAGE, "one of price"),
        (&["data", "import", "good.csv", "--name", ""], INPUT, "name"),
        (&["data", "import", "other.csv", "--name", "taken"], INPUT, "the name 'taken' is taken"),
        (&["data", "import", "facts.csv"], INPUT, "snapshot"),
        (&["data", "show", "takem"], NOT_FOUND, "there is no data set 'takem' (nearest: 'taken')"),
        (&["data", "show", "taken", "--known-by", "soon"], USAGE, "soon"),
        (&["data", "check", "nothing"], NOT_FOUND, "there is no data set 'nothing'"),
        (&["data", "check", "taken", "--least", "1"], USAGE, "--most"),
        (&["data", "check", "taken", "--calendar", "MARS"], USAGE, "no such calendar"),
        (&["data", "export", "taken"], USAGE, "--to"),
        (&["data", "export", "taken", "--to", "nowhere/x.csv"], FAILED, "nowhere/x.csv"),
        (&["data", "remove", "nothing"], NOT_FOUND, "there is no data set"),
        (&["data", "verify", "nothing"], NOT_FOUND, "there is no data set"),
        (&["data", "instruments", "taken", "ACME", "--venue", "X"], INPUT, "not properties of instruments"),
        (&["backtest", "catalog.toml"], NOT_FOUND, "there is no data set 'takenn' (nearest: 'taken')"),
        (&["backtest", "news.toml"], INPUT, "news"),
        (&["backtest", "actions.toml"], INPUT, "is no source of corporate actions: 'guess'"),
        (&["backtest", "adjusted.toml"], INPUT, "corporate actions go with prices as traded"),
        (&["backtest", "mid.toml"], INPUT, "needs a data set"),
        (&["sql", "SELECT * FROM fills"], USAGE, "no such table: fills"),
        (&["bench", "w9", "--data", "."], USAGE, "w9"),
        (&["bench", "w1", "--data", "."], INPUT, "w1_ts.bin: 3 bytes are no column"),
        (&["bench", "w2", "--data", "folder"], NOT_FOUND, "w2_close.bin: there is no such file"),
    ];
    assert!(rows.len() >= 30);
    for (arguments, code, expected) in rows {
        let (found, message) = place.bad(arguments);
        assert!(
            found == *code && message.contains(expected),
            "{arguments:?}\n gave {found}: {message}\n not  {code}: {expected}"
        );
    }
    assert_eq!(std::fs::read(place.path().join("made/mandate.toml")).unwrap(), b"kept");
    assert!(!place.path().join("nowhere").exists(), "a question made a home");
    // Nothing of this disturbed what was there.
    assert_eq!(place.json(&["replay", "last"])["same"], true);
}

#[test]
fn words_for_people_go_to_standard_error() {
    let place = Place::new();
    let out = place.run(&["replay", "last"]);
    assert_eq!(out.status.code(), Some(NOT_FOUND));
    assert!(out.stdout.is_empty());
    let errors = crate::text(&out.stderr);
    assert!(errors.starts_with("error: ") && errors.contains("\n  next: "), "{errors}");
}
