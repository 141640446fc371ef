//! Whether a file is what its publisher gave out, where the publisher says so: `NAME.md5`, `SHA256SUMS` and the like beside it.

use super::unreadable;
use crate::dissect::hex;
use crate::pipeline::Error;
use md5::{Digest, Md5};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Lists that a folder may have.
const LISTS: [&str; 6] = ["SHA256SUMS", "sha256sums.txt", "checksums.sha256", "MD5SUMS", "md5sums.txt", "checksums.md5"];

/// The SHA-256 of a file, and whether its publisher's sum holds; `None` where there is none.
pub(super) fn of(path: &Path) -> Result<(String, Option<bool>), Error> {
    let (md5, sha256) = sums(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let holds = published(path).map(|sum| sum == md5 || sum == sha256);
    Ok((sha256, holds))
}

/// Whether its publisher gives a sum: large files without one need not be read.
pub(super) fn is_published(path: &Path) -> bool {
    published(path).is_some()
}

/// That it is not what was published.
pub(super) fn refused(path: &Path) -> Error {
    unreadable(path, "its checksum is not the one that its publisher gives beside it; download it again")
}

fn sums(path: &Path) -> std::io::Result<(String, String)> {
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 20]);
    let (mut md5, mut sha256) = (Md5::new(), ring::digest::Context::new(&ring::digest::SHA256));
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hex(&md5.finalize()), hex(sha256.finish().as_ref())));
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        md5.update(bytes);
        sha256.update(bytes);
    }
}

/// The sum that stands beside a file, in lower case.
fn published(path: &Path) -> Option<String> {
    let (folder, name, stem) = (path.parent()?, path.file_name()?.to_str()?, path.file_stem()?.to_str()?);
    let own = [name, stem].into_iter().flat_map(|name| ["md5", "sha256"].map(|ending| format!("{name}.{ending}")));
    let of_own = own.filter_map(|file| sum_in(&folder.join(file), None));
    let of_lists = LISTS.iter().filter_map(|list| sum_in(&folder.join(list), Some(name)));
    of_own.chain(of_lists).next()
}

/// The first sum in a file; of a list, that of `name`.
fn sum_in(path: &Path, name: Option<&str>) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let is_sum = |word: &&str| matches!(word.len(), 32 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let names = |line: &str| name.is_none_or(|name| line.split_whitespace().any(|word| word.trim_start_matches(['*', '.', '/']) == name));
    let sum = text.lines().filter(|line| names(line)).find_map(|line| line.split_whitespace().find(is_sum))?;
    Some(sum.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_s_sum_is_found_beside_the_file_and_held_against_it() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let holds = |name: &str| of(&folder.path().join(name)).unwrap().1;
        write("a.csv", "abc");
        assert_eq!(holds("a.csv"), None);
        write("a.md5", "900150983CD24FB0D6963F7D28E17F72  a.csv\n");
        assert_eq!(holds("a.csv"), Some(true));
        write("b.pcap", "abd");
        write(
            "SHA256SUMS",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad *./c.pcap\nba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad *b.pcap\n",
        );
        assert_eq!(holds("b.pcap"), Some(false));
        assert_eq!(of(&folder.path().join("a.csv")).unwrap().0, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
