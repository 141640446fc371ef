//! Packets of a finding or flow as pcapng: what `vigil carve` writes, by `vigil carve`, in a process of its own, since it opens the case itself.

use super::access::users::secret;
use super::child::own_program;
use super::problem::Problem;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Bytes of a capture that is handed over; more is for the command line.
const BYTES: u64 = 256 << 20;
/// How long carving may take: it reads the evidence.
const TIME: Duration = Duration::from_secs(50);
/// Carvings at once: each reads the evidence.
const AT_ONCE: usize = 2;

/// Carves for one case.
pub struct Carver {
    folder: PathBuf,
    places: Arc<Semaphore>,
}

/// A folder that nobody else can read, and that goes away.
struct Desk(PathBuf);

impl Desk {
    fn new() -> std::io::Result<Self> {
        let name = secret().map_err(std::io::Error::other)?;
        let folder = std::env::temp_dir().join(format!("vigil-{name}"));
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Carver {
    /// For the case in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// For another case, with the same places.
    pub fn of(&self, folder: &Path) -> Self {
        Self { folder: folder.into(), places: self.places.clone() }
    }

    /// The packets of `what`, as `vigil carve` names it: `F3`, `flow:1042`.
    pub async fn carve(&self, what: &str) -> Result<Vec<u8>, Problem> {
        let _place = self.places.try_acquire().map_err(|_| Problem::Busy)?;
        let failed = |error: std::io::Error| Problem::Ours(format!("carving failed: {error}"));
        let desk = Desk::new().map_err(failed)?;
        let out = desk.0.join("packets.pcapng");
        let mut command = own_program().map_err(failed)?;
        command.arg("carve").arg(&self.folder).args([what, "-o"]).arg(&out).stderr(Stdio::piped());
        let late = |_| Problem::Late(format!("carving took longer than {} s; use `vigil carve CASE {what} -o out.pcapng`", TIME.as_secs()));
        let ended = tokio::time::timeout(TIME, command.output()).await.map_err(late)?.map_err(failed)?;
        match std::fs::metadata(&out) {
            Ok(about) if about.len() > BYTES => {
                Err(Problem::TooLarge(format!("these are {} bytes; use `vigil carve CASE {what} -o out.pcapng`", about.len())))
            }
            Ok(_) => tokio::fs::read(&out).await.map_err(failed),
            Err(_) => Err(Problem::Nowhere(said(&ended.stderr))),
        }
    }
}

/// What the process said, as one line.
fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().find(|line| !line.is_empty()).unwrap_or("there are no packets to carve");
    crate::report::visible(line.trim_start_matches("vigil: ")).into_owned()
}
