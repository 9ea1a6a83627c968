//! Which files are taken in, under which name and type, and how they are shown.

use crate::error::{Problem, Result};

/// The largest file that is taken in, in bytes: 10 MB.
pub const MAX_FILE: usize = 10 * 1024 * 1024;
/// The most files of one request.
pub const MAX_FILES: usize = 20;
/// The longest file name that is kept, in characters.
pub const MAX_FILE_NAME: usize = 255;

/// A file as it came in, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedFile {
    /// Its name, without any path.
    pub name: String,
    /// The type of its content: the one that the content shows, where it shows any.
    pub media_type: String,
}

/// A type of file that is taken in.
struct Kind {
    media_type: &'static str,
    extensions: &'static [&'static str],
    content: Content,
}

/// How the content of a type is known.
enum Content {
    /// By its first bytes.
    Signature(&'static [&'static str]),
    /// It is text.
    Text,
}

const fn signed(
    media_type: &'static str,
    extensions: &'static [&'static str],
    seen: &'static [&'static str],
) -> Kind {
    Kind { media_type, extensions, content: Content::Signature(seen) }
}

const fn text(media_type: &'static str, extensions: &'static [&'static str]) -> Kind {
    Kind { media_type, extensions, content: Content::Text }
}

const ZIP: &str = "application/zip";
// The container of the older office formats.
const OLE: &str = "application/x-ole-storage";

/// The types that are taken in. Nothing that a browser or a system would run: no HTML, no SVG, no scripts, no
/// programs.
const KINDS: &[Kind] = &[
    signed("image/png", &["png"], &["image/png"]),
    signed("image/jpeg", &["jpg", "jpeg"], &["image/jpeg"]),
    signed("image/gif", &["gif"], &["image/gif"]),
    signed("image/webp", &["webp"], &["image/webp"]),
    signed("application/pdf", &["pdf"], &["application/pdf"]),
    signed("video/mp4", &["mp4", "m4v"], &["video/mp4", "video/x-m4v"]),
    signed("application/zip", &["zip"], &[ZIP]),
    signed("application/msword", &["doc"], &["application/msword", OLE]),
    signed("application/vnd.ms-excel", &["xls"], &["application/vnd.ms-excel", OLE]),
    signed("application/vnd.ms-powerpoint", &["ppt"], &["application/vnd.ms-powerpoint", OLE]),
    signed(
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        &["docx"],
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIP],
    ),
    signed(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        &["xlsx"],
        &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ZIP],
    ),
    signed(
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        &["pptx"],
        &["application/vnd.openxmlformats-officedocument.presentationml.presentation", ZIP],
    ),
    signed(
        "application/vnd.oasis.opendocument.text",
        &["odt"],
        &["application/vnd.oasis.opendocument.text", ZIP],
    ),
    signed(
        "application/vnd.oasis.opendocument.spreadsheet",
        &["ods"],
        &["application/vnd.oasis.opendocument.spreadsheet", ZIP],
    ),
    text("text/plain", &["txt", "log"]),
    text("text/csv", &["csv"]),
    text("text/markdown", &["md"]),
    text("application/json", &["json"]),
];

/// Checks a file by its content: the name says what it claims to be, and the content must agree.
///
/// # Errors
///
/// The problem, for the field the file came in.
pub fn check_file(name: &str, content: &[u8]) -> Result<CheckedFile, Problem> {
    let name = clean_name(name);
    if content.is_empty() {
        return Err(Problem::File(format!("The file {name} is empty.")));
    }
    if content.len() > MAX_FILE {
        return Err(Problem::FileSize(MAX_FILE as u64));
    }
    if name.chars().count() > MAX_FILE_NAME {
        return Err(Problem::TooLong(MAX_FILE_NAME));
    }
    let extension =
        name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let kind = KINDS.iter().find(|kind| kind.extensions.contains(&extension.as_str()));
    let kind = kind.ok_or_else(|| Problem::File(format!("Files of the type of {name} are not accepted.")))?;
    let seen = infer::get(content).map(|seen| seen.mime_type());
    let agrees = match &kind.content {
        Content::Signature(signatures) => seen.is_some_and(|seen| signatures.contains(&seen)),
        // What has a signature of its own is no text, whatever its name says; HTML and scripts have one too.
        Content::Text => seen.is_none() && is_text(content),
    };
    if !agrees {
        return Err(Problem::File(format!("The content of {name} is not what its name says.")));
    }
    Ok(CheckedFile { name, media_type: kind.media_type.to_owned() })
}

/// Text in UTF-8 or an 8-bit encoding: no control characters but those of lines and tabs.
fn is_text(content: &[u8]) -> bool {
    !content.iter().any(|byte| matches!(byte, 0..=8 | 14..=31 | 127) && *byte != 0x1b)
}

/// A file name without path, control characters and direction marks: what is left can neither leave a folder nor
/// show itself as another type.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last
        .chars()
        .filter(|c| {
            !c.is_control()
                && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
        })
        .collect();
    let clean = clean.trim().trim_start_matches('.').trim();
    if clean.is_empty() { "file".to_owned() } else { clean.to_owned() }
}

/// Whether a browser may show a file in its place, rather than save it: pictures, videos and PDF.
#[must_use]
pub fn is_inline(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "video/mp4" | "application/pdf"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    #[test]
    fn content_must_be_what_the_name_says() {
        let checked = check_file("shot.PNG", PNG).expect("a picture");
        assert_eq!(checked.media_type, "image/png");
        assert_eq!(check_file("notes.txt", "Grüße\n".as_bytes()).expect("text").media_type, "text/plain");
        assert!(check_file("report.docx", b"PK\x03\x04\x14\0\0\0").is_ok());
        for (name, content) in [
            ("shot.jpg", PNG),
            ("shot.png", b"%PDF-1.4" as &[u8]),
            ("notes.txt", PNG),
            ("notes.txt", b"<!DOCTYPE html><html>"),
            ("notes.txt", b"#!/bin/sh\nrm -rf /"),
            ("data.csv", b"a\0b"),
            ("page.html", b"<html>"),
            ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("setup.exe", b"MZ\x90\0"),
            ("nothing", b"text"),
            ("empty.txt", b""),
        ] {
            assert!(check_file(name, content).is_err(), "{name}");
        }
    }

    #[test]
    fn names_lose_their_paths_and_tricks() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\temp\\a b.pdf"), "a b.pdf");
        assert_eq!(clean_name("in\u{202e}fdp.exe\n"), "infdp.exe");
        assert_eq!(clean_name(".."), "file");
        assert_eq!(clean_name(""), "file");
    }

    #[test]
    fn only_pictures_videos_and_pdf_are_shown_in_place() {
        assert!(is_inline("application/pdf") && is_inline("image/png"));
        assert!(!is_inline("image/svg+xml") && !is_inline("text/html") && !is_inline("text/plain"));
    }
}
