//! Having a case told by a model that somebody asked for.

use super::super::{Error, custody, reopen_with_incidents};
use super::{Explained, story, wanted};
use crate::model::report::Prose;
use crate::narrate::llm::{Answers, Model, Request, Settings, Telling};
use crate::narrate::{About, Narrator};
use crate::store::journal;
use serde_json::json;
use std::path::Path;

/// Asks a model about parts of the case in `folder`. What it says is noted in the journal.
pub fn ask(folder: &Path, parts: &[About], settings: Settings) -> Result<Explained, Error> {
    let (report, incidents) = reopen_with_incidents(folder)?;
    let story = story(&report, &incidents);
    let mut model = Model::new(settings, answers(folder)?)?;
    let mut explained = Explained::default();
    for about in &wanted(&story, parts)? {
        let Some(Telling { prose, request, tokens, remembered }) = model.telling(&story, about) else { continue };
        let (about, narrator) = (about.to_string(), model.name());
        let detail =
            json!({ "about": about, "narrator": narrator, "request": request, "tokens": tokens, "remembered": remembered, "prose": prose });
        custody::record(folder, "explained", detail)?;
        explained.tokens += tokens;
        explained.remembered += u64::from(remembered);
        explained.prose.push(prose);
    }
    Ok(explained)
}

/// What would be sent to have these parts told. Nothing is sent.
pub fn dry_run(folder: &Path, parts: &[About], settings: Settings) -> Result<Vec<Request>, Error> {
    let (report, incidents) = reopen_with_incidents(folder)?;
    let story = story(&report, &incidents);
    let model = Model::new(settings, Answers::default())?;
    Ok(wanted(&story, parts)?.iter().filter_map(|about| model.request(&story, about)).collect())
}

/// Answers of models that the journal remembers. Where the template had to take over, nothing was answered.
fn answers(folder: &Path) -> Result<Answers, Error> {
    let told = |entry: journal::Entry| {
        let prose: Prose = serde_json::from_value(entry.detail["prose"].clone()).ok()?;
        let answered = entry.detail["narrator"].as_str() == Some(prose.narrator.as_str());
        answered.then_some((entry.detail["request"].as_str()?.to_owned(), prose))
    };
    Ok(journal::read(folder)?.into_iter().filter(|entry| entry.action == "explained").filter_map(told).collect())
}
