//! Statements as text: where a `$name` is a parameter, and where it is only part of a string or a comment.

use super::params::Param;

/// A piece of a statement.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// Anything that is kept as it stands: words, blanks, strings, comments.
    Kept(&'a str),
    /// `$name`, without the dollar.
    Param(&'a str),
}

/// Cuts a statement in pieces. Strings (`'…'` with `''` inside), quoted names, both kinds of comment and `$$…$$` are never looked into.
fn pieces(sql: &str) -> Vec<Piece<'_>> {
    let bytes = sql.as_bytes();
    let mut pieces = Vec::new();
    let (mut kept_from, mut at) = (0, 0);
    while at < bytes.len() {
        let rest = &sql[at..];
        let skip = if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(after) = rest.strip_prefix("$$") {
            after.find("$$").map_or(rest.len(), |end| end + 4)
        } else if rest.starts_with('\'') || rest.starts_with('"') {
            rest[1..].find(char::from(bytes[at])).map_or(rest.len(), |end| end + 2)
        } else if let Some(name) = rest.strip_prefix('$').map(word).filter(|name| !name.is_empty()) {
            pieces.push(Piece::Kept(&sql[kept_from..at]));
            pieces.push(Piece::Param(name));
            kept_from = at + 1 + name.len();
            at = kept_from;
            continue;
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        };
        at += skip;
    }
    pieces.push(Piece::Kept(&sql[kept_from..]));
    pieces
}

/// The identifier that `text` begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    if text.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &text[..end] }
}

/// Names of the parameters that a statement uses, sorted, once each.
pub fn names_used(sql: &str) -> Vec<&str> {
    let mut names: Vec<&str> =
        pieces(sql).into_iter().filter_map(|piece| if let Piece::Param(name) = piece { Some(name) } else { None }).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The statement with every parameter written out as a typed literal. A name without a value is left, for the database to refuse.
pub fn bind(sql: &str, params: &[Param]) -> String {
    let mut bound = String::with_capacity(sql.len() + 64);
    for piece in pieces(sql) {
        match piece {
            Piece::Kept(text) => bound.push_str(text),
            Piece::Param(name) => match params.iter().find(|param| param.name == name) {
                Some(param) => bound.push_str(&param.value.literal()),
                None => {
                    bound.push('$');
                    bound.push_str(name);
                }
            },
        }
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::super::params::Setting;
    use super::*;

    fn param(name: &str, value: i64) -> Param {
        Param { name: name.into(), value: Setting::Int(value), default: Setting::Int(value), doc: String::new() }
    }

    #[test]
    fn a_dollar_in_a_string_or_comment_is_no_parameter() {
        let sql = "SELECT '${jndi:', '$a''$a', \"$a\", $$ $a $$ -- $a\n /* $a */ WHERE x > $a AND y < $limit_2";
        assert_eq!(names_used(sql), ["a", "limit_2"]);
        let bound = bind(sql, &[param("a", 7), param("limit_2", 8)]);
        assert_eq!(bound, "SELECT '${jndi:', '$a''$a', \"$a\", $$ $a $$ -- $a\n /* $a */ WHERE x > 7 AND y < 8");
    }

    #[test]
    fn unfinished_strings_and_letters_beyond_ascii_do_not_break_the_reading() {
        assert_eq!(bind("é $a 'ö $a", &[param("a", 1)]), "é 1 'ö $a");
        assert_eq!(names_used("$1 $ $"), Vec::<&str>::new());
    }
}
