//! File types by their first bytes, for what matters to an investigator. Names are those of Zeek and libmagic.

/// Fixed bytes at a fixed offset, most telling first.
const MAGICS: &[(usize, &[u8], &str)] = &[
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\xfe\xed\xfa\xce", "application/x-mach-o-executable"),
    (0, b"\xfe\xed\xfa\xcf", "application/x-mach-o-executable"),
    (0, b"\xce\xfa\xed\xfe", "application/x-mach-o-executable"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-o-executable"),
    (0, b"dex\n", "application/vnd.android.dex"),
    (0, b"\0asm", "application/wasm"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"Rar!\x1a\x07", "application/x-rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b\x08", "application/x-gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"MSCF\0\0\0\0", "application/vnd.ms-cab-compressed"),
    (0, b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", "application/x-ms-shortcut"),
    (0, b"ITSF", "application/vnd.ms-htmlhelp"),
    (0, b"{\\rtf", "text/rtf"),
    (0, b"!<arch>\ndebian", "application/vnd.debian.binary-package"),
    (0, b"\xed\xab\xee\xdb", "application/x-rpm"),
    (257, b"ustar", "application/x-tar"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"\0\0\x01\0", "image/x-icon"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"OggS", "application/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"FWS", "application/x-shockwave-flash"),
    (0, b"CWS", "application/x-shockwave-flash"),
    (0, b"ZWS", "application/x-shockwave-flash"),
    (0, b"wOFF", "application/font-woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"OTTO", "application/vnd.ms-opentype"),
    (0, b"SQLite format 3\0", "application/x-sqlite3"),
    (0, b"regf", "application/x-ms-registry-hive"),
    (0, b"MDMP", "application/x-dmp"),
    (0, b"\xd4\xc3\xb2\xa1", "application/vnd.tcpdump.pcap"),
    (0, b"\x0a\x0d\x0d\x0a", "application/x-pcapng"),
    (0, b"%!PS", "application/postscript"),
];

/// Words that begin markup, compared without regard to case after blanks.
const MARKUP: &[(&[u8], &str)] = &[
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<head", "text/html"),
    (b"<body", "text/html"),
    (b"<title", "text/html"),
    (b"<table", "text/html"),
    (b"<iframe", "text/html"),
    (b"<script", "text/html"),
    (b"<h1", "text/html"),
    (b"<!--", "text/html"),
    (b"<hta:application", "application/hta"),
    (b"<?php", "text/x-php"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "application/xml"),
    (b"#!/", "text/x-shellscript"),
];

/// Words within a text that give a script away, lower case.
const SCRIPTS: &[(&[u8], &str)] = &[
    (b"<hta:application", "application/hta"),
    (b"wscript.shell", "text/vbscript"),
    (b"createobject(", "text/vbscript"),
    (b"on error resume next", "text/vbscript"),
    (b"-encodedcommand", "text/x-powershell"),
    (b"invoke-expression", "text/x-powershell"),
    (b"new-object ", "text/x-powershell"),
    (b"[system.reflection.assembly]", "text/x-powershell"),
    (b"frombase64string", "text/x-powershell"),
    (b"@echo off", "text/x-msdos-batch"),
];

/// The type of a file that begins with `head`; `None` when nothing says so.
pub fn mime_type(head: &[u8]) -> Option<&'static str> {
    if head.is_empty() {
        return None;
    }
    if head.starts_with(b"MZ") && (head.len() < 64 || is_portable_executable(head)) {
        return Some("application/x-dosexec");
    }
    if head.starts_with(b"\xca\xfe\xba\xbe") {
        // Java classes and fat Mach-O binaries share a magic: what follows is a version, or a small number of architectures.
        let classes = head.get(4..8).is_some_and(|word| word[..2] != [0, 0] || word[3] > 40);
        return Some(if classes { "application/x-java-applet" } else { "application/x-mach-o-executable" });
    }
    if head.starts_with(b"PK\x03\x04") {
        return Some(zip_kind(head));
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Some(ole_kind(head));
    }
    if head.starts_with(b"RIFF") {
        return riff_kind(head);
    }
    let fixed = MAGICS.iter().find(|(at, magic, _)| head.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    fixed.map(|(_, _, name)| *name).or_else(|| text_kind(head))
}

/// `MZ`, and the place it points to says `PE` (or lies beyond what is kept, or the rest looks like the DOS stub).
fn is_portable_executable(head: &[u8]) -> bool {
    let at = head.get(60..64).and_then(|word| <[u8; 4]>::try_from(word).ok()).map(u32::from_le_bytes);
    let at = at.and_then(|at| usize::try_from(at).ok()).unwrap_or(0);
    match head.get(at..at.saturating_add(2)) {
        Some(signature) => matches!(signature, b"PE" | b"NE" | b"LE" | b"LX") || contains(head, b"DOS"),
        None => at < 1 << 20,
    }
}

fn zip_kind(head: &[u8]) -> &'static str {
    let parts: [(&[u8], &str); 6] = [
        (b"AndroidManifest.xml", "application/vnd.android.package-archive"),
        (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        (b"META-INF/", "application/java-archive"),
        (b"[Content_Types].xml", "application/vnd.openxmlformats-officedocument"),
    ];
    parts.iter().find(|(part, _)| contains(head, part)).map_or("application/zip", |(_, name)| name)
}

/// OLE containers: the directory is usually beyond what is kept; an installer shows its class id in the header's sector.
fn ole_kind(head: &[u8]) -> &'static str {
    let wide = |text: &str| text.bytes().flat_map(|byte| [byte, 0]).collect::<Vec<u8>>();
    match () {
        () if contains(head, b"\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46") => "application/x-msi",
        () if contains(head, &wide("Workbook")) => "application/vnd.ms-excel",
        () if contains(head, &wide("PowerPoint")) => "application/vnd.ms-powerpoint",
        () => "application/msword",
    }
}

fn riff_kind(head: &[u8]) -> Option<&'static str> {
    Some(match head.get(8..12)? {
        b"WEBP" => "image/webp",
        b"WAVE" => "audio/x-wav",
        b"AVI " => "video/x-msvideo",
        _ => return None,
    })
}

fn text_kind(head: &[u8]) -> Option<&'static str> {
    let (text, marked) = match head {
        [0xef, 0xbb, 0xbf, rest @ ..] => (rest, true),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("text/plain"),
        _ => (head, false),
    };
    let start = text.trim_ascii_start();
    let lower = start.to_ascii_lowercase();
    if let Some((_, name)) = MARKUP.iter().find(|(word, _)| lower.starts_with(word)) {
        return Some(match *name {
            "text/x-shellscript" => interpreter(&lower),
            "text/html" | "application/xml" if contains(&lower, b"<hta:application") => "application/hta",
            "application/xml" if contains(&lower, b"<html") => "text/html",
            name => name,
        });
    }
    if !is_text(text) {
        return None;
    }
    if matches!(start.first(), Some(b'{' | b'[')) && looks_like_json(start) {
        return Some("text/json");
    }
    let script = SCRIPTS.iter().find(|(word, _)| contains(&lower, word)).map(|(_, name)| *name);
    let plain = (marked || !start.is_empty() || !text.is_empty()).then_some("text/plain");
    script.or(plain)
}

fn interpreter(lower: &[u8]) -> &'static str {
    let line = lower.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match () {
        () if contains(line, b"python") => "text/x-python",
        () if contains(line, b"perl") => "text/x-perl",
        () if contains(line, b"php") => "text/x-php",
        () if contains(line, b"ruby") => "text/x-ruby",
        () => "text/x-shellscript",
    }
}

/// An object with a key, or a list of values: enough to tell it from a text that begins with a bracket.
fn looks_like_json(start: &[u8]) -> bool {
    let next = start.get(1..).unwrap_or_default().trim_ascii_start();
    match (start.first(), next.first()) {
        (Some(b'{'), Some(b'"' | b'}')) => true,
        (Some(b'['), Some(byte)) => {
            let word = [&b"true"[..], b"false", b"null"].iter().any(|word| next.starts_with(word));
            word || matches!(byte, b'"' | b'{' | b'[' | b']' | b'-') || byte.is_ascii_digit()
        }
        _ => false,
    }
}

/// No control characters but white space, and valid UTF-8 or a plain eight-bit character set.
fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, 0..=6 | 14..=26 | 28..=31 | 127))
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(haystack, needle).is_some()
}

