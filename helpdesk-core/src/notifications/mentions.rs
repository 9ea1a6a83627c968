//! Who is called by name in a text: `@anna`, `@Anna.Agent`.

/// How many different names a text may call; more is a list and no message.
const MAX_MENTIONS: usize = 20;
/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// The names that a text calls, in lower case, without repeats. An `@` inside a word, as in an address, calls nobody.
pub(super) fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut before = None;
    for (place, sign) in text.char_indices() {
        let inside =
            before.replace(sign).is_some_and(|sign: char| sign.is_alphanumeric() || "._-".contains(sign));
        if sign != '@' || inside {
            continue;
        }
        let rest = &text[place + 1..];
        let end = rest.find(|sign: char| !(sign.is_alphanumeric() || "._-".contains(sign)));
        // What ends a sentence belongs to no name; and what goes on with an `@` is an address of another sort.
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        let name = name.trim_end_matches(['.', '-', '_']).to_lowercase();
        let is_name = !name.is_empty() && name.chars().count() <= MAX_NAME && !after.starts_with('@');
        if is_name && !names.contains(&name) {
            names.push(name);
        }
        if names.len() == MAX_MENTIONS {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_an_at_sign_that_stands_by_itself() {
        for (text, expected) in [
            ("@Anna please look", vec!["anna"]),
            ("Ask @anna.agent, or (@amir-2).", vec!["anna.agent", "amir-2"]),
            ("@anna and @ANNA again", vec!["anna"]),
            ("@łucja!", vec!["łucja"]),
            ("write to anna@demo.test or a.b-@c", vec![]),
            ("@ @. @- @user@host", vec![]),
            ("", vec![]),
            ("@", vec![]),
        ] {
            assert_eq!(names(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_calls_a_bounded_number_of_names() {
        let text: String = (0..100).map(|n| format!("@name{n} ")).collect();
        assert_eq!(names(&text).len(), MAX_MENTIONS);
        assert!(names(&format!("@{}", "x".repeat(101))).is_empty());
    }
}
