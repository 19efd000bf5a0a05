//! `Image`: what a disk holds. From an image and the operations on it follow the images that a crash may leave.
//!
//! Rules, each at most as kind as POSIX: content is durable after a wait for its file, names after a wait for their
//! folder, and a file can be found only if every folder above it is durable too. Names of one folder survive as a
//! prefix of their changes, as journalling file systems keep them; contents survive in any order, in sectors of 512 bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::Op;
use crate::random::Random;

const SECTOR: usize = 512;

/// Folders and files by their path below the root of the disk; a folder has no content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image(BTreeMap<PathBuf, Option<Vec<u8>>>);

/// What survives of operations that nobody waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// Everything, and some sectors of the write that was under way.
    Torn,
    /// Any of them, whole, not at all or in some sectors.
    Some,
}

impl Survival {
    /// The word for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Survival::Nothing => "nothing unsynced survives",
            Survival::Everything => "everything survives",
            Survival::Torn => "the write under way is torn",
            Survival::Some => "parts of what was unsynced survive",
        }
    }
}

#[derive(Clone, Copy)]
enum Entry {
    Folder,
    File(usize),
}

enum NameChange {
    Put(PathBuf, Entry),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

#[derive(Default)]
struct Folder {
    names: BTreeMap<PathBuf, Entry>,
    waiting: Vec<NameChange>,
}

impl Folder {
    fn settle(&mut self, n: usize) {
        for change in self.waiting.drain(..).take(n) {
            match change {
                NameChange::Put(path, entry) => {
                    self.names.insert(path, entry);
                }
                NameChange::Rename(from, to) => {
                    if let Some(entry) = self.names.remove(&from) {
                        self.names.insert(to, entry);
                    }
                }
                NameChange::Remove(path) => {
                    self.names.remove(&path);
                }
            }
        }
    }
}

enum Change<'a> {
    Write(u64, &'a [u8]),
    Truncate(u64),
}

#[derive(Default)]
struct Content<'a> {
    bytes: Vec<u8>,
    waiting: Vec<Change<'a>>,
}

fn put(bytes: &mut Vec<u8>, offset: u64, new: &[u8]) {
    let from = usize::try_from(offset).unwrap_or(usize::MAX);
    let to = from.saturating_add(new.len());
    if bytes.len() < to {
        bytes.resize(to, 0);
    }
    if let Some(place) = bytes.get_mut(from..to) {
        place.copy_from_slice(new);
    }
}

/// Some of the sectors that a write covers; sectors are those of the file, not of the write.
fn put_torn(bytes: &mut Vec<u8>, offset: u64, new: &[u8], random: &mut Random) {
    // Half of the time a beginning of the write, as a disk that writes in order leaves it; else any sectors.
    let in_order = random.one_in(2);
    let first = SECTOR - usize::try_from(offset % SECTOR as u64).unwrap_or_default();
    let starts: Vec<usize> = std::iter::once(0).chain((first..new.len()).step_by(SECTOR)).collect();
    let kept = random.below(starts.len());
    for (n, from) in starts.iter().enumerate() {
        let keep = if in_order { n < kept } else { random.one_in(2) };
        let to = starts.get(n + 1).copied().unwrap_or(new.len()).min(new.len());
        if let (true, Some(part)) = (keep, new.get(*from..to)) {
            put(bytes, offset + *from as u64, part);
        }
    }
}

impl<'a> Content<'a> {
    fn settle(&mut self) {
        for change in self.waiting.drain(..) {
            match change {
                Change::Write(offset, new) => put(&mut self.bytes, offset, new),
                Change::Truncate(length) => self.bytes.resize(usize::try_from(length).unwrap_or_default(), 0),
            }
        }
    }

    fn settle_some(&mut self, random: &mut Random) {
        for change in self.waiting.drain(..) {
            match (change, random.below(3)) {
                (_, 0) => {}
                (Change::Write(offset, new), 1) => put_torn(&mut self.bytes, offset, new, random),
                (Change::Write(offset, new), _) => put(&mut self.bytes, offset, new),
                (Change::Truncate(length), _) => self.bytes.resize(usize::try_from(length).unwrap_or_default(), 0),
            }
        }
    }
}

