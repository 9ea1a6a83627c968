//! Markdown in, HTML out that is safe on any page.

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// Where links may lead.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];
/// How deep quotes, lists and the like are shown within each other. Reading HTML takes longer the deeper it goes.
const MAX_DEPTH: usize = 50;

/// What comes out, whatever the Markdown was turned into: the harmless elements of HTML, and links that vouch for
/// nothing.
static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut cleaner = Builder::default();
    cleaner
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("nofollow noopener"));
    cleaner
});

/// The HTML of a text in Markdown, with tables and strike-through. HTML within the text is shown as it was written, but
/// for line breaks, and comments, which are left out: tags that are opened in one place and closed in another, or never,
/// can make a short text very long.
pub(super) fn html(markdown: &str) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut depth = 0_usize;
    let events = parser.filter_map(|event| match event {
        Event::Start(tag) => {
            depth += 1;
            let tag = if tag == Tag::HtmlBlock { Tag::Paragraph } else { tag };
            (depth <= MAX_DEPTH).then_some(Event::Start(tag))
        }
        Event::End(tag) => {
            depth -= 1;
            let tag = if tag == TagEnd::HtmlBlock { TagEnd::Paragraph } else { tag };
            (depth < MAX_DEPTH).then_some(Event::End(tag))
        }
        Event::Html(html) | Event::InlineHtml(html) => match html.trim() {
            "<br>" | "<br/>" | "<br />" => Some(Event::HardBreak),
            comment if comment.starts_with("<!--") => None,
            _ => Some(Event::Text(html)),
        },
        other => Some(other),
    });
    let mut html = String::with_capacity(markdown.len() * 3 / 2);
    pulldown_cmark::html::push_html(&mut html, events);
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
        assert!(html("![screen](/uploads/1.png)").contains("<img src=\"/uploads/1.png\" alt=\"screen\">"));
        assert_eq!(
            html("> one\n> > two"),
            "<blockquote>\n<p>one</p>\n<blockquote>\n<p>two</p>\n</blockquote>\n</blockquote>\n"
        );
    }

    #[test]
    fn links_vouch_for_nothing() {
        assert_eq!(
            html("[site](https://example.com \"Title\") <mail@example.com>"),
            "<p><a href=\"https://example.com\" title=\"Title\" rel=\"nofollow noopener\">site</a> \
             <a href=\"mailto:mail@example.com\" rel=\"nofollow noopener\">mail@example.com</a></p>\n"
        );
    }

    #[test]
    fn html_is_shown_as_it_was_written() {
        assert_eq!(html("a <b>c</b><br>d"), "<p>a &lt;b&gt;c&lt;/b&gt;<br>\nd</p>\n");
        assert_eq!(html("<div>\nx\n</div>"), "<p>&lt;div&gt;\nx\n&lt;/div&gt;</p>\n");
        assert_eq!(html("a <!-- hidden --> b"), "<p>a  b</p>\n");
    }

    /// The names and the attributes of the tags in what came out.
    fn tags(html: &str) -> Vec<(String, String)> {
        let inside = html.split('<').skip(1).filter_map(|part| part.split('>').next());
        inside
            .map(|tag| tag.split_once(' ').unwrap_or((tag, "")))
            .map(|(name, attributes)| (name.trim_start_matches('/').to_owned(), attributes.to_lowercase()))
            .collect()
    }

    #[test]
    fn nothing_that_runs_comes_out() {
        for vector in [
            "<script>alert(1)</script>",
            "<SCRIPT SRC=https://evil.test/x.js></SCRIPT>",
            "<scr<script>ipt>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<img src=\"javascript:alert(1)\">",
            "text <img src=x onerror=alert(1)> text",
            "<svg onload=alert(1)><script>alert(1)</script></svg>",
            "<svg><a xlink:href=\"javascript:alert(1)\"><text>x</text></a></svg>",
            "<iframe src=\"https://evil.test\"></iframe>",
            "<iframe srcdoc=\"<script>alert(1)</script>\"></iframe>",
            "<object data=\"https://evil.test/x.swf\"></object><embed src=\"//evil.test\">",
            "<link rel=stylesheet href=https://evil.test/x.css>",
            "<style>@import 'https://evil.test/x.css';</style>",
            "<p style=\"background:url(javascript:alert(1))\" onclick=alert(1)>x</p>",
            "<form action=https://evil.test><button formaction=javascript:alert(1)>x</form>",
            "<base href=\"https://evil.test/\">",
            "<meta http-equiv=refresh content=\"0;url=javascript:alert(1)\">",
            "<details open ontoggle=alert(1)>x</details>",
            "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
            "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
            "<!--><script>alert(1)</script>-->",
            "<!-- <br> --><img src=x onerror=alert(1)>",
            "<br onload=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](JaVaScRiPt:alert(1))",
            "[x](<java\tscript:alert(1)>)",
            "[x](&#106;avascript:alert(1))",
            "[x](javascript&colon;alert(1))",
            "[x](\u{1}javascript:alert(1))",
            "[x](vbscript:alert(1)) [y](data:text/html;base64,PHNjcmlwdD4=)",
            "![x](data:image/svg+xml;base64,PHN2Zz4=) ![y](javascript:alert(1))",
            "<javascript:alert(1)>",
            "[x]: javascript:alert(1)\n\n[x]",
            "[x](https://example.com \"a\\\" onclick=\\\"alert(1)\")",
            "![x\" onerror=\"alert(1)](https://example.com/x.png)",
            "[x](https://example.com/\"onclick=\"alert(1))",
            "`<script>alert(1)</script>` <a href=\"javascript:alert(1)\">x</a>",
            "```\"><script>alert(1)</script>\nx\n```",
            "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
        ] {
            let html = html(vector);
            for (name, attributes) in tags(&html) {
                let known = ["p", "a", "img", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"];
                assert!(known.contains(&&*name), "{vector:?} gives {html:?}");
                let names: String = attributes.split('"').step_by(2).collect();
                assert!(!names.contains("on") && !names.contains("style"), "{vector:?} gives {html:?}");
                for target in ["=\"javascript", "=\"vbscript", "=\"data"] {
                    assert!(!attributes.contains(target), "{vector:?} gives {html:?}");
                }
            }
        }
    }

    #[test]
    fn texts_that_are_built_to_take_long_do_not() {
        const LONG: usize = 20_000;
        for piece in [
            ">",
            "> ",
            "- ",
            "1. ",
            "[",
            "![",
            "](",
            "*a _b ",
            "`",
            "``a",
            "<",
            "<b title=x>",
            "<div>",
            "a**b",
            "\\",
            "|",
            "[a]: b\n",
            "<!--",
            "&#1;",
        ] {
            let text: String = piece.repeat(LONG / piece.len());
            assert!(html(&text).len() < 50 * LONG, "{piece}");
        }
        let deep = html(&">".repeat(200_000));
        assert_eq!(deep.matches("<blockquote>").count(), MAX_DEPTH);
        let columns = LONG / 6;
        let table = format!("{}\n{}\n{}", "|a".repeat(columns), "|-".repeat(columns), "a\n".repeat(columns));
        assert!(html(&table).len() < 300 * LONG);
        let open: String = (0..500).map(|title| format!("<b title={title}>")).collect();
        assert!(html(&format!("{open}{}", "x\n\n".repeat(3_000))).len() < 10 * LONG);
    }
}
