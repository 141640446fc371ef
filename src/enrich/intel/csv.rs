//! Tables with a head that says what stands where, or without one: then the first thing of each row counts.

use super::super::kind::{Kind, Thing, Unused};
use super::{About, IntelProvider, List, Raw, when};

/// Tables.
pub struct Csv;

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// A thing of this kind.
    Of(Kind),
    /// A thing; another column tells its kind.
    Value,
    Kind,
    Threat,
    Confidence,
    First,
    Last,
    Nothing,
}

impl Role {
    fn of(head: &str) -> Self {
        let plain: String = head.to_lowercase().chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        match plain.as_str() {
            "indicator" | "ioc" | "iocvalue" | "value" | "observable" | "pattern" | "indicatorvalue" => Self::Value,
            "type" | "ioctype" | "indicatortype" | "kind" | "valuetype" => Self::Kind,
            "malware" | "malwareprintable" | "threat" | "threattype" | "listingreason" | "reason" | "tags" | "description" | "comment"
            | "family" | "signature" | "ja3reason" | "note" => Self::Threat,
            "confidence" | "confidencelevel" | "score" => Self::Confidence,
            "validuntil" | "expires" | "expiration" | "expirationdate" | "expiry" => Self::Last,
            "validfrom" => Self::First,
            name if name.starts_with("firstseen") || name.starts_with("dateadded") || name.starts_with("listingdate") => Self::First,
            "date" | "created" | "createdat" | "added" => Self::First,
            _ => Kind::named(&plain).map_or(Self::Nothing, Self::Of),
        }
    }

    fn is_thing(self) -> bool {
        matches!(self, Self::Of(_) | Self::Value)
    }
}

impl IntelProvider for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn recognises(&self, raw: &Raw) -> bool {
        let Some(mark) = delimiter(&raw.text) else { return false };
        let rows: Vec<Vec<String>> = raw.text.lines().filter(|line| is_row(line)).take(5).map(|line| fields(line, mark)).collect();
        // The same number of columns throughout, or a head that names what vigil knows.
        rows.first().is_some_and(|first| first.len() > 1 && rows.iter().all(|row| row.len() == first.len()))
            || head(&raw.text, mark).is_some()
    }

    fn read(&self, raw: &Raw, list: &mut List) {
        let Some(mark) = delimiter(&raw.text) else { return };
        raw.text.lines().filter(|line| !is_row(line)).for_each(|line| list.dated = list.dated.or_else(|| when::in_comment(line)));
        let head = head(&raw.text, mark);
        let mut is_head = head.as_ref().is_some_and(|(_, in_rows)| *in_rows);
        for line in raw.text.lines().filter(|line| is_row(line)) {
            if std::mem::take(&mut is_head) {
                continue;
            }
            let cells = fields(line, mark);
            match &head {
                Some((roles, _)) => row(&cells, roles, list),
                None => match cells.iter().find(|cell| Thing::read(None, cell) != Err(Unused::NotUnderstood)) {
                    Some(cell) => {
                        list.add(None, cell, About { listed: cells.iter().find_map(|cell| when::read(cell)), ..About::default() })
                    }
                    None => list.refuse(Unused::NotUnderstood, line),
                },
            }
        }
    }
}

fn row(cells: &[String], roles: &[Role], list: &mut List) {
    let cell =
        |role: Role| roles.iter().zip(cells).find(|(is, cell)| **is == role && !cell.trim().is_empty()).map(|(_, cell)| cell.as_str());
    let confidence = cell(Role::Confidence).and_then(|text| text.trim().trim_end_matches('%').parse::<f64>().ok());
    let about = About {
        threat: cell(Role::Threat).unwrap_or_default().to_owned(),
        // Percent, unless it is a share.
        confidence: confidence.map(|said| if said > 1.0 { said / 100.0 } else { said }),
        first: None,
        last: cell(Role::Last).and_then(when::read),
        listed: cell(Role::First).and_then(when::read),
    };
    let said = cell(Role::Kind);
    for (role, text) in roles.iter().zip(cells).filter(|(role, text)| role.is_thing() && !text.trim().is_empty()) {
        match (role, said.map(Kind::named)) {
            (Role::Of(kind), _) => list.add(Some(*kind), text, about.clone()),
            (_, Some(Some(kind))) => list.add(Some(kind), text, about.clone()),
            // A kind that is said and not known: an e-mail address, a file name, a registry key.
            (_, Some(None)) if Thing::read(None, text).is_err() => list.refuse(Unused::NoColumn, text),
            _ => list.add(None, text, about.clone()),
        }
    }
}

fn is_row(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

/// What separates columns: what stands most often in the first row, if anything does.
fn delimiter(text: &str) -> Option<char> {
    let first = text.lines().find(|line| is_row(line))?;
    [',', ';', '\t', '|']
        .into_iter()
        .map(|mark| (fields(first, mark).len(), mark))
        .filter(|(n, _)| *n > 1)
        .max_by_key(|(n, _)| *n)
        .map(|(_, mark)| mark)
}

/// Roles of the columns: from the first row, or from the comment just before it; and whether it was a row.
fn head(text: &str, mark: char) -> Option<(Vec<Role>, bool)> {
    let first = text.lines().position(is_row)?;
    let comment = text.lines().take(first).last().map(|line| line.trim_start_matches(['#', ' ']));
    let row = text.lines().nth(first)?;
    let roles = |line: &str| fields(line, mark).iter().map(|cell| Role::of(cell)).collect::<Vec<_>>();
    let tells = |roles: &Vec<Role>| roles.iter().any(|role| role.is_thing());
    let of_row = Some(roles(row)).filter(tells).map(|roles| (roles, true));
    of_row.or_else(|| comment.map(roles).filter(tells).map(|roles| (roles, false)))
}

/// Cells of a line (RFC 4180): quoted ones may hold the mark, and quotes written twice.
pub fn fields(line: &str, mark: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.trim_end_matches('\r').chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            letter if letter == mark && !quoted => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}
