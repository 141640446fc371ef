//! Asking a model: who, where, with which key, and under which names.

use super::super::args::{ApiChoice, ModelArgs};
use super::super::settings::parse_time;
use super::{Failure, Narrator};
use crate::narrate::About;
use crate::narrate::llm::{Api, Settings};
use crate::pipeline::telling::{self, Explained};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// Model that Anthropic's API is asked for unless another is named.
const ANTHROPIC_MODEL: &str = "claude-sonnet-4-5";
/// Where Anthropic's API is.
const ANTHROPIC: &str = "https://api.anthropic.com";
/// Where Ollama listens unless told otherwise.
const LOCAL: &str = "http://127.0.0.1:11434";

impl Narrator {
    /// From the flags: what is wrong with them is said before any work is done. Without a key, as where nothing will be sent, `dry` must be set.
    pub fn wanted(asked: &ModelArgs, dry: bool) -> Result<Option<Self>, Failure> {
        asked.llm.map(|api| settings(asked, api, dry).map(Self)).transpose()
    }

    /// Asks about parts of a case.
    pub(super) fn ask(self, folder: &Path, parts: &[About]) -> Result<Explained, Failure> {
        Ok(telling::ask(folder, parts, self.0)?)
    }

    /// Prints what would be sent.
    pub(super) fn show(self, folder: &Path, parts: &[About]) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        for request in telling::dry_run(folder, parts, self.0)? {
            writeln!(out, "POST {}\n{}\n\n{}\n", request.url, request.headers.join("\n"), request.body).map_err(Failure::stdout)?;
        }
        Ok(())
    }
}

fn settings(args: &ModelArgs, choice: ApiChoice, dry: bool) -> Result<Settings, Failure> {
    let key = |name: &str| std::env::var(name).ok().filter(|key| !key.trim().is_empty());
    let (api, server, model, key) = match choice {
        ApiChoice::Anthropic => (Api::Anthropic, ANTHROPIC, Some(ANTHROPIC_MODEL.to_owned()), key("ANTHROPIC_API_KEY")),
        ApiChoice::Openai => (Api::OpenAi, LOCAL, None, key("OPENAI_API_KEY")),
    };
    let server = args.server.clone().unwrap_or_else(|| server.to_owned());
    if !(server.starts_with("http://") || server.starts_with("https://")) {
        return Err(Failure::Usage(format!("--server {server:?}: write an address such as {LOCAL}")));
    }
    let local = Settings::is_local(&server);
    if server.starts_with("http://") && !local && key.is_some() {
        return Err(Failure::Usage(format!("{server} is another machine and would get the key in clear; name it with https://")));
    }
    if api == Api::Anthropic && key.is_none() && !dry {
        return Err(Failure::Usage(
            "ANTHROPIC_API_KEY is not set; set it, or see with `vigil explain --dry-run` what would be sent".into(),
        ));
    }
    let model = args.model.clone().or(model);
    let model = model.ok_or_else(|| Failure::Usage("--model is missing; name one that the server has, such as qwen3:14b".into()))?;
    let timeout = parse_time(&args.timeout).map_err(|why| Failure::Usage(format!("--timeout: {why}")))?;
    Ok(Settings {
        api,
        server,
        model,
        key,
        pseudonyms: args.pseudonyms || !(local || args.real_names),
        budget: args.budget,
        timeout: Duration::from_nanos(timeout.unsigned_abs()),
    })
}
