//! From a finding to its packets: exactly those, out of the evidence as it was analysed, in a file that Wireshark opens.
//!
//! ```text
//! F3, I1, flow, host, SQL ─select→ flows, frames ─packets.parquet→ frames of files ─extract→ pcapng (and files)
//!                                                                    └ hashes: the same evidence, or nothing
//! ```

pub mod evidence;
mod extract;
mod files;
mod select;

pub(super) use extract::missing;
pub use files::Transferred;
pub use select::Selection;

use super::{Error, REOPEN_MEMORY};
use crate::capture::Origin;
use crate::capture::write::PcapNgWriter;
use crate::model::{Frame, LinkType};
use crate::store::{self, Cell, OpenCase, query};
use duckdb::Connection;
use evidence::Piece;
use extract::{Place, Wanted, Wish};
use select::Chosen;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// Findings named in one comment.
const NAMED_MAX: usize = 20;

/// What is to be carved, and where it goes.
#[derive(Clone, Debug)]
pub struct Request {
    /// Case folder.
    pub case: PathBuf,
    /// What.
    pub selections: Vec<Selection>,
    /// What, as typed.
    pub typed: Vec<String>,
    /// Capture to write.
    pub out: Option<PathBuf>,
    /// Folder for transferred files.
    pub files: Option<PathBuf>,
    /// Packets within so many nanoseconds of chosen ones come too.
    pub context_ns: i64,
    /// Of findings only the frames they name.
    pub frames_only: bool,
    /// Where evidence was moved to.
    pub evidence: Option<PathBuf>,
}

/// What was carved.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Carved {
    /// The capture that was written.
    pub path: Option<PathBuf>,
    /// Its SHA-256.
    pub sha256: Option<String>,
    /// Packets in it.
    pub packets: u64,
    /// Of these, packets that were not chosen but lie around chosen ones.
    pub context: u64,
    /// Captured bytes.
    pub bytes: u64,
    /// Flows chosen.
    pub flows: u64,
    /// Findings concerned.
    pub findings: Vec<String>,
    /// Evidence read: path now, and hash.
    pub evidence: Vec<(PathBuf, String)>,
    /// Transferred files.
    pub files: Vec<Transferred>,
    /// What could not be carved.
    pub missing: Vec<String>,
}

