//! The cases that are served: one that was named, all of a folder, or the one that a live capture of this process writes.
//!
//! A case is opened when it is first asked for and stands in memory from then on. A live case is opened anew when it has grown; whoever is
//! reading meanwhile goes on with what they have. The case that was named is asked for at `/`, any other below `/cases/NAME/`, where all
//! paths mean the same.

use super::desk::Desk;
use super::packets::Carver;
use super::problem::Problem;
use super::query::Runner;
use super::{Error, Options, Shared};
use crate::model::Report;
use crate::model::report::RuleRun;
use crate::pipeline;
use crate::store::live::Reader;
use crate::store::{self, OpenCase};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// Cases that are open at once, the one that was named aside: each may hold as much memory as `--memory` says.
const OPEN: usize = 3;
/// A live case is looked at this often at most …
const LOOK: Duration = Duration::from_secs(1);
/// … and a look rests this many times what the one before took, within bounds: a dashboard should move.
const REST: u32 = 4;
const LONGEST: Duration = Duration::from_secs(15);

/// A case as it is shown: all that requests about it share.
pub(crate) struct App {
    /// What it is called in addresses.
    pub name: String,
    /// The report.
    pub report: Report,
    /// Where DuckDB is asked.
    pub desk: Arc<Desk>,
    /// Its folder.
    pub folder: PathBuf,
    /// A capture writes it, or did.
    pub live: bool,
    /// Segments that are shown.
    segments: usize,
    /// Where SQL runs that people write.
    pub query: Runner,
    /// Where packets are carved.
    pub carver: Carver,
    /// `report.html`, once it was asked for.
    pub page: OnceLock<Arc<Vec<u8>>>,
    /// What the models say over time, once it was asked for.
    pub trend: tokio::sync::OnceCell<Arc<super::pages::Trend>>,
}

/// Where a case comes from.
enum Source {
    /// A folder.
    Folder,
    /// This process writes it.
    Own(Box<Reader>),
}

/// One place on the shelf.
struct Slot {
    folder: PathBuf,
    source: Source,
    app: RwLock<Option<Arc<App>>>,
    /// One opening at a time.
    opening: tokio::sync::Mutex<()>,
    asked: AtomicU64,
    /// What the folder looked like when it was opened.
    seen: Mutex<Seen>,
}

/// Sizes and times of the files of a live case that are whole: its segments and its findings.
type Seen = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// All cases that are served.
pub(crate) struct Shelf {
    slots: RwLock<BTreeMap<String, Arc<Slot>>>,
    first: Option<String>,
    /// All cases in it are served.
    folder: Option<PathBuf>,
    memory: u64,
    threads: usize,
    query: Runner,
    carver: Carver,
    rules: Mutex<Option<Vec<RuleRun>>>,
    pulse: Mutex<Option<Value>>,
    clock: AtomicU64,
}

