//! A PostgreSQL server of a test's own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server on a free port with its data in a temporary folder; both go with this value.
pub struct Server {
    folder: tempfile::TempDir,
    bin: PathBuf,
    port: u16,
    process: Option<Child>,
}

/// The newest installed server's programs.
fn programs() -> PathBuf {
    if let Some(bin) = std::env::var_os("TRADEGRAPH_POSTGRES_BIN") {
        return bin.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|v| Some((v.file_name().to_str()?.parse::<u32>().ok()?, v.path().join("bin"))))
        .filter(|(_, bin)| bin.join("initdb").is_file())
        .max();
    newest.map(|(_, bin)| bin).unwrap_or_else(|| {
        panic!("no PostgreSQL in /usr/lib/postgresql: apt-get install postgresql, or set TRADEGRAPH_POSTGRES_BIN")
    })
}

fn is_root() -> bool {
    let out = Command::new("id").arg("-u").output().unwrap();
    String::from_utf8_lossy(&out.stdout).trim() == "0"
}

/// The server refuses to run as root, so root runs it as somebody else. It ends with the process that began it.
fn command(program: &Path) -> Command {
    let mut c = Command::new("setpriv");
    c.args(["--pdeathsig", "KILL"]);
    if is_root() {
        c.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
    }
    c.arg(program).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    c
}

impl Server {
    pub fn start() -> Server {
        let (bin, folder) = (programs(), tempfile::tempdir().unwrap());
        if is_root() {
            let done = Command::new("chown").arg("nobody:nogroup").arg(folder.path()).status().unwrap();
            assert!(done.success());
        }
        let data = folder.path().join("data");
        let mut init = command(&bin.join("initdb"));
        init.arg("-D").arg(&data).args(["-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8", "--locale=C"]);
        let made = init.stderr(Stdio::piped()).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut server = Server { folder, bin, port: 0, process: None };
        server.begin();
        server
    }

    /// Starts the server over its data, again after a crash.
    pub fn begin(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            // The port stays; only the first time it is chosen.
            if self.port == 0 {
                self.port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            }
            let mut c = command(&self.bin.join("postgres"));
            c.arg("-D").arg(self.folder.path().join("data")).arg("-k").arg(self.folder.path());
            c.args(["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=20", "-c", "deadlock_timeout=100ms"]);
            let mut process = c.args(["-p", &self.port.to_string()]).spawn().unwrap();
            while process.try_wait().unwrap().is_none() {
                let mut ready = command(&self.bin.join("pg_isready"));
                ready.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-t", "1"]);
                if ready.status().unwrap().success() {
                    self.process = Some(process);
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // Children of a killed server hold its memory for a moment more.
            assert!(Instant::now() < deadline, "PostgreSQL does not start on port {}", self.port);
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn address(&self) -> String {
        format!("postgres://tester@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// kill -9 of the server.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Runs SQL and gives what it prints, one row a line.
    pub fn sql(&self, text: &str) -> String {
        let mut c = self.psql(text);
        let out = c.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    pub fn psql(&self, text: &str) -> Command {
        let mut c = command(&self.bin.join("psql"));
        c.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "tester", "-d", "postgres"]);
        c.args(["-p", &self.port.to_string(), "-c", text]);
        c
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // SIGQUIT ends the server and its children at once; the data go anyway.
            let _ = Command::new("kill").args(["-QUIT", &process.id().to_string()]).status();
            let _ = process.wait();
        }
    }
}
