//! Where a file named in a command lies, as far as the session told.

use std::net::IpAddr;

/// Deepest path followed, bytes.
const LONGEST: usize = 1_024;

/// The session's working directory: `.` until the server tells it.
pub(super) struct Directory(String);

impl Default for Directory {
    fn default() -> Self {
        Self(".".into())
    }
}

impl Directory {
    /// The path of `name` seen from here; `..` and doubled slashes are resolved.
    pub fn join(&self, name: &str) -> String {
        let drive = name.as_bytes().get(1) == Some(&b':');
        if drive {
            return name.to_owned();
        }
        let full = if name.starts_with('/') { name.to_owned() } else { format!("{}/{name}", self.0) };
        let mut parts: Vec<&str> = Vec::new();
        for (at, part) in full.split('/').enumerate() {
            match part {
                "." if at == 0 => parts.push("."),
                "" | "." => {}
                ".." if parts.last().is_some_and(|last| !matches!(*last, "." | "..")) => {
                    parts.pop();
                }
                ".." if full.starts_with('/') => {}
                part => parts.push(part),
            }
        }
        let path = parts.join("/");
        if full.starts_with('/') { format!("/{path}") } else { path }
    }

    /// The server followed a change to `name`.
    pub fn enter(&mut self, name: &str) {
        let path = self.join(name);
        if path.len() <= LONGEST {
            self.0 = path;
        }
    }

    /// The server answered PWD: the path stands between quotes (RFC 959, appendix II).
    pub fn told(&mut self, text: &str) {
        if let Some((_, rest)) = text.split_once('"')
            && let Some((path, _)) = rest.rsplit_once('"')
            && path.len() <= LONGEST
        {
            self.0 = path.replace("\"\"", "\"");
        }
    }
}

/// The file as a URL.
pub(super) fn url(host: IpAddr, path: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    match host {
        IpAddr::V4(host) => format!("ftp://{host}{slash}{path}"),
        IpAddr::V6(host) => format!("ftp://[{host}]{slash}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_follow_the_session() {
        let mut directory = Directory::default();
        assert_eq!(directory.join("a.txt"), "./a.txt");
        assert_eq!(directory.join(""), ".");
        directory.enter("pub//data");
        assert_eq!(directory.join("a"), "./pub/data/a");
        directory.enter("..");
        assert_eq!(directory.join("a"), "./pub/a");
        directory.enter("/srv");
        assert_eq!(directory.join("../../etc/passwd"), "/etc/passwd");
        directory.told("\"/home/x\" is the current directory");
        assert_eq!(directory.join("y"), "/home/x/y");
        assert_eq!(directory.join("C:\\y"), "C:\\y");
    }
}