impl Shelf {
    /// The case or the folder of cases that was named. A case is opened at once, so that what is wrong with it is told.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let mut shelf = Self::empty(options);
        let place = &options.place;
        let is_case = place.is_file() || place.join(store::folder::files::MANIFEST).exists() || store::live::is_live(place);
        if !is_case && place.is_dir() && !place.join(store::folder::files::DATABASE).exists() {
            shelf.folder = Some(place.clone());
            shelf.look_around();
            return Ok(shelf);
        }
        if !place.exists() {
            return Err(Error::NoCase(place.display().to_string()));
        }
        let case = store::open_read_only(place, options.memory, options.threads)?;
        let folder = case.folder().to_path_buf();
        let name = name_of(&folder);
        let slot = Slot::new(folder, Source::Folder);
        *lock(&slot.seen) = seen(&slot.folder);
        let app = shelf.shown(&name, &slot, case)?;
        slot.set(Some(Arc::new(app)));
        shelf.put(name.clone(), slot);
        shelf.first = Some(name);
        Ok(shelf)
    }

    /// The case that a live capture of this process writes. It is opened when it is first asked for.
    pub fn of_live(options: &Options, reader: Reader) -> Self {
        let mut shelf = Self::empty(options);
        let folder = reader.folder().to_path_buf();
        let name = name_of(&folder);
        shelf.put(name.clone(), Slot::new(folder, Source::Own(Box::new(reader))));
        shelf.first = Some(name);
        shelf
    }

    fn empty(options: &Options) -> Self {
        Self {
            slots: RwLock::default(),
            first: None,
            folder: None,
            memory: options.memory,
            threads: options.threads,
            query: Runner::new(Path::new("")),
            carver: Carver::new(Path::new("")),
            rules: Mutex::default(),
            pulse: Mutex::default(),
            clock: AtomicU64::new(1),
        }
    }

    fn put(&self, name: String, slot: Slot) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).insert(name, Arc::new(slot));
    }

    /// Puts a case on the shelf; returns its name there, which no other case has.
    pub fn add(&self, folder: &Path) -> String {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, _)) = slots.iter().find(|(_, slot)| slot.folder == folder) {
            return name.clone();
        }
        let own = name_of(&folder);
        let further = (2..).map(|number| format!("{own}-{number}"));
        let name = std::iter::once(own.clone()).chain(further).find(|name| !slots.contains_key(name)).unwrap_or(own);
        slots.insert(name.clone(), Arc::new(Slot::new(folder, Source::Folder)));
        name
    }

    /// Name of the case that `/` is about.
    pub fn first(&self) -> Option<&str> {
        self.first.as_deref()
    }

    /// Names of all cases.
    pub fn names(&self) -> Vec<String> {
        self.look_around();
        self.slots.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// All cases by name, with their folders and whether they stand in memory.
    pub fn all(&self) -> Vec<(String, PathBuf, bool)> {
        self.look_around();
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().map(|(name, slot)| (name.clone(), slot.folder.clone(), slot.app().is_some())).collect()
    }

    fn slot(&self, name: &str) -> Option<Arc<Slot>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Cases that came into the folder.
    fn look_around(&self) {
        let Some(entries) = self.folder.as_ref().and_then(|folder| std::fs::read_dir(folder).ok()) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.join(store::folder::files::MANIFEST).exists() {
                self.add(&path);
            }
        }
    }

    /// What the capture said last of how it goes.
    pub fn last_pulse(&self) -> Option<Value> {
        lock(&self.pulse).clone()
    }

    /// How the capture goes.
    pub fn pulse(&self, said: Value) {
        *lock(&self.pulse) = Some(said);
    }

    /// What became of the rules of the capture so far.
    pub fn rules(&self, rules: &[RuleRun]) {
        *lock(&self.rules) = Some(rules.to_vec());
    }

    /// Lets go of all cases.
    pub fn close(&self) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Opens a case that is not open. Blocks.
    fn fetch(&self, name: &str, slot: &Slot) -> Result<App, Error> {
        let found = seen(&slot.folder);
        let case = match (&slot.source, slot.app()) {
            (Source::Own(reader), _) => reader.look()?,
            (Source::Folder, Some(before)) => before.desk.again(self.memory, self.threads)?,
            (Source::Folder, None) => {
                self.make_room(name);
                store::open_read_only(&slot.folder, self.memory, self.threads)?
            }
        };
        *lock(&slot.seen) = found;
        self.shown(name, slot, case)
    }

    fn shown(&self, name: &str, slot: &Slot, case: OpenCase) -> Result<App, Error> {
        let rules = match slot.source {
            Source::Own(_) => Some(lock(&self.rules).clone().unwrap_or_default()),
            Source::Folder => None,
        };
        let report = pipeline::report_of(&case, rules)?;
        Ok(App {
            name: name.into(),
            report,
            folder: case.folder().to_path_buf(),
            live: store::live::is_live(case.folder()),
            segments: case.segments(),
            desk: Arc::new(Desk::new(case, self.threads)?),
            query: self.query.of(&slot.folder),
            carver: self.carver.of(&slot.folder),
            page: OnceLock::new(),
            trend: tokio::sync::OnceCell::new(),
        })
    }

    /// Closes the case that was asked for longest ago, if too many are open.
    fn make_room(&self, opening: &str) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        let others =
            slots.iter().filter(|(name, slot)| self.first.as_ref() != Some(name) && name.as_str() != opening && slot.app().is_some());
        let mut others: Vec<&Arc<Slot>> = others.map(|(_, slot)| slot).collect();
        others.sort_by_key(|slot| slot.asked.load(Relaxed));
        for slot in others.iter().rev().skip(OPEN - 1) {
            slot.set(None);
        }
    }
}

