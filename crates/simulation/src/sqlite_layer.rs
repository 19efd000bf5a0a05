//! The file layer ("VFS") that SQLite writes through on a `RecordingDisk`: SQLite's own, with the operations noted on their
//! way down and waits for the disk left out. <https://www.sqlite.org/vfs.html> and sqlite3.h state the contract; what each
//! `SAFETY` comment relies on is from there.
//!
//! A file object is ours (`Outer`) with the object of SQLite's own layer directly behind it in the same allocation,
//! which SQLite makes and frees; `szOsFile` asks for the room of both.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

use rusqlite::ffi::{
    SQLITE_CANTOPEN, SQLITE_FULL, SQLITE_IOERR, SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSYNC, SQLITE_OK,
    SQLITE_OPEN_CREATE, SQLITE_OPEN_MAIN_JOURNAL, SQLITE_OPEN_WAL, sqlite3_file, sqlite3_int64, sqlite3_io_methods,
    sqlite3_vfs, sqlite3_vfs_find, sqlite3_vfs_register,
};

use crate::disk::{Shared, disk_of};

/// The layer's name, by which a connection asks for it.
pub(crate) const NAME: &str = "tradegraph-recording";
const C_NAME: &CStr = c"tradegraph-recording";

/// SQLite's own layer; set before ours is registered, and never freed.
static OWN: AtomicPtr<sqlite3_vfs> = AtomicPtr::new(ptr::null_mut());

/// Ours in front of the object of SQLite's own layer.
#[repr(C)]
struct Outer {
    base: sqlite3_file,
    link: *mut Link,
}

/// Where a file is noted.
struct Link {
    disk: Arc<Shared>,
    number: usize,
    /// Of a journal that was just made: SQLite's own layer waits for its folder with the first wait for the file.
    new_in: Option<PathBuf>,
}

/// Registers the layer, once; it is never the default.
pub(crate) fn register() -> io::Result<()> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let done = DONE.get_or_init(|| {
        // SAFETY: a null name asks for the default layer; `find` initialises SQLite and may be called from any thread.
        let own = unsafe { sqlite3_vfs_find(ptr::null()) };
        if own.is_null() {
            return false;
        }
        OWN.store(own, Ordering::Release);
        // SAFETY: `own` points to a registered layer, which lives as long as the process; its fields are plain data.
        let mut ours = unsafe { *own };
        ours.szOsFile += size_of::<Outer>() as c_int;
        ours.zName = C_NAME.as_ptr();
        ours.pNext = ptr::null_mut();
        ours.xOpen = Some(open);
        ours.xDelete = Some(delete);
        // SAFETY: the structure is leaked, so it stays where it is; the other functions of the copied table take any
        // layer with the `pAppData` that was copied along.
        unsafe { sqlite3_vfs_register(Box::leak(Box::new(ours)), 0) == SQLITE_OK }
    });
    if *done { Ok(()) } else { Err(io::Error::other("SQLite does not take the recording file layer")) }
}

/// The object of SQLite's own layer behind ours.
fn inner(file: *mut sqlite3_file) -> *mut sqlite3_file {
    file.cast::<Outer>().wrapping_add(1).cast()
}

/// A file's link; `None` for files that are on no disk of ours.
///
/// # Safety
/// `file` was opened by `open` and is not closed; no other reference to the link is alive (SQLite uses a file object
/// from one thread at a time).
unsafe fn link<'a>(file: *mut sqlite3_file) -> Option<&'a mut Link> {
    // SAFETY: as above; `link` is null or came from `Box::into_raw` in `open`.
    unsafe { (*file.cast::<Outer>()).link.as_mut() }
}

fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: SQLite gives names that end with a zero and live through the call.
    let text = unsafe { CStr::from_ptr(name) };
    text.to_str().ok().map(PathBuf::from)
}