/// Carves. Nothing is left behind where it fails.
pub fn carve(request: &Request) -> Result<Carved, Error> {
    if let Some(out) = request.out.as_deref().filter(|out| out.exists()) {
        return Err(Error::Occupied { path: out.display().to_string() });
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let case = store::open_read_only(&request.case, REOPEN_MEMORY, threads)?;
    let pieces = evidence::pieces(case.connection())?;
    let place = Place { pieces: &pieces, folder: case.folder(), moved_to: request.evidence.as_deref() };
    let chosen = select::choose(case.connection(), &request.selections, request.frames_only)?;
    let mut carved = Carved { flows: chosen.flows, findings: chosen.findings.keys().cloned().collect(), ..Carved::default() };
    if let Some(out) = &request.out {
        packets(&case, request, &place, &chosen, out, &mut carved)?;
    }
    if let Some(folder) = &request.files {
        transferred(&case, &place, folder, &mut carved)?;
    }
    carved.missing.extend(chosen.missing);
    record(&case, request, &carved)?;
    Ok(carved)
}

/// Writes the packets beside `out`, and gives the file its name once the evidence has proved itself.
fn packets(case: &OpenCase, request: &Request, place: &Place<'_>, chosen: &Chosen, out: &Path, carved: &mut Carved) -> Result<(), Error> {
    let db = case.connection();
    let beside = Beside::new(out)?;
    let wish = Wish::new(db, request.context_ns)?;
    let mut writer = Writer::new(db, &beside, request, chosen, place.pieces)?;
    let read = extract::each(db, &wish, place, |wanted, frame, origin| writer.frame(wanted, frame, origin))?;
    let Writer { out: pcapng, packets, context, bytes, early, .. } = writer;
    pcapng.finish().map_err(beside.failed())?;
    if packets == 0 {
        return Err(Error::Selection("what was chosen has no packets in this case: nothing to carve".into()));
    }
    (carved.packets, carved.context, carved.bytes) = (packets, context, bytes);
    note_evidence(carved, &read);
    let absent: Vec<u64> = absent(db, chosen)?;
    if !absent.is_empty() {
        carved.missing.push(format!("{} frames that findings name are not in the packet index: {}", absent.len(), listed(&absent)));
    }
    if early > 0 {
        carved.missing.push(format!("the times of {early} packets: pcapng holds none before 1970; they were moved there"));
    }
    let digests = crate::capture::hash_file(&beside.path, crate::capture::Hash::Sha256).map_err(beside.failed())?;
    carved.sha256 = Some(digests.sha256);
    beside.publish(out)?;
    carved.path = Some(out.to_path_buf());
    Ok(())
}

fn note_evidence(carved: &mut Carved, read: &extract::Read) {
    for (piece, path) in read {
        let told = (path.clone(), piece.hash());
        if !carved.evidence.contains(&told) {
            carved.evidence.push(told);
        }
    }
}

fn listed(frames: &[u64]) -> String {
    let said: Vec<String> = frames.iter().take(NAMED_MAX).map(u64::to_string).collect();
    format!("{}{}", said.join(", "), if frames.len() > NAMED_MAX { " …" } else { "" })
}

/// Frames that findings name and the index does not have.
fn absent(db: &Connection, chosen: &Chosen) -> Result<Vec<u64>, Error> {
    if chosen.marks.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(db, "SELECT DISTINCT frame FROM carve_frames WHERE frame NOT IN (SELECT frame FROM packets) ORDER BY frame")?;
    Ok(rows.rows.iter().flatten().filter_map(|cell| cell.to_string().parse().ok()).collect())
}

fn transferred(case: &OpenCase, place: &Place<'_>, folder: &Path, carved: &mut Carved) -> Result<(), Error> {
    let db = case.connection();
    let mut found = files::wanted(db)?;
    if found.is_empty() {
        carved.missing.push("no transferred file: none was seen in what was chosen".into());
        return Ok(());
    }
    let mut rebuilder = files::Rebuilder::new();
    let wish = Wish::new(db, 0)?;
    let read = extract::each(db, &wish, place, |_, frame, _| {
        rebuilder.frame(frame);
        Ok(())
    })?;
    files::write(&mut found, &rebuilder.finish(), folder)?;
    note_evidence(carved, &read);
    carved.files = found;
    Ok(())
}

fn record(case: &OpenCase, request: &Request, carved: &Carved) -> Result<(), Error> {
    let detail = json!({
        "what": request.typed,
        "context_ns": request.context_ns,
        "frames_only": request.frames_only,
        "out": carved.path,
        "sha256": carved.sha256,
        "packets": carved.packets,
        "evidence": carved.evidence.iter().map(|(_, hash)| hash).collect::<Vec<_>>(),
        "files": carved.files.iter().filter(|file| file.path.is_some()).map(|file| &file.sha256).collect::<Vec<_>>(),
    });
    super::custody::record(case.folder(), "carved", detail).map(drop)
}

/// A file that has no name yet: it goes away unless it is published.
struct Beside {
    path: PathBuf,
}

impl Beside {
    fn new(out: &Path) -> Result<Self, Error> {
        let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let beside = Self { path: out.with_file_name(format!(".{name}.{}.part", std::process::id())) };
        File::create_new(&beside.path).map_err(beside.failed())?;
        Ok(beside)
    }

    fn failed(&self) -> impl Fn(std::io::Error) -> Error + use<> {
        let what = self.path.display().to_string();
        move |error| Error::Write { what: what.clone(), error }
    }

    /// Gives it its name, unless another has it meanwhile.
    fn publish(&self, out: &Path) -> Result<(), Error> {
        fs::hard_link(&self.path, out)
            .or_else(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => Err(error),
                // Not every file system has links.
                _ => fs::rename(&self.path, out),
            })
            .map_err(|error| Error::Write { what: out.display().to_string(), error })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// An interface as its capture describes it.
#[derive(Clone, Debug, Default)]
struct Described {
    name: String,
    description: String,
    snaplen: u32,
}

/// Writes the capture: interfaces as they appear, comments as findings say.
struct Writer<'a> {
    out: PcapNgWriter<BufWriter<File>>,
    chosen: &'a Chosen,
    pieces: &'a [Piece],
    described: BTreeMap<(u32, Origin), Described>,
    comments: BTreeMap<u64, Vec<String>>,
    ids: BTreeMap<(u32, Origin, LinkType), u32>,
    failed: Box<dyn Fn(std::io::Error) -> Error>,
    packets: u64,
    context: u64,
    bytes: u64,
    early: u64,
}

impl<'a> Writer<'a> {
    fn new(db: &Connection, beside: &Beside, request: &Request, chosen: &'a Chosen, pieces: &'a [Piece]) -> Result<Self, Error> {
        let file = File::create(&beside.path).map_err(beside.failed())?;
        let comment = about(request, chosen, pieces);
        let program = concat!("vigil ", env!("CARGO_PKG_VERSION"));
        let out = PcapNgWriter::new(BufWriter::new(file), program, &comment).map_err(beside.failed())?;
        let (described, comments) = (interfaces(db)?, comments(db)?);
        let failed = Box::new(beside.failed());
        Ok(Self { out, chosen, pieces, described, comments, ids: BTreeMap::new(), failed, packets: 0, context: 0, bytes: 0, early: 0 })
    }

    fn frame(&mut self, wanted: &Wanted, frame: Frame<'_>, origin: Origin) -> Result<(), Error> {
        let meta = frame.meta;
        let interface = self.interface(wanted.capture, origin, meta.link)?;
        let comment = self.comment(wanted);
        self.out.frame(interface, meta.ts_ns, meta.wire_len, frame.bytes, &comment).map_err(&self.failed)?;
        self.packets += 1;
        self.context += u64::from(!wanted.chosen);
        self.bytes += u64::from(meta.caplen);
        self.early += u64::from(meta.ts_ns < 0);
        Ok(())
    }

    fn interface(&mut self, capture: u32, origin: Origin, link: LinkType) -> Result<u32, Error> {
        if let Some(id) = self.ids.get(&(capture, origin, link)) {
            return Ok(*id);
        }
        let told = self.described.get(&(capture, origin)).cloned().unwrap_or_default();
        let source = format!("interface {} of section {} in {}", origin.interface, origin.section, self.file(capture));
        let description = if told.description.is_empty() { source } else { format!("{}; {source}", told.description) };
        let id = self.out.described(link, &told.name, &description, told.snaplen).map_err(&self.failed)?;
        self.ids.insert((capture, origin, link), id);
        Ok(id)
    }

    /// Where the packet comes from, which findings name it, and what its capture said of it.
    fn comment(&self, wanted: &Wanted) -> String {
        let mut said = Vec::new();
        for id in self.chosen.marks.get(&wanted.frame).into_iter().flatten().take(NAMED_MAX) {
            let title = self.chosen.findings.get(id).map_or("", String::as_str);
            said.push(format!("{id}: {title}"));
        }
        if !wanted.chosen {
            said.push("context".into());
        }
        said.push(format!("frame {} of the case, {} of {}", wanted.frame, wanted.in_file, self.file(wanted.capture)));
        said.extend(self.comments.get(&wanted.frame).into_iter().flatten().cloned());
        said.join("\n")
    }

    fn file(&self, capture: u32) -> String {
        let piece = self.pieces.iter().find(|piece| piece.id == capture);
        let name = piece.and_then(|piece| Path::new(&piece.path).file_name()).map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| "standard input".into())
    }
}