impl Slot {
    fn new(folder: PathBuf, source: Source) -> Self {
        let (app, opening) = (RwLock::default(), tokio::sync::Mutex::default());
        Self { folder, source, app, opening, asked: AtomicU64::new(0), seen: Mutex::default() }
    }

    fn app(&self) -> Option<Arc<App>> {
        self.app.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, app: Option<Arc<App>>) {
        *self.app.write().unwrap_or_else(PoisonError::into_inner) = app;
    }

    /// Whether there is more to see than what is shown. The own capture always goes on.
    fn has_grown(&self) -> bool {
        match self.source {
            Source::Own(_) => true,
            Source::Folder if store::live::is_live(&self.folder) => {
                let now = seen(&self.folder);
                // One that was being sealed when the case was opened had its file already, and could not be read.
                let hidden = self.app().is_some_and(|app| now.len() > app.segments + 1);
                hidden || *lock(&self.seen) != now
            }
            Source::Folder => false,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a case is called: its folder's name without the ending.
fn name_of(folder: &Path) -> String {
    let name = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name = name.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.strip_suffix(".vigil").unwrap_or(&name);
    if name.is_empty() { "case".into() } else { name.into() }
}

/// What there is of a live case that others may read: segments without a log beside them, and its findings.
fn seen(folder: &Path) -> Seen {
    let segments = std::fs::read_dir(folder.join(store::folder::files::SEGMENTS));
    let paths = segments.into_iter().flatten().flatten().map(|entry| entry.path());
    let whole =
        paths.filter(|path| path.extension().is_some_and(|ending| ending == "duckdb") && !path.with_extension("duckdb.wal").exists());
    let files = whole.chain([folder.join(store::folder::files::FINDINGS)]);
    let mut seen: Seen = files
        .filter_map(|path| {
            let about = std::fs::metadata(&path).ok()?;
            Some((path, about.len(), about.modified().ok()))
        })
        .collect();
    seen.sort();
    seen
}

/// The case of that name, opened if it is not.
pub(crate) async fn get(server: &Shared, name: &str) -> Result<Arc<App>, Problem> {
    let shelf = &server.shelf;
    let slot = match shelf.slot(name) {
        Some(slot) => slot,
        None => {
            shelf.look_around();
            shelf
                .slot(name)
                .ok_or_else(|| Problem::Nowhere(format!("there is no case {:?}; /cases lists them", crate::report::visible(name))))?
        }
    };
    slot.asked.store(shelf.clock.fetch_add(1, Relaxed), Relaxed);
    if let Some(app) = slot.app() {
        return Ok(app);
    }
    let _one = slot.opening.lock().await;
    if let Some(app) = slot.app() {
        return Ok(app);
    }
    renewed(server, name, &slot).await.map_err(|error| match error {
        // Whoever still reads what was closed has to finish first.
        Error::Store(store::StoreError::InUse(_)) => Problem::Busy,
        other => Problem::Wrong(format!("the case cannot be opened: {other}")),
    })
}

async fn renewed(server: &Shared, name: &str, slot: &Arc<Slot>) -> Result<Arc<App>, Error> {
    let (server, name, own) = (server.clone(), name.to_string(), slot.clone());
    let opened = tokio::task::spawn_blocking(move || server.shelf.fetch(&name, &own)).await;
    let app = Arc::new(opened.map_err(|panic| Error::Runtime(std::io::Error::other(panic)))??);
    slot.set(Some(app.clone()));
    Ok(app)
}

/// Shows live cases anew when they have grown, for as long as the server runs.
pub(crate) async fn keep_up(server: Shared) {
    loop {
        rest(&server, LOOK).await;
        let slots: Vec<(String, Arc<Slot>)> = server
            .shelf
            .slots
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .map(|(name, slot)| (name.clone(), slot.clone()))
            .collect();
        for (name, slot) in slots.into_iter().filter(|(_, slot)| slot.app().is_some_and(|app| app.live) && slot.has_grown()) {
            let began = Instant::now();
            let _one = slot.opening.lock().await;
            match renewed(&server, &name, &slot).await {
                Ok(app) => server.news.tell("case", Some(&name), super::api::at_a_glance(&app)),
                // A segment that is being sealed is not there for a moment; the next look finds it.
                Err(error) => server.news.tell("trouble", Some(&name), serde_json::json!({ "says": error.to_string() })),
            }
            rest(&server, (began.elapsed() * REST).min(LONGEST)).await;
        }
    }
}

/// Waits so long, or until someone met a segment that is not there any more.
async fn rest(server: &Shared, long: Duration) {
    let _ = tokio::time::timeout(long, server.stale.notified()).await;
}

/// The case that a request is about, from its path: put there by [`choose`].
#[derive(Clone)]
pub(crate) struct Chosen(pub Arc<str>);

/// Takes `/cases/NAME` off a path, so that the rest means what it means for the first case.
pub(crate) fn choose<B>(mut request: axum::http::Request<B>) -> axum::http::Request<B> {
    let uri = request.uri().clone();
    let Some(rest) = uri.path().strip_prefix("/cases/") else { return request };
    let (name, path) = rest.split_once('/').map_or((rest, ""), |(name, path)| (name, path));
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let Some(name) = super::exchange::decoded_text(name).filter(|name| !name.is_empty()) else { return request };
    let rest = format!("/{path}{query}").parse().ok();
    let mut parts = uri.into_parts();
    parts.path_and_query = rest;
    if let Ok(uri) = axum::http::Uri::from_parts(parts) {
        *request.uri_mut() = uri;
        request.extensions_mut().insert(Chosen(name.into()));
    }
    request
}

/// The case that a request is about.
pub(crate) struct Open(pub Arc<App>);

impl FromRequestParts<Shared> for Open {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, server: &Shared) -> Result<Self, Response> {
        let chosen = parts.extensions.get::<Chosen>().map(|chosen| chosen.0.clone());
        let found = match chosen.as_deref().or(server.shelf.first()) {
            Some(name) => get(server, name).await,
            None if parts.uri.path() == "/" => return Err(Redirect::to("/cases").into_response()),
            None => Err(Problem::Nowhere("no case was named here; /cases lists those that are served".into())),
        };
        found.map(Self).map_err(|problem| problem.told(parts.uri.path()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_case_means_what_it_means_at_the_root() {
        let chosen = |uri: &str| {
            let request = choose(axum::http::Request::builder().uri(uri).body(()).unwrap());
            (request.uri().to_string(), request.extensions().get::<Chosen>().map(|chosen| chosen.0.to_string()))
        };
        assert_eq!(chosen("/cases/a%20b/flows?x=1"), ("/flows?x=1".into(), Some("a b".into())));
        assert_eq!(chosen("/cases/a"), ("/".into(), Some("a".into())));
        assert_eq!(chosen("/cases"), ("/cases".into(), None));
        assert_eq!(chosen("/cases/"), ("/cases/".into(), None));
        assert_eq!(chosen("/flows"), ("/flows".into(), None));
    }
}
