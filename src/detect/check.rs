//! What `vigil rules test` asks of a rule before it has seen a packet.

use super::header::TACTICS;
use super::row::COLUMNS;
use super::rules::{Rule, Rules};
use super::{Error, Result};
use duckdb::Connection;

/// Words that make a result depend on the clock, on chance or on the number of threads.
const FORBIDDEN: [&str; 16] = [
    "now(",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "today(",
    "get_current_timestamp",
    "random(",
    "uuid(",
    "any_value(",
    "mode(",
    "approx_",
    "arbitrary(",
    "reservoir_quantile(",
    "nextval(",
    "tablesample",
];
/// Aggregates whose result depends on the order of rows unless they say which.
const ORDERED: [&str; 9] = ["list(", "first(", "last(", "array_agg(", "string_agg(", "group_concat(", "listagg(", "histogram(", "arg_max("];

/// Every way in which `rule` breaks the contract, on a database that has the tables of a case and no rows.
pub fn check(rules: &Rules, rule: &Rule, empty: &Connection) -> Result<Vec<String>> {
    rules.prepare(empty)?;
    let mut wrong = Vec::new();
    wrong.extend(rule.check_names().err());
    if !TACTICS.contains(&rule.tactic.as_str()) {
        wrong.push(format!("`{}` is no tactic", rule.tactic));
    }
    wrong.extend(unsteady(&rule.text));
    match columns(rule, empty) {
        Ok(columns) => wrong
            .extend(COLUMNS.iter().filter(|c| !columns.iter().any(|name| name == *c)).map(|c| format!("its result has no column `{c}`"))),
        Err(error) => wrong.push(format!("it does not bind: {error}")),
    }
    let rows = super::run::tables_exist(&rule.header, empty)
        .map_err(|source| Error::Database { doing: "looking for the tables it reads".into(), source })?;
    wrong.extend(rows.into_iter().map(|table| format!("it reads `{table}`, which no case has")));
    Ok(wrong)
}

fn columns(rule: &Rule, empty: &Connection) -> std::result::Result<Vec<String>, duckdb::Error> {
    let mut statement = empty.prepare(&rule.sql())?;
    let rows = statement.query([])?;
    Ok(rows.as_ref().map(|statement| statement.column_names()).unwrap_or_default())
}

/// Parts of the text whose result may differ from run to run.
pub(super) fn unsteady(text: &str) -> Vec<String> {
    let code = text.split_once("*/").map_or(text, |(_, code)| code).to_lowercase();
    let mut found: Vec<String> = FORBIDDEN
        .iter()
        .filter(|word| occurs(&code, word).next().is_some())
        .map(|word| format!("`{word}` differs from run to run"))
        .collect();
    for word in ORDERED {
        for at in occurs(&code, word) {
            if !argument(&code[at + word.len()..]).contains("order by") {
                found.push(format!("`{word}` without ORDER BY inside it depends on the order of rows"));
            }
        }
    }
    found
}

/// Where `word` begins in `code` as a word of its own.
fn occurs<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| !code[..at].ends_with(inside))
}

/// What stands between the parentheses.
fn argument(after: &str) -> &str {
    let mut depth = 1;
    for (at, c) in after.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return &after[..at];
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_without_an_order_are_found_and_ordered_ones_are_not() {
        assert_eq!(
            unsteady("/* list( */ SELECT list(x ORDER BY x), max(y), row_number() OVER (ORDER BY t), list_slice(z, 1, 2)"),
            Vec::<String>::new()
        );
        let found = unsteady("SELECT list(x), First(a ORDER BY (b)), now(), approx_quantile(x, 0.5)");
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[2].starts_with("`list(` without ORDER BY"));
    }
}
