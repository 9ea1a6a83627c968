//! Markdown in, HTML out that is safe on any page.

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Options, Parser};

/// Where links may lead.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// What comes out: the harmless elements of HTML. No scripts, styles, frames, forms or handlers; links and pictures
/// lead to the web, to mail and to telephones, and vouch for nothing.
static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::default();
    cleaner
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("nofollow noopener"))
        // Maps lay links over pictures, where nobody sees them.
        .rm_tags(["map", "area"])
        // What these hold is no text for readers.
        .add_clean_content_tags(["iframe", "object", "noscript", "template", "svg", "math"]);
    cleaner
});

/// The HTML of a text in Markdown, with tables and strike-through; HTML within it is taken as far as it is harmless.
pub(super) fn html(markdown: &str) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, parser);
    // Always last: whatever the Markdown was turned into, nothing else comes out.
    CLEANER.clean(&html).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        assert_eq!(html("# Title\n\nSome *words*."), "<h1>Title</h1>\n<p>Some <em>words</em>.</p>\n");
        assert_eq!(html("```\na < b\n```"), "<pre><code>a &lt; b\n</code></pre>\n");
        assert_eq!(html("~~old~~"), "<p><del>old</del></p>\n");
        assert!(html("| a |\n|---|\n| 1 |").contains("<td>1</td>"));
        assert_eq!(
            html("[site](https://example.com)"),
            "<p><a href=\"https://example.com\" rel=\"nofollow noopener\">site</a></p>\n"
        );
        assert!(html("![screen](/uploads/1.png)").contains("<img src=\"/uploads/1.png\" alt=\"screen\">"));
    }

    #[test]
    fn nothing_that_runs_comes_out() {
        for vector in [
            "<script>alert(1)</script>",
            "<SCRIPT SRC=https://evil.test/x.js></SCRIPT>",
            "<scr<script>ipt>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<img src=\"javascript:alert(1)\">",
            "<svg onload=alert(1)><script>alert(1)</script></svg>",
            "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
            "<math><mi xlink:href=\"javascript:alert(1)\">x</mi></math>",
            "<iframe src=\"https://evil.test\"></iframe>",
            "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
            "<object data=\"https://evil.test/x.swf\"></object><embed src=\"//evil.test\">",
            "<link rel=stylesheet href=https://evil.test/x.css>",
            "<style>@import 'https://evil.test/x.css';</style>",
            "<p style=\"background:url(javascript:alert(1))\" onclick=alert(1)>x</p>",
            "<form action=https://evil.test><input name=password><button formaction=javascript:alert(1)>x</form>",
            "<base href=\"https://evil.test/\">",
            "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
            "<video src=x onloadstart=alert(1)></video><audio src=x onerror=alert(1)>",
            "<details open ontoggle=alert(1)>x</details>",
            "<body onload=alert(1)>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<template><img src=x onerror=alert(1)></template>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](java\tscript:alert(1))",
            "[x](&#106;avascript:alert(1))",
            "[x](javascript&colon;alert(1))",
            "[x](vbscript:alert(1)) [y](data:text/html;base64,PHNjcmlwdD4=)",
            "![x](data:image/svg+xml;base64,PHN2Zz4=)",
            "<javascript:alert(1)>",
            "[x]: javascript:alert(1)\n\n[x]",
            "[x](https://example.com \"a\" onclick=\"alert(1)\")",
            "`<script>alert(1)</script>` <a href=\"javascript:alert(1)\">x</a>",
            "<a href=\"\u{1}javascript:alert(1)\">x</a>",
            "<map><area href=\"javascript:alert(1)\"></map>",
        ] {
            let html = html(vector);
            let low = html.to_lowercase();
            // Escaped in a text it is harmless; as an element, an attribute or a target it is not.
            for bad in [
                "<script",
                "<style",
                "<svg",
                "<math",
                "<iframe",
                "<object",
                "<embed",
                "<link",
                "<form",
                "<input",
                "<button",
                "<base",
                "<meta",
                "<video",
                "<audio",
                "<body",
                "<noscript",
                "<template",
                "<map",
                "<area",
                "=\"javascript",
                "=\"vbscript",
                "=\"data:",
                " style=",
                " srcdoc=",
            ] {
                assert!(!low.contains(bad), "{vector:?} gives {html:?}");
            }
            let inside_tags = low.split('<').skip(1).filter_map(|part| part.split('>').next());
            for tag in inside_tags {
                let quoted: String = tag.split('"').step_by(2).collect();
                assert!(!quoted.contains(" on"), "{vector:?} gives {html:?}");
            }
        }
    }

    #[test]
    fn links_vouch_for_nothing_whatever_they_say_themselves() {
        let html =
            html("<a href=\"https://evil.test\" rel=\"me\" target=\"_blank\" class=\"x\" id=\"y\">x</a>");
        assert_eq!(html, "<p><a href=\"https://evil.test\" rel=\"nofollow noopener\">x</a></p>\n");
    }

    /// Texts of the greatest length that are built to take long.
    #[test]
    fn long_texts_of_any_shape_come_to_an_end() {
        const LONG: usize = 200_000;
        for piece in [
            ">", "- ", "[", "![", "](", "*a _b ", "`", "``a", "<", "<b>", "<div>", "&", "a**b", "\\", "|",
            "[a]: b\n",
        ] {
            let text: String = piece.repeat(LONG / 10 / piece.len());
            let t = std::time::Instant::now();
            let mut raw = String::new();
            pulldown_cmark::html::push_html(&mut raw, Parser::new_ext(&text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH));
            let a = t.elapsed();
            let _ = html(&text);
            println!("TIME {piece:?} {:?} {:?}", a, t.elapsed());
            assert!(html(&text).len() < 100 * LONG, "{piece}");
        }
        let table =
            format!("{}\n{}\n{}", "|a".repeat(LONG / 6), "|-".repeat(LONG / 6), "a\n".repeat(LONG / 6));
        assert!(html(&table).len() < 100 * LONG);
    }
}
