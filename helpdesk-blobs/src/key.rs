//! Which keys are taken.

use object_store::path::Path;

/// The longest key, in bytes. S3 takes 1,024, with the prefix.
const MAX_KEY: usize = 512;

/// A key that the core would not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no key of a file")]
pub struct InvalidKey;

/// The path of a key below a prefix.
pub(crate) fn below(prefix: &Path, key: &str) -> Result<Path, InvalidKey> {
    let fits = key.len() <= MAX_KEY && key.split('/').all(is_part);
    if !fits {
        return Err(InvalidKey);
    }
    Ok(Path::from_iter(prefix.parts().chain(Path::from(key).parts())))
}

/// Whether a text may stand between two slashes. Parts of dots alone are paths to elsewhere in a folder.
fn is_part(part: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    part.bytes().all(known) && !part.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_core_are_taken_as_they_are() {
        for key in ["a", "0190163d-8694-739b-aea5-966c26f8ad91/attachments/X_1.pdf", ".hidden", "a..b/c"] {
            assert_eq!(below(&Path::ROOT, key).map(|path| path.to_string()), Ok(key.to_owned()));
        }
        let prefix = Path::from("desk/files");
        assert_eq!(below(&prefix, "a/b").map(|path| path.to_string()), Ok("desk/files/a/b".to_owned()));
    }

    #[test]
    fn every_other_key_is_refused() {
        let long = "x".repeat(MAX_KEY + 1);
        for key in [
            "",
            "/",
            "/etc/passwd",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/./b",
            "a/..",
            "...",
            "a\\b",
            "..\\a",
            "C:\\a",
            "a b",
            "a\0b",
            "a\nb",
            "a%2e%2e",
            "ä",
            "a?b",
            "a#1",
            "~",
            &long,
        ] {
            assert_eq!(below(&Path::ROOT, key), Err(InvalidKey), "{key:?}");
        }
    }
}
