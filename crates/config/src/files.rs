//! Reading through a function that is handed in, with a note of what was read.

use std::io;
use std::path::{Path, PathBuf};

/// Reads a file; the edge gives `std::fs::read`, a test a map.
pub type Reader<'a> = dyn Fn(&Path) -> io::Result<Vec<u8>> + 'a;

/// The names in a folder; the edge gives `std::fs::read_dir`. None when it cannot be read.
pub type Lister<'a> = dyn Fn(&Path) -> Vec<String> + 'a;

/// FNV-1a, 64 bits: stable over releases and machines, because two routers compare it.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// Every file of one configuration: read through here, so that it is watched and hashed.
pub struct Files<'a> {
    reader: &'a Reader<'a>,
    lister: Option<&'a Lister<'a>>,
    private: Option<&'a Reader<'a>>,
    read: Vec<PathBuf>,
    hash: u64,
}

impl<'a> Files<'a> {
    /// Nothing read yet.
    pub fn new(reader: &'a Reader<'a>) -> Self {
        Self { reader, lister: None, private: None, read: Vec::new(), hash: FNV_OFFSET }
    }

    /// The same, where folders can be looked into.
    pub fn with_folders(self, lister: &'a Lister<'a>) -> Self {
        Self { lister: Some(lister), ..self }
    }

    /// The same, where files with passwords are read with a look at who else may read them.
    pub fn with_private(self, private: &'a Reader<'a>) -> Self {
        Self { private: Some(private), ..self }
    }

    /// The names in a folder, sorted; none where folders cannot be looked into. The folder is
    /// watched, because more may appear.
    pub fn list(&mut self, folder: &Path) -> Vec<String> {
        self.watch(folder);
        self.names(folder)
    }

    /// [`list`](Self::list) of a folder that is not watched.
    pub fn names(&self, folder: &Path) -> Vec<String> {
        let mut names = self.lister.map(|list| list(folder)).unwrap_or_default();
        names.sort();
        names
    }

    /// Reads a file. One that is missing is watched too, because it may appear.
    pub fn read(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.watch(path);
        let bytes = (self.reader)(path)?;
        let open = || bytes.split_inclusive(|byte| *byte == b'\n').flat_map(without_password);
        // The length keeps "ab" + "c" and "a" + "bc" apart.
        let length = open().count() as u64;
        for byte in length.to_le_bytes().iter().chain(open()) {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME);
        }
        Ok(bytes)
    }

    /// Reads a file that holds secrets, or that is this router's own: it is watched, but not
    /// hashed, because the hash travels in heartbeats and is compared.
    pub fn read_unhashed(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.watch(path);
        (self.reader)(path)
    }

    /// [`Self::read_unhashed`] of a file that nobody else may read.
    pub fn read_private(&mut self, path: &Path) -> io::Result<Vec<u8>> {
        self.watch(path);
        self.private.unwrap_or(self.reader)(path)
    }

    /// Notes a file or folder whose changes count.
    pub(crate) fn watch(&mut self, path: &Path) {
        if !self.read.iter().any(|known| known == path) {
            self.read.push(path.to_path_buf());
        }
    }

    /// Whether a file can be read. It is neither watched nor hashed.
    pub fn exists(&self, path: &Path) -> bool {
        (self.reader)(path).is_ok()
    }

    /// Every file that was asked for, and the hash over the content of those that exist.
    pub fn finish(self) -> (Vec<PathBuf>, u64) {
        (self.read, self.hash)
    }
}

/// A line up to where it says a password, as `passwd` and `secret` of ldirectord.cf do, and
/// `stonith_host` of ha.cf: whoever hears heartbeats could guess it from the hash.
fn without_password(line: &[u8]) -> &[u8] {
    let word = line.trim_ascii_start();
    if word.starts_with(b"stonith_host") {
        return b"stonith_host\n";
    }
    let says = |name: &[u8]| {
        word.strip_prefix(name).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"="))
    };
    if says(b"passwd") || says(b"secret") {
        let end = line.iter().position(|byte| *byte == b'=').unwrap_or(line.len());
        return line.get(..end).unwrap_or(line);
    }
    line
}
