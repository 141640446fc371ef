//! A desk to run vigil on: a folder of its own, none of the settings around, and everything that was said.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The binary under test.
pub const VIGIL: &str = env!("CARGO_BIN_EXE_vigil");

/// A folder that goes away with it, in which vigil is run.
pub struct Desk {
    folder: tempfile::TempDir,
}

/// What vigil said, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Exit code; `-1` if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Desk {
    /// An empty desk.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path on the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Puts a file on the desk.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the desk can be written on");
        path
    }

    /// Reads a file on the desk.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// `vigil ARGS…`, here, with nothing from the environment that could change its mind.
    pub fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(VIGIL);
        command.args(args).current_dir(self.folder()).env_clear().stdin(Stdio::null());
        for name in ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }

    /// Runs it.
    pub fn vigil<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Said {
        Said::of(self.command(args))
    }

    /// Runs it with `input` on standard input.
    pub fn vigil_fed<'a>(&self, args: impl IntoIterator<Item = &'a str>, input: &[u8]) -> Said {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("vigil starts");
        let mut stdin = child.stdin.take().expect("a pipe was asked for");
        std::thread::scope(|scope| {
            scope.spawn(move || stdin.write_all(input));
            Said::from(child.wait_with_output().expect("vigil ends"))
        })
    }

    /// Rows of a query over a case on the desk, as JSON.
    pub fn sql(&self, case: &str, query: &str) -> Vec<Value> {
        let said = self.vigil(["sql", case, query, "--json"]);
        assert_eq!(said.code, 0, "{query}: {said:?}");
        said.out.lines().map(|line| serde_json::from_str(line).expect("one object a line")).collect()
    }
}

impl Said {
    /// Runs a command to its end.
    pub fn of(mut command: Command) -> Self {
        Self::from(command.output().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Standard output as one JSON value.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// That it went well: exit code 0 or 1, and not a word on standard error.
    #[track_caller]
    pub fn well(self) -> Self {
        assert!(matches!(self.code, 0 | 1), "{self:?}");
        assert_eq!(self.err, "", "{self:?}");
        self
    }
}

impl From<std::process::Output> for Said {
    fn from(output: std::process::Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The labelled capture `name` as a pcap file's bytes.
pub fn scenario(name: &str) -> Vec<u8> {
    pcap_of(&vigil::synth::scenario(name).unwrap_or_else(|| panic!("no scenario {name}")))
}

/// A generated capture as a pcap file's bytes.
pub fn pcap_of(capture: &vigil::synth::Capture) -> Vec<u8> {
    let mut bytes = Vec::new();
    vigil::synth::write_pcap(capture, &mut bytes).expect("memory takes it");
    bytes
}

/// The case of the demo's attack, made once for all tests: an ordinary hour and one break-in, with every report.
pub fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("demo");
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("target/tmp can be written in");
        let pcap = folder.join("demo.pcap");
        std::fs::write(&pcap, pcap_of(&vigil::synth::demo(1))).expect("target/tmp can be written in");
        let case = folder.join("demo.vigil");
        let paths = [&pcap, &case].map(|path| path.to_string_lossy().into_owned());
        let desk = Desk::new();
        let said = desk.vigil(["analyze", &paths[0], "--out", &paths[1], "--report", "html,json,md,csv"]);
        assert_eq!(said.code, 1, "the demo holds an attack: {said:?}");
        case
    })
}

/// A capture library beside the project (`../shared/…`), or `None` with a line that says so.
pub fn shared(place: &str) -> Option<PathBuf> {
    let project = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
    let path = Path::new(&project).join("../shared").join(place);
    let here = path.exists().then_some(path);
    if here.is_none() {
        println!("SKIPPED: ../shared/{place} is not there");
    }
    here
}

/// Whether `program` answers to `args`; says so where it does not.
pub fn usable(program: &str, args: &[&str]) -> bool {
    let ran = Command::new(program).args(args).stdin(Stdio::null()).output();
    let usable = ran.as_ref().is_ok_and(|output| output.status.success());
    if !usable {
        println!("SKIPPED: `{program} {}` does not work here: {ran:?}", args.join(" "));
    }
    usable
}