impl Image {
    /// The files, by path.
    pub fn files(&self) -> impl Iterator<Item = (&Path, &[u8])> {
        self.0.iter().filter_map(|(p, c)| Some((p.as_path(), c.as_deref()?)))
    }

    /// The content of a file.
    #[must_use]
    pub fn file(&self, path: impl AsRef<Path>) -> Option<&[u8]> {
        self.0.get(path.as_ref())?.as_deref()
    }

    /// What a folder holds, without SQLite's index of its log (`-shm`), which no start after a crash reads.
    ///
    /// # Errors
    /// The system's.
    pub fn read(root: &Path) -> io::Result<Image> {
        fn gather(root: &Path, at: &Path, image: &mut Image) -> io::Result<()> {
            for entry in fs::read_dir(root.join(at))? {
                let entry = entry?;
                let path = at.join(entry.file_name());
                if entry.file_type()?.is_dir() {
                    gather(root, &path, image)?;
                    image.0.insert(path, None);
                } else if !path.to_string_lossy().ends_with("-shm") {
                    image.0.insert(path, Some(fs::read(entry.path())?));
                }
            }
            Ok(())
        }
        let mut image = Image::default();
        gather(root, Path::new(""), &mut image)?;
        Ok(image)
    }

    /// Puts everything into an empty folder.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&self, root: &Path) -> io::Result<()> {
        for (path, content) in &self.0 {
            let path = root.join(path);
            match content {
                None => fs::create_dir_all(&path)?,
                Some(bytes) => {
                    if let Some(folder) = path.parent() {
                        fs::create_dir_all(folder)?;
                    }
                    fs::write(&path, bytes)?;
                }
            }
        }
        Ok(())
    }

    /// What this disk holds if the power goes while operation `at` of `ops` is under way, that is after all before it; at
    /// `ops.len()` after the last.
    #[must_use]
    pub fn after(&self, ops: &[Op], at: usize, survival: Survival, random: &mut Random) -> Image {
        let mut contents: Vec<Content<'_>> =
            self.files().map(|(_, bytes)| Content { bytes: bytes.to_vec(), waiting: vec![] }).collect();
        let mut folders = self.folders();
        for op in ops.iter().take(at) {
            apply(op, &mut contents, &mut folders);
        }
        match survival {
            Survival::Nothing => {}
            Survival::Everything | Survival::Torn => contents.iter_mut().for_each(Content::settle),
            Survival::Some => contents.iter_mut().for_each(|c| c.settle_some(random)),
        }
        if let (Survival::Torn | Survival::Some, Some(Op::Write(file, offset, new))) = (survival, ops.get(at))
            && let Some(content) = contents.get_mut(*file)
        {
            put_torn(&mut content.bytes, *offset, new, random);
        }
        for folder in folders.values_mut() {
            let n = match survival {
                Survival::Nothing => 0,
                Survival::Everything | Survival::Torn => folder.waiting.len(),
                Survival::Some => random.below(folder.waiting.len() + 1),
            };
            folder.settle(n);
        }
        let mut image = Image::default();
        image.gather(Path::new(""), &folders, &contents);
        image
    }

    fn folders(&self) -> BTreeMap<PathBuf, Folder> {
        let mut folders = BTreeMap::from([(PathBuf::new(), Folder::default())]);
        let mut files = 0;
        for (path, content) in &self.0 {
            let entry = match content {
                None => {
                    folders.entry(path.clone()).or_default();
                    Entry::Folder
                }
                Some(_) => {
                    files += 1;
                    Entry::File(files - 1)
                }
            };
            folders.entry(parent(path)).or_default().names.insert(path.clone(), entry);
        }
        folders
    }

    fn gather(&mut self, at: &Path, folders: &BTreeMap<PathBuf, Folder>, contents: &[Content<'_>]) {
        let Some(folder) = folders.get(at) else { return };
        for (path, entry) in &folder.names {
            match entry {
                Entry::Folder => {
                    self.0.insert(path.clone(), None);
                    self.gather(path, folders, contents);
                }
                Entry::File(n) => {
                    self.0.insert(path.clone(), Some(contents.get(*n).map(|c| c.bytes.clone()).unwrap_or_default()));
                }
            }
        }
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

fn apply<'a>(op: &'a Op, contents: &mut Vec<Content<'a>>, folders: &mut BTreeMap<PathBuf, Folder>) {
    let mut name = |of: &Path, change| folders.entry(parent(of)).or_default().waiting.push(change);
    match op {
        Op::Folder(path) => {
            name(path, NameChange::Put(path.clone(), Entry::Folder));
            folders.entry(path.clone()).or_default();
        }
        Op::Create(file, path) => {
            contents.resize_with(contents.len().max(file + 1), Content::default);
            name(path, NameChange::Put(path.clone(), Entry::File(*file)));
        }
        Op::Rename(from, to) => name(from, NameChange::Rename(from.clone(), to.clone())),
        Op::Remove(path) => name(path, NameChange::Remove(path.clone())),
        Op::SyncFolder(path) => {
            if let Some(folder) = folders.get_mut(path) {
                folder.settle(usize::MAX);
            }
        }
        Op::Write(file, offset, bytes) => {
            if let Some(content) = contents.get_mut(*file) {
                content.waiting.push(Change::Write(*offset, bytes));
            }
        }
        Op::Truncate(file, length) => {
            if let Some(content) = contents.get_mut(*file) {
                content.waiting.push(Change::Truncate(*length));
            }
        }
        Op::Sync(file) => {
            if let Some(content) = contents.get_mut(*file) {
                content.settle();
            }
        }
        Op::Mark(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(ops: &[Op], survival: Survival) -> Image {
        Image::default().after(ops, ops.len(), survival, &mut Random::new(1, 1))
    }

    /// The classic: content and names are two waits, and a folder of one's own a third.
    #[test]
    fn what_is_not_waited_for_may_be_gone() {
        let path = |p: &str| PathBuf::from(p);
        let ops = [
            Op::Folder(path("a")),
            Op::Create(0, path("a/new.tmp")),
            Op::Write(0, 0, (*b"whole").into()),
            Op::Rename(path("a/new.tmp"), path("a/new")),
            Op::SyncFolder(path("a")),
            Op::SyncFolder(path("")),
        ];
        // The name is there, the content is not: the empty file that a rename without a wait leaves.
        assert_eq!(left(&ops, Survival::Nothing).file("a/new"), Some(&b""[..]));
        assert_eq!(left(&ops, Survival::Everything).file("a/new"), Some(&b"whole"[..]));
        // Without a wait for the folder above, nothing in it can be found.
        assert_eq!(left(&ops[..5], Survival::Nothing), Image::default());
        let mut good = ops.to_vec();
        good.insert(3, Op::Sync(0));
        assert_eq!(left(&good, Survival::Nothing).file("a/new"), Some(&b"whole"[..]));
        assert_eq!(left(&good[..5], Survival::Nothing), Image::default());
        good.extend([Op::Remove(path("a/new")), Op::Truncate(0, 2)]);
        assert_eq!(left(&good, Survival::Nothing).file("a/new"), Some(&b"whole"[..]));
        assert_eq!(left(&good, Survival::Everything).file("a/new"), None);
    }

    #[test]
    fn a_torn_write_is_torn_at_sectors_of_the_file() {
        let ops = [
            Op::Create(0, "f".into()),
            Op::Write(0, 0, vec![b'o'; 2_048].into()),
            Op::Sync(0),
            Op::SyncFolder("".into()),
            Op::Write(0, 100, vec![b'n'; 1_500].into()),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let image = Image::default().after(&ops, 4, Survival::Torn, &mut Random::new(seed, 0));
            let bytes = image.file("f").unwrap();
            assert_eq!(bytes.len(), 2_048);
            // Sectors 0 to 3 from byte 100 to 1,599, each old or new as a whole.
            let sectors = [100..512, 512..1_024, 1_024..1_536, 1_536..1_600].map(|r| {
                let first = bytes[r.start];
                assert!(bytes[r].iter().all(|b| *b == first));
                first
            });
            assert!(bytes[..100].iter().chain(&bytes[1_600..]).all(|b| *b == b'o'));
            seen.insert(sectors);
        }
        // All but the whole write, which is the point after it.
        assert!(seen.len() >= 12 && seen.contains(&[b'o'; 4]), "{}", seen.len());
    }
}