fn code(e: &io::Error, other: c_int) -> c_int {
    if e.raw_os_error() == Some(28) { SQLITE_FULL } else { other }
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let outer = file.cast::<Outer>();
    // SAFETY: SQLite gives room for `szOsFile` bytes, aligned for any object; nothing is in it yet.
    unsafe { ptr::write(outer, Outer { base: sqlite3_file { pMethods: ptr::null() }, link: ptr::null_mut() }) };
    let mut noted = None;
    if let Some(path) = path_of(name)
        && let Some(disk) = disk_of(&path)
        && (path.exists() || flags & SQLITE_OPEN_CREATE != 0)
    {
        match disk.open(&path, true) {
            Ok((number, made)) => {
                let journal = flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL) != 0;
                let new_in = path.parent().filter(|_| made && journal).map(Path::to_owned);
                noted = Some(Link { disk, number, new_in });
            }
            Err(_) => return SQLITE_CANTOPEN,
        }
    }
    let own = OWN.load(Ordering::Acquire);
    // SAFETY: `own` was set before this layer was registered; the inner object lies in the room that SQLite gave.
    let (result, usable) = unsafe {
        let Some(open) = (*own).xOpen else { return SQLITE_CANTOPEN };
        (*inner(file)).pMethods = ptr::null();
        let result = open(own, name, inner(file), flags, out_flags);
        (result, !(*inner(file)).pMethods.is_null())
    };
    // SAFETY: `outer` was written above. With a table SQLite closes the file, also after a failure.
    unsafe {
        if usable {
            (*outer).base.pMethods = &raw const METHODS;
            (*outer).link = noted.map_or(ptr::null_mut(), |l| Box::into_raw(Box::new(l)));
        }
    }
    result
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, wait: c_int) -> c_int {
    let own = OWN.load(Ordering::Acquire);
    let found = path_of(name).and_then(|path| Some((disk_of(&path)?, path)));
    // SAFETY: `own` was set before this layer was registered; `name` is SQLite's.
    let result = unsafe {
        let Some(delete) = (*own).xDelete else { return SQLITE_IOERR };
        delete(own, name, if found.is_some() { 0 } else { wait })
    };
    if let (SQLITE_OK, Some((disk, path))) = (result, found) {
        disk.remove(&path);
        if let (true, Some(folder)) = (wait != 0, path.parent())
            && disk.sync_folder(folder).is_err()
        {
            return SQLITE_IOERR_DIR_FSYNC;
        }
    }
    result
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once, after `open` gave it a table; the link came from `Box::into_raw`.
    unsafe {
        let outer = file.cast::<Outer>();
        if !(*outer).link.is_null() {
            drop(Box::from_raw((*outer).link));
            (*outer).link = ptr::null_mut();
        }
        (*(*inner(file)).pMethods).xClose.map_or(SQLITE_OK, |close| close(inner(file)))
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, n: c_int, offset: sqlite3_int64) -> c_int {
    // SAFETY: the file is open; SQLite gives `n` readable bytes.
    unsafe {
        let methods = (*inner(file)).pMethods;
        if let Some(link) = link(file) {
            let mut length: sqlite3_int64 = 0;
            let sized = (*methods).xFileSize.map_or(SQLITE_IOERR, |size| size(inner(file), &raw mut length));
            if sized != SQLITE_OK {
                return sized;
            }
            let bytes = std::slice::from_raw_parts(from.cast::<u8>(), usize::try_from(n).unwrap_or_default());
            let noted = link.disk.write(link.number, offset.cast_unsigned(), bytes, length.cast_unsigned());
            if let Err(e) = noted {
                return code(&e, SQLITE_IOERR);
            }
        }
        (*methods).xWrite.map_or(SQLITE_IOERR, |write| write(inner(file), from, n, offset))
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: the file is open.
    unsafe {
        let result = (*(*inner(file)).pMethods).xTruncate.map_or(SQLITE_IOERR, |t| t(inner(file), length));
        if let (SQLITE_OK, Some(link)) = (result, link(file)) {
            link.disk.truncate(link.number, length.cast_unsigned());
        }
        result
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file is open.
    unsafe {
        let Some(link) = link(file) else {
            return (*(*inner(file)).pMethods).xSync.map_or(SQLITE_IOERR, |sync| sync(inner(file), flags));
        };
        if link.disk.sync(link.number).is_err() {
            return SQLITE_IOERR_FSYNC;
        }
        if let Some(folder) = link.new_in.take()
            && link.disk.sync_folder(&folder).is_err()
        {
            return SQLITE_IOERR_DIR_FSYNC;
        }
        SQLITE_OK
    }
}

/// Functions that do no more than call those of SQLite's own layer.
macro_rules! pass {
    ($($name:ident = $method:ident ($($argument:ident: $kind:ty),*);)*) => {$(
        unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $argument: $kind)*) -> c_int {
            // SAFETY: the file is open; arguments are handed on as they came.
            unsafe { (*(*inner(file)).pMethods).$method.map_or(SQLITE_IOERR, |f| f(inner(file) $(, $argument)*)) }
        }
    )*};
}

pass! {
    read = xRead(to: *mut c_void, n: c_int, offset: sqlite3_int64);
    size = xFileSize(to: *mut sqlite3_int64);
    lock = xLock(level: c_int);
    unlock = xUnlock(level: c_int);
    reserved = xCheckReservedLock(to: *mut c_int);
    control = xFileControl(what: c_int, with: *mut c_void);
    sector = xSectorSize();
    device = xDeviceCharacteristics();
    shm_map = xShmMap(region: c_int, size: c_int, extend: c_int, to: *mut *mut c_void);
    shm_lock = xShmLock(offset: c_int, n: c_int, flags: c_int);
    shm_unmap = xShmUnmap(remove: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: the file is open.
    unsafe {
        if let Some(barrier) = (*(*inner(file)).pMethods).xShmBarrier {
            barrier(inner(file));
        }
    }
}

/// Version 2: with the shared index of the log, without pages mapped into memory, whose writes could not be noted.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector),
    xDeviceCharacteristics: Some(device),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
