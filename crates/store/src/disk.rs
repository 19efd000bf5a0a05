//! `Disk`: how the writers of this crate touch files. The real one is the file system; a double can note every operation
//! or let it fail. SQLite has files of its own, which a double reaches through an SQLite file layer that it names.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Operations that change a disk. A name (made, moved or removed) is durable after `sync_folder` of its folder, the
/// content of a file after `DiskFile::sync`.
pub trait Disk: std::fmt::Debug + Send + Sync {
    /// Makes one folder; its parent exists.
    ///
    /// # Errors
    /// The system's.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes a file, or empties the one that is there.
    ///
    /// # Errors
    /// The system's.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Gives a file another name; one that has that name is replaced.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Waits until the names of a folder are on the disk.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// How SQLite reaches its files on this disk.
    fn sqlite(&self) -> SqliteFiles {
        SqliteFiles::default()
    }

    /// Makes a folder with those above it that are missing, and waits until their names are on the disk.
    ///
    /// # Errors
    /// The system's.
    fn make_folders(&self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.make_folders(parent)?;
        match self.make_folder(path) {
            // Another process was faster.
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            made => made?,
        }
        self.sync_folder(parent)
    }
}

/// A file that is being written.
pub trait DiskFile: Write + Send + Sync {
    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}

/// How SQLite reaches its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqliteFiles {
    /// Name of a registered file layer ("VFS"); SQLite's own if absent.
    pub layer: Option<String>,
    /// Pages of the write-ahead log after which they are copied back into the file; SQLite's 1,000 if absent.
    pub checkpoint_pages: Option<u32>,
}

/// The file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileSystem;

impl Disk for FileSystem {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(fs::File::create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }
}

impl DiskFile for fs::File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// Writes a file so that a reader, and a start after any crash, finds the old one or the new one, never half of it;
/// durable when this returns. `write` gets the file under a temporary name, which no reader looks for.
///
/// # Errors
/// What `write` says, or the system's error as `failed` words it; the file is then as it was.
pub fn replace<E>(
    disk: &dyn Disk,
    path: &Path,
    failed: impl Fn(io::Error) -> E,
    write: impl FnOnce(&mut io::BufWriter<Box<dyn DiskFile>>) -> Result<(), E>,
) -> Result<(), E> {
    let temporary = temporary(path);
    let written = (|| {
        let mut file = io::BufWriter::new(disk.create(&temporary).map_err(&failed)?);
        write(&mut file)?;
        file.flush().and_then(|()| file.get_mut().sync()).map_err(&failed)
    })();
    written.and_then(|()| disk.rename(&temporary, path).map_err(&failed)).inspect_err(|_| {
        // The first error is what the user must see; a leftover does no harm, it is never read.
        let _ = disk.remove(&temporary);
    })?;
    // The new name is durable only with its folder.
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    disk.sync_folder(folder).map_err(failed)
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_or_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/report.json");
        FileSystem.make_folders(path.parent().unwrap()).unwrap();
        FileSystem.make_folders(path.parent().unwrap()).unwrap();
        let put = |bytes: &[u8]| replace(&FileSystem, &path, |e| e, |w| w.write_all(bytes));
        put(b"one").unwrap();
        put(b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let spoilt = replace(
            &FileSystem,
            &path,
            |e| e,
            |w| {
                w.write_all(b"thr")?;
                Err(io::ErrorKind::StorageFull.into())
            },
        );
        assert_eq!(spoilt.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left behind");
    }
}
