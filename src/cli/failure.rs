//! Exit codes, and errors that name the thing, the place and the cure.

use std::process::ExitCode;
use thiserror::Error;

/// What the exit status says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// 0: nothing at or above `--fail-on`.
    Quiet,
    /// 1: findings at or above `--fail-on`.
    Findings,
    /// 2: the command line cannot be carried out as typed.
    Usage,
    /// 3: evidence is damaged or incomplete; results were written. Goes before 1, since what is missing may matter more.
    Incomplete,
    /// 4: vigil itself failed.
    Internal,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command could not be carried out.
#[derive(Debug, Error)]
pub enum Failure {
    /// Typed wrongly, or names something that is not there.
    #[error("{0}")]
    Usage(String),
    /// Reading evidence.
    #[error(transparent)]
    Capture(#[from] crate::capture::Error),
    /// The case.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// Rules.
    #[error(transparent)]
    Detect(#[from] crate::detect::Error),
    /// Rendering.
    #[error(transparent)]
    Report(#[from] crate::report::Error),
    /// Serving.
    #[error(transparent)]
    Serve(#[from] crate::serve::Error),
    /// Users of a served case.
    #[error(transparent)]
    Users(#[from] crate::serve::UsersError),
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] crate::pipeline::Error),
    /// Writing somewhere.
    #[error("cannot write {what}: {error}")]
    Write {
        /// To what.
        what: String,
        /// Why not.
        error: std::io::Error,
    },
}

impl Failure {
    /// Writing to standard output failed.
    pub fn stdout(error: std::io::Error) -> Self {
        Self::Write { what: "to standard output".into(), error }
    }

    /// Whether whoever read the output has had enough.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { error, .. } if error.kind() == std::io::ErrorKind::BrokenPipe)
    }

    /// The exit code it deserves: 2 for what the person at the keyboard can mend.
    pub fn exit(&self) -> Exit {
        use crate::pipeline::Error as P;
        use crate::serve::Error as V;
        match self {
            Self::Users(_) | Self::Serve(V::Users(_) | V::Listen { .. } | V::Nobody { .. } | V::Certificate { .. } | V::NoCase(_)) => {
                Exit::Usage
            }
            Self::Serve(V::Store(error)) if is_case_usage(error) => Exit::Usage,
            Self::Usage(_) | Self::Capture(_) | Self::Pipeline(P::Capture(_) | P::Selection(_) | P::Occupied { .. }) => Exit::Usage,
            Self::Pipeline(P::EvidenceMissing { .. } | P::EvidenceChanged { .. }) => Exit::Incomplete,
            Self::Pipeline(P::Store(crate::store::StoreError::Database { doing, .. })) if doing == "running the query" => Exit::Usage,
            Self::Pipeline(P::Baseline(_) | P::Given { .. }) => Exit::Usage,
            Self::Pipeline(P::Enrich(crate::enrich::Error::File { .. })) => Exit::Usage,
            Self::Detect(error) | Self::Pipeline(P::Detect(error)) if is_rules_usage(error) => Exit::Usage,
            Self::Store(error) | Self::Pipeline(P::Store(error)) if is_case_usage(error) => Exit::Usage,
            _ => Exit::Internal,
        }
    }
}

fn is_rules_usage(error: &crate::detect::Error) -> bool {
    !matches!(error, crate::detect::Error::Database { .. })
}

fn is_case_usage(error: &crate::store::StoreError) -> bool {
    use crate::store::StoreError as S;
    match error {
        S::NoCase(_) | S::NotACase(_) | S::Occupied(_) | S::Unwritable { .. } | S::Exists(_) | S::Unfinished(_) => true,
        S::Newer { .. } | S::Locked { .. } | S::Live(_) => true,
        S::Database { doing, .. } => doing == "running the query",
        _ => false,
    }
}