#[cfg(test)]
mod tests {
    use super::mime_type;

    #[test]
    fn types_are_known_by_content() {
        let cases: [(&[u8], Option<&str>); 18] = [
            (b"MZ\x90\0", Some("application/x-dosexec")),
            (b"\x7fELF\x02\x01", Some("application/x-executable")),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", Some("application/x-java-applet")),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", Some("application/x-mach-o-executable")),
            (b"PK\x03\x04\x14\0word/document.xml", Some("application/vnd.openxmlformats-officedocument.wordprocessingml.document")),
            (b"PK\x03\x04\x14\0readme", Some("application/zip")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"  <!DOCTYPE HTML><html>", Some("text/html")),
            (b"#!/usr/bin/env python3\n", Some("text/x-python")),
            (b"{\"a\": 1}", Some("text/json")),
            (b"[not json]", Some("text/plain")),
            (b"Set s = CreateObject(\"WScript.Shell\")", Some("text/vbscript")),
            (b"IEX (New-Object Net.WebClient)", Some("text/x-powershell")),
            (b"<html><HTA:APPLICATION id=x>", Some("application/hta")),
            (b"plain words\n", Some("text/plain")),
            (b"\x00\x01\x02\x03\x04", None),
            (b"", None),
        ];
        for (head, expected) in cases {
            assert_eq!(mime_type(head), expected, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_text_that_begins_with_mz_is_no_program() {
        let memo = b"MZ is how this memo begins, and it goes on for longer than a header, so that the place it points to can be read.";
        assert_eq!(mime_type(memo), Some("text/plain"));
    }
}