/// What the file is, for whoever gets it without the case.
fn about(request: &Request, chosen: &Chosen, pieces: &[Piece]) -> String {
    let mut lines = vec![format!("carved by vigil: {}", request.typed.join(" "))];
    lines.extend(chosen.findings.iter().take(NAMED_MAX).map(|(id, title)| format!("{id}: {title}")));
    if request.context_ns > 0 {
        lines.push(format!("with packets within {} s of those chosen", request.context_ns as f64 / 1e9));
    }
    lines.extend(pieces.iter().take(NAMED_MAX).map(|piece| format!("evidence: {}, {} bytes, {}", piece.path, piece.bytes, piece.hash())));
    lines.join("\n")
}

fn number(cell: Option<&Cell>) -> u64 {
    match cell {
        Some(Cell::Int(n)) => u64::try_from(*n).unwrap_or(0),
        _ => 0,
    }
}

fn interfaces(db: &Connection) -> Result<BTreeMap<(u32, Origin), Described>, Error> {
    let rows = query(db, "SELECT capture_id, section, interface, name, description, snaplen FROM capture_interfaces")?;
    let text = |cell: Option<&Cell>| cell.map(Cell::to_string).unwrap_or_default();
    let read = |row: &Vec<Cell>| {
        let origin = Origin { section: number(row.get(1)) as u32, interface: number(row.get(2)) as u32 };
        let described = Described { name: text(row.get(3)), description: text(row.get(4)), snaplen: number(row.get(5)) as u32 };
        ((number(row.first()) as u32, origin), described)
    };
    Ok(rows.rows.iter().map(read).collect())
}

/// Comments that captures have on packets.
fn comments(db: &Connection) -> Result<BTreeMap<u64, Vec<String>>, Error> {
    let rows = query(db, "SELECT frame, text FROM comments WHERE frame IS NOT NULL ORDER BY frame, kind, text")?;
    let mut said: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for row in &rows.rows {
        said.entry(number(row.first())).or_default().extend(row.get(1).map(Cell::to_string));
    }
    Ok(said)
}
