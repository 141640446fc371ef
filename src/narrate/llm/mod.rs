//! A model as narrator: asked only if somebody wants it, shown only findings, believed only as far as they go.
//!
//! ```text
//! findings ─facts→ JSON ─pseudonyms→ question ─client→ answer ─reveal→ sentences ─check→ prose
//!                                                 └ fails → template
//! ```

mod api;
mod check;
mod client;
mod facts;
mod prompt;
mod pseudonyms;

#[cfg(test)]
mod tests;

pub use api::Api;
pub use client::NoAnswer;

use super::{About, Narrator, Story, Template};
use crate::model::report::{Part, Prose};
use client::Client;
use pseudonyms::Pseudonyms;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// Characters of English or JSON that make a token, at least: for the estimate before anything is sent.
const CHARS_PER_TOKEN: u64 = 3;

/// Answers from before, by the hash of what was asked.
pub type Answers = BTreeMap<String, Prose>;

/// Who is asked, and how.
#[derive(Clone, Debug)]
pub struct Settings {
    /// API.
    pub api: Api,
    /// Base address, such as `https://api.anthropic.com` or `http://127.0.0.1:11434`.
    pub server: String,
    /// Model.
    pub model: String,
    /// Key, if the server wants one. It is in no output.
    pub key: Option<String>,
    /// Whether names are replaced before anything leaves.
    pub pseudonyms: bool,
    /// Tokens that may be spent, both ways together.
    pub budget: u64,
    /// Time for one answer.
    pub timeout: Duration,
}

impl Settings {
    /// Whether the server is this machine.
    pub fn is_local(server: &str) -> bool {
        let host = server.split_once("://").map_or(server, |(_, rest)| rest);
        let host = host.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// What would leave: everything, but for the key.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where it goes.
    pub url: String,
    /// Names of the headers.
    pub headers: Vec<&'static str>,
    /// The body, byte for byte.
    pub body: String,
    /// Hash of address and body: by it an answer is known again.
    pub hash: String,
}

/// Prose and how it came about.
#[derive(Clone, Debug)]
pub struct Telling {
    /// The prose.
    pub prose: Prose,
    /// Hash of what was asked.
    pub request: String,
    /// Tokens spent on it.
    pub tokens: u64,
    /// It was answered before.
    pub remembered: bool,
}

/// A model behind an API.
pub struct Model {
    settings: Settings,
    client: Client,
    answers: Answers,
    spent: u64,
}

impl Model {
    /// A model, and what it answered before.
    pub fn new(settings: Settings, answers: Answers) -> Result<Self, NoAnswer> {
        let client = Client::new(&settings.server, settings.timeout)?;
        Ok(Self { settings, client, answers, spent: 0 })
    }

    /// What would be sent to have `about` told; `None` if there is no such part.
    pub fn request(&self, story: &Story<'_>, about: &About) -> Option<Request> {
        self.prepared(story, about).map(|(request, _)| request)
    }

    fn prepared(&self, story: &Story<'_>, about: &About) -> Option<(Request, Pseudonyms)> {
        let (mut shown, findings) = facts::facts(story, about)?;
        let mut names = Pseudonyms::default();
        if self.settings.pseudonyms {
            names = Pseudonyms::of(&findings, story.hosts);
            shown = names.hide_all(&shown);
        }
        let Settings { api, model, key, .. } = &self.settings;
        let body = api.body(model, &prompt::question(about, &shown)).to_string();
        let url = self.client.url(api.path());
        let headers = api.headers(key.as_deref()).into_iter().map(|(name, _)| name).collect();
        let hash = digest(&SHA256, format!("{url}\n{body}").as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Some((Request { url, headers, body, hash }, names))
    }

    /// Tells about a part of the story. Where the model fails, the template does, and the note says why.
    pub fn telling(&mut self, story: &Story<'_>, about: &About) -> Option<Telling> {
        let (request, names) = self.prepared(story, about)?;
        if let Some(prose) = self.answers.get(&request.hash) {
            return Some(Telling { prose: prose.clone(), request: request.hash, tokens: 0, remembered: true });
        }
        let findings = story.findings_of(about)?;
        let before = self.spent;
        let (prose, dropped) = match self.ask(&request) {
            Ok(answer) => {
                let (sentences, dropped) = check::checked(&answer, &findings, story.hosts, |text| names.reveal(text));
                let note = format!("nothing that {} said follows from the findings ({dropped} sentences dropped)", self.name());
                let told = sentences.iter().any(|sentence| sentence.part == Part::Happened);
                let prose = Prose { about: about.to_string(), narrator: self.name(), sentences, dropped, note: String::new() };
                (told.then_some(prose).ok_or(note), dropped)
            }
            Err(why) => (Err(why), 0),
        };
        let tokens = self.spent - before;
        let prose = match prose {
            Ok(prose) => {
                self.answers.insert(request.hash.clone(), prose.clone());
                prose
            }
            Err(note) => Prose { note, dropped, ..Template.tell(story, about)? },
        };
        Some(Telling { prose, request: request.hash, tokens, remembered: false })
    }

    /// The structured answer, or why there is none.
    fn ask(&mut self, request: &Request) -> Result<Value, String> {
        let asked = request.body.len() as u64 / CHARS_PER_TOKEN;
        let expected = asked + prompt::ANSWER_TOKENS;
        if self.spent + expected > self.settings.budget {
            return Err(format!(
                "it would take some {expected} tokens, and of {} only {} are left; raise --budget",
                self.settings.budget,
                self.settings.budget.saturating_sub(self.spent)
            ));
        }
        let Settings { api, key, .. } = &self.settings;
        let answered = self.client.ask(api.path(), &api.headers(key.as_deref()), &request.body);
        let response = answered.map_err(|error| error.to_string())?;
        // A server that does not say what it took is held to the estimate.
        self.spent += api.tokens(&response).unwrap_or(expected);
        api.answer(&response).ok_or_else(|| self.client.nonsense("it holds no structured answer").to_string())
    }
}

impl Narrator for Model {
    fn name(&self) -> String {
        format!("{}:{}", self.settings.api.name(), self.settings.model)
    }

    fn tell(&mut self, story: &Story<'_>, about: &About) -> Option<Prose> {
        self.telling(story, about).map(|telling| telling.prose)
    }
}
