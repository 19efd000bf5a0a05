//! `HomeLock`: one writer per home. The operating system holds the lock, so a writer that was killed holds none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Why a home could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another writer.
    #[error(
        "{} is in use by process {} since {}; wait until it ends or stop it, or give another --home",
        home.display(),
        pid.map_or_else(|| "unknown".to_owned(), |p| p.to_string()),
        since.as_deref().unwrap_or("an unknown time")
    )]
    Held {
        /// The home.
        home: PathBuf,
        /// Its writer's process id, as the writer noted it.
        pid: Option<u32>,
        /// When the writer took the lock, UTC.
        since: Option<String>,
    },
    /// The system refused.
    #[error("{}: the lock file cannot be used: {source}; check that the folder is writable", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The right to write into a home, until it is dropped.
#[derive(Debug)]
pub struct HomeLock {
    file: File,
}

impl HomeLock {
    /// Takes the lock of a home at once or not at all.
    ///
    /// # Errors
    /// `LockError::Held` naming the process that has it, `LockError::Io` if the file cannot be used.
    pub fn acquire(home: &Path) -> Result<HomeLock, LockError> {
        let path = home.join("lock");
        let io = |source| LockError::Io { path: path.clone(), source };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // An unreadable note leaves the holder unknown; that the lock is held is known.
                let _ = file.read_to_string(&mut text);
                let mut lines = text.lines();
                let pid = lines.next().and_then(|l| l.strip_prefix("pid ")).and_then(|p| p.parse().ok());
                let since = lines.next().and_then(|l| l.strip_prefix("since ")).map(str::to_owned);
                return Err(LockError::Held { home: home.to_owned(), pid, since });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
        let note = format!("pid {}\nsince {now}\n", std::process::id());
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        file.write_all(note.as_bytes()).map_err(io)?;
        Ok(HomeLock { file })
    }
}

impl Drop for HomeLock {
    fn drop(&mut self) {
        // Closing is not enough: a child process that another thread is just starting holds a copy of the file until it
        // runs its own program, and with it the lock.
        let _ = self.file.unlock();
    }
}
