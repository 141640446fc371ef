//! Commands: their words, and which of them are key and value, as Zeek has it.

/// The words of an inline command; quotes hold words together and stay, as in Zeek.
pub(super) fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Vec<u8> = Vec::new();
    let mut quote = None;
    let mut bytes = line.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (quote, byte) {
            (None, 0 | b'\t' | b'\n' | b'\r' | b' ') => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), b'\\') if bytes.peek() == Some(&open) => {
                word.push(byte);
                bytes.next();
                word.push(open);
                continue;
            }
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
        word.push(byte);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Commands whose second word is a key.
const KEYED: [&str; 37] = [
    "APPEND",
    "BITCOUNT",
    "BITFIELD",
    "BITFIELD_RO",
    "BITPOS",
    "BLPOP",
    "BRPOP",
    "COPY",
    "DECR",
    "DECRBY",
    "DEL",
    "DUMP",
    "EXISTS",
    "EXPIRE",
    "EXPIREAT",
    "EXPIRETIME",
    "GET",
    "GETBIT",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "GETSET",
    "HDEL",
    "HGET",
    "HSET",
    "INCR",
    "INCRBY",
    "KEYS",
    "MGET",
    "MOVE",
    "MSET",
    "PERSIST",
    "RENAME",
    "SET",
    "STRLEN",
    "TTL",
    "TYPE",
];
/// Those whose third word is a value.
const VALUED: [&str; 13] =
    ["APPEND", "DECRBY", "EXPIRE", "EXPIREAT", "GETBIT", "GETSET", "HDEL", "HGET", "INCRBY", "MOVE", "MSET", "RENAME", "SET"];

/// Key and value of a command, upper case its name.
pub(super) fn key_and_value<'a>(name: &str, words: &'a [Vec<u8>]) -> (Option<&'a [u8]>, Option<&'a [u8]>) {
    let word = |at: usize| words.get(at).map(Vec::as_slice);
    let key = match name {
        "BITOP" => word(2),
        "BLMPOP" => word(3),
        _ => word(1).filter(|_| KEYED.contains(&name)),
    };
    (key, word(2).filter(|_| VALUED.contains(&name)))
}

/// User and secret of a login: AUTH, and HELLO with AUTH in it.
pub(super) fn login(name: &str, words: &[Vec<u8>]) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
    let word = |at: usize| words.get(at).cloned();
    match name {
        "AUTH" if words.len() > 2 => Some((word(1), word(2)?)),
        "AUTH" => Some((None, word(1)?)),
        "HELLO" => {
            let at = words.iter().position(|word| word.eq_ignore_ascii_case(b"AUTH"))?;
            Some((word(at + 1), word(at + 2)?))
        }
        _ => None,
    }
}
