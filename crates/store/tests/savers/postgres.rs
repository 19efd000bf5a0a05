//! The PostgreSQL saver on a server that is really there, and is really killed.

use super::server::Server;
use super::writer::{AT, BATCH, Writer, check, kill_at_any_moment as rounds, put_batch};
use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tradegraph_graph::{At, Channel, Durability, End, GraphBuilder, Limits, Query, START, Saver, check_saver};
use tradegraph_store::PostgresSaver;

fn open(server: &Server) -> PostgresSaver {
    PostgresSaver::open(&server.address(), true).unwrap()
}

pub fn conforms() {
    let server = Server::start();
    let next = Cell::new(0);
    let make = || -> Box<dyn Saver> {
        next.set(next.get() + 1);
        let name = format!("c{}", next.get());
        server.sql(&format!("CREATE DATABASE {name}"));
        let address = server.address().replace("/postgres?", &format!("/{name}?"));
        Box::new(PostgresSaver::open(&address, next.get() % 2 == 0).unwrap())
    };
    check_saver(&make).unwrap();
    assert!(next.get() >= 8);
}

pub fn goes_on() {
    let server = Server::start();
    let build = || {
        let mut g = GraphBuilder::<()>::new("desk");
        let keep = Channel::reduce(Vec::new(), |all: &mut Vec<String>, one: String| all.push(one)).saved();
        let log = g.channel("log", keep);
        let ask = g.node_fn("ask", move |(), io| {
            let answer = io.interrupt("buy?")?;
            Ok(io.write(log, answer.as_str().unwrap_or("").to_owned())?)
        });
        let beside = g.node_fn("beside", move |(), io| Ok(io.write(log, "beside".to_owned())?));
        let act = g.node_fn("act", move |(), io| Ok(io.write(log, "acted".to_owned())?));
        g.edge(START, ask).edge(START, beside).join(&[ask, beside], act);
        let mut graph = g.compile(Limits::default()).unwrap();
        graph.attach(Arc::new(open(&server)), Durability::Sync);
        (graph, log)
    };
    let at = At::thread("eu");
    let (mut first, _) = build();
    assert!(matches!(first.invoke(&mut (), &at, |_| Ok(())).unwrap().end, End::Asked(asks) if asks.len() == 1));
    drop(first);
    let (mut second, log) = build();
    assert_eq!(second.answer(&mut (), &at, "yes").unwrap().end, End::Done);
    assert_eq!(second.get(log).unwrap(), &["yes", "beside", "acted"]);
    assert_eq!(second.history(&at, Query::default()).unwrap().len(), 4);
    assert_eq!(server.sql("SELECT count(*) FROM tradegraph_graph.checkpoints"), "4");
}

pub fn migrates() {
    let server = Server::start();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| open(&server))).collect();
        all.into_iter().for_each(|one| assert_eq!(one.join().unwrap().newest_seq("desk").unwrap(), 0));
    });
    assert_eq!(server.sql("SELECT version FROM tradegraph_graph.migrations"), "1");
    server.sql("INSERT INTO tradegraph_graph.migrations VALUES (99)");
    let refused = PostgresSaver::open(&server.address(), true).unwrap_err().to_string();
    assert!(refused.contains("version 99"), "{refused}");
}

/// Another session holds the last table that a transaction writes, so the writer stands in the middle of one.
struct Held<'a> {
    server: &'a Server,
    process: std::process::Child,
}

impl Held<'_> {
    fn new(server: &Server) -> Held<'_> {
        let text = "BEGIN; LOCK TABLE tradegraph_graph.task_writes IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)";
        let process = server.psql(text).spawn().unwrap();
        until("the table is held", || {
            let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
                        AND relation = 'tradegraph_graph.task_writes'::regclass";
            server.sql(held) == "1"
        });
        Held { server, process }
    }

    fn wait_for_writer(&self) {
        until("the writer stands in its transaction", || {
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tradegraph' \
                         AND wait_event_type = 'Lock' AND query LIKE 'INSERT INTO task_writes%'";
            self.server.sql(waits) == "1"
        });
    }

    fn release(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND pid <> pg_backend_pid()");
    }
}

fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is() {
        assert!(Instant::now() < deadline, "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub fn killed_writer() {
    let server = Server::start();
    let mut writer = Writer::start("postgres", &server.address());
    let mut acknowledged = writer.acknowledged().unwrap();
    let held = Held::new(&server);
    held.wait_for_writer();
    acknowledged = acknowledged.max(writer.kill());
    held.release();
    // The rows of its last transaction were sent; none of them stays.
    until("the server gives the transaction up", || {
        server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tradegraph'") == "0"
    });
    assert_eq!(check(&open(&server), acknowledged), acknowledged);
}

pub fn killed_server() {
    let mut server = Server::start();
    // A second program of this process is in the middle of its transaction when the server dies.
    let mine = open(&server);
    let mut writer = Writer::start("postgres", &server.address());
    let mut acknowledged = writer.acknowledged().unwrap();
    let held = Held::new(&server);
    held.wait_for_writer();
    assert_eq!(mine.newest_seq("other").unwrap(), 0);
    server.kill();
    // Its connection broke in mid-transaction, nobody is there for a second attempt: the writer fails and says so.
    while let Some(more) = writer.acknowledged() {
        acknowledged = more;
    }
    let away = mine.newest_seq("desk").unwrap_err().to_string();
    assert!(away.contains("127.0.0.1") && away.contains("tries again"), "{away}");
    put_batch(&mine, acknowledged + 1);
    mine.flush().unwrap_err();
    server.begin();
    assert_eq!(check(&open(&server), acknowledged), acknowledged);
    // What could not be written was kept, and the connection is made anew.
    mine.flush().unwrap();
    assert_eq!(check(&open(&server), acknowledged), acknowledged + BATCH);
}

pub fn killed_at_any_moment() {
    let server = Server::start();
    rounds("postgres", &server.address(), 8);
}

pub fn explains() {
    let wrong = PostgresSaver::open("not an address", true).unwrap_err().to_string();
    assert!(wrong.contains("postgres://user@host:5432/database"), "{wrong}");
    let server = Server::start();
    let nobody = PostgresSaver::open(&server.address().replace("tester@", "nobody:secret@"), true).unwrap_err();
    let text = nobody.to_string();
    assert!(text.contains("nobody") && !text.contains("secret"), "{text}");
    // A refusal loses nothing either.
    let saver = open(&server);
    put_batch(&saver, 1);
    server.sql("ALTER TABLE tradegraph_graph.task_writes ADD CHECK (idx > 5)");
    let refused = saver.flush().unwrap_err().to_string();
    assert!(refused.contains("task_writes"), "{refused}");
    server.sql("ALTER TABLE tradegraph_graph.task_writes DROP CONSTRAINT task_writes_idx_check");
    saver.flush().unwrap();
    assert_eq!(check(&open(&server), 0), BATCH);
    saver.delete_thread(AT.thread).unwrap();
    assert_eq!(open(&server).newest_seq(AT.thread).unwrap(), 0);
}
