//! Full-text search.

use std::sync::Arc;

use super::fixture::Org;
use super::kinds::ITEM;
use crate::storage::{Filter, From, Group, Storage, Tally, Term, Total, TotalMode, Value, Words};

async fn found(org: &Org, typed: &str) -> Vec<String> {
    org.matching(Filter::words(Term::typed(typed))).await
}

/// Items that say what they are labelled.
async fn sayings(store: &Arc<dyn Storage>, texts: &[&str]) -> Org {
    let org = Org::new(store);
    org.write(texts.iter().map(|text| org.item().label(text).says(text).insert())).await;
    org
}

pub async fn records_are_found_by_their_words(store: &Arc<dyn Storage>) {
    let org = sayings(store, &["the printer is on fire", "paper in the printer", "fireplace"]).await;
    assert_eq!(found(&org, "printer").await, ["the printer is on fire", "paper in the printer"]);
    assert_eq!(found(&org, "fire").await, ["the printer is on fire"]);
    assert!(found(&org, "print").await.is_empty(), "only whole words");
    assert!(found(&org, "water").await.is_empty());
}

pub async fn all_terms_must_be_met(store: &Arc<dyn Storage>) {
    let org = sayings(store, &["the printer is on fire", "paper in the printer", "fire"]).await;
    assert_eq!(found(&org, "printer paper").await, ["paper in the printer"]);
    assert_eq!(found(&org, "PRINTER the").await.len(), 2);
    assert!(found(&org, "fire paper").await.is_empty());
    assert!(found(&org, "fire water").await.is_empty());
}

pub async fn no_terms_are_met_by_all(store: &Arc<dyn Storage>) {
    let org = sayings(store, &["words", ""]).await;
    assert_eq!(found(&org, "").await.len(), 2);
    assert_eq!(found(&org, " -, ").await.len(), 2);
}

pub async fn words_are_found_by_their_beginning(store: &Arc<dyn Storage>) {
    let org = sayings(store, &["printer", "paper", "print", "sprint", "prints printed"]).await;
    assert_eq!(found(&org, "print*").await, ["printer", "print", "prints printed"]);
    assert_eq!(found(&org, "p*").await.len(), 4);
    assert_eq!(found(&org, "printer*").await, ["printer"]);
    assert_eq!(found(&org, "prints* printe*").await, ["prints printed"]);
    let typing = org.matching(Filter::words(Term::typing("prints pri"))).await;
    assert_eq!(typing, ["prints printed"]);
}

pub async fn case_and_accents_make_no_difference(store: &Arc<dyn Storage>) {
    let org = sayings(store, &["Crème Brûlée", "STRASSE", "łódź", "naïve Æsir"]).await;
    for (typed, expected) in [
        ("creme brulee", "Crème Brûlée"),
        ("CRÈME", "Crème Brûlée"),
        ("cre\u{300}me", "Crème Brûlée"),
        ("straße", "STRASSE"),
        ("Łódź", "łódź"),
        ("lodz", "łódź"),
        ("aesir NAIVE", "naïve Æsir"),
        ("brul*", "Crème Brûlée"),
        ("brûl*", "Crème Brûlée"),
    ] {
        assert_eq!(found(&org, typed).await, [expected], "{typed}");
    }
}

pub async fn words_of_every_script_are_found(store: &Arc<dyn Storage>) {
    let texts = ["принтер горит", "Ο ΕΚΤΥΠΩΤΗΣ καίγεται", "プリンター", "東京の天気", "الطابعة", "הדפסה", "พิมพ์"];
    let org = sayings(store, &texts).await;
    for text in texts {
        assert_eq!(found(&org, text).await, [text], "{text}");
    }
    assert_eq!(found(&org, "ПРИНТ*").await, ["принтер горит"]);
    assert_eq!(found(&org, "εκτυπωτης").await, ["Ο ΕΚΤΥΠΩΤΗΣ καίγεται"]);
    assert_eq!(found(&org, "京").await, ["東京の天気"]);
}

pub async fn signs_mean_nothing_to_a_search(store: &Arc<dyn Storage>) {
    // Each of these is a word of somebody's query language, or ends one.
    let texts = [
        "don't panic",
        "3.14 and 0x80070057",
        "a_b snake_case",
        "TX0001: error",
        "rock'n'roll",
        "jane.doe@example.org",
        "C:\\temp\\file.txt",
        "AND OR NOT",
        "100% & | ! ( ) < -> :* ::",
        "it’s",
    ];
    let org = sayings(store, &texts).await;
    for text in texts {
        let words = Words::cut([text]);
        for word in words.iter() {
            let hits = found(&org, word).await;
            assert!(hits.contains(&text.to_owned()), "{word} finds {hits:?}");
        }
        let all = found(&org, text).await;
        assert!(all.contains(&text.to_owned()), "{text} finds {all:?}");
    }
    assert_eq!(found(&org, "don't").await, ["don't panic"]);
    assert!(found(&org, "don").await.is_empty());
    assert_eq!(found(&org, "not").await, ["AND OR NOT"]);
}

pub async fn long_texts_are_searched_to_the_end(store: &Arc<dyn Storage>) {
    let text: String = (0..5_000).map(|word| format!("word{word} ")).collect();
    let long = "x".repeat(64);
    let org = Org::new(store);
    org.insert(org.item().label("long").says(&format!("{text} {long}"))).await;
    for typed in ["word0", "word4999", "word49*", &long, &format!("{}*", &long[..60])] {
        assert_eq!(found(&org, typed).await, ["long"], "{typed}");
    }
    assert!(found(&org, "word5000").await.is_empty());
}

pub async fn new_words_replace_the_old(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().label("item");
    org.insert(item.clone().says("old common")).await;
    org.write([item.clone().says("new common").update(1)]).await;
    assert!(found(&org, "old").await.is_empty());
    assert_eq!(found(&org, "new").await, ["item"]);
    assert_eq!(found(&org, "common").await, ["item"]);
    assert_eq!(found(&org, "common new").await, ["item"]);
    assert!(found(&org, "common old").await.is_empty());
}

pub async fn an_update_without_words_keeps_them(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().label("item");
    org.insert(item.clone().says("kept")).await;
    org.write([item.clone().set("state", "changed").update(1)]).await;
    assert_eq!(found(&org, "kept").await, ["item"]);
}

pub async fn an_update_to_no_words_takes_them_away(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().label("item");
    org.insert(item.clone().says("gone")).await;
    org.write([item.clone().says("").update(1)]).await;
    assert!(found(&org, "gone").await.is_empty());
    org.write([item.clone().says("back").update(2)]).await;
    assert_eq!(found(&org, "back").await, ["item"]);
}

pub async fn a_record_without_words_is_found_by_none(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    org.insert(org.item().label("silent")).await;
    assert!(found(&org, "silent").await.is_empty());
    assert_eq!(org.matching(Filter::words(Term::typed("silent")).not()).await, ["silent"]);
}

pub async fn a_deleted_record_is_not_found(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    let item = org.item().label("item").says("words");
    org.insert(item.clone()).await;
    org.insert(org.item().label("other").says("words")).await;
    org.write([org.delete(&ITEM, item.id(), 1)]).await;
    assert_eq!(found(&org, "words").await, ["other"]);
    org.insert(item.clone().label("again").says("other words")).await;
    assert_eq!(found(&org, "words").await, ["other", "again"]);
    assert_eq!(found(&org, "other").await, ["again"]);
}

pub async fn search_combines_with_everything_else(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    for (label, state, says) in [
        ("a", "new", "red printer"),
        ("b", "new", "blue printer"),
        ("c", "old", "red printer"),
        ("d", "old", "red car"),
        ("e", "new", "printer red"),
    ] {
        org.insert(org.item().label(label).set("state", state).says(says)).await;
    }
    let words = |typed: &str| Filter::words(Term::typed(typed));
    let new = || Filter::equals("state", "new");
    assert_eq!(org.matching(words("red printer").and(new())).await, ["a", "e"]);
    assert_eq!(org.matching(words("red").and(new().not())).await, ["c", "d"]);
    assert_eq!(org.matching(words("blue").or(words("car"))).await, ["b", "d"]);
    assert_eq!(org.matching(words("red").not().and(new())).await, ["b"]);
    assert_eq!(org.matching(words("red").and(words("printer")).not()).await, ["b", "d"]);
    let query = org.query().filter(words("printer")).descending("state").limit(2).total(TotalMode::Exact);
    let page = org.page(query.clone()).await;
    assert_eq!(super::fixture::labels(&page), ["c", "e"]);
    assert_eq!(page.total, Some(Total { count: 4, exact: true }));
    let next = query.from(From::After(page.next.expect("a next page")));
    assert_eq!(org.labels(next).await, ["b", "a"]);
    let tally = Tally::new(&ITEM, org.scope).filter(words("red")).by(Group::Field("state"));
    let counts = store.tally(&tally).await.expect("the store answers");
    let counts: Vec<_> = counts.into_iter().map(|row| (row.keys[0].clone(), row.values[0].clone())).collect();
    assert_eq!(counts, [("new".into(), Value::Int(2)), ("old".into(), Value::Int(2))]);
}

pub async fn search_finds_the_same_among_many(store: &Arc<dyn Storage>) {
    let org = Org::new(store);
    // Enough for whatever a store does when there are many, with every fifth changed and every seventh gone.
    let say = |place: usize| format!("w{} x{} y{}", place % 7, place % 11, place % 13);
    let drafts: Vec<_> = (0..700).map(|place| org.item().label(&place.to_string()).says(&say(place))).collect();
    for drafts in drafts.chunks(50) {
        org.write(drafts.iter().cloned().map(super::fixture::Draft::insert)).await;
    }
    let mut says: Vec<Option<String>> = (0..700).map(|place| Some(say(place))).collect();
    for (place, draft) in drafts.iter().enumerate().step_by(5) {
        let text = say(place + 3);
        org.write([draft.clone().says(&text).update(1)]).await;
        says[place] = Some(text);
    }
    for (place, draft) in drafts.iter().enumerate().step_by(7) {
        let version = if place % 5 == 0 { 2 } else { 1 };
        org.write([org.delete(&ITEM, draft.id(), version)]).await;
        says[place] = None;
    }
    for typed in ["w3", "w3 x5", "w3 x5 y9", "x1*", "y1* w2", "w9", "w*"] {
        let terms = Term::typed(typed);
        let expected: Vec<String> = (0..700)
            .filter(|place| says[*place].as_ref().is_some_and(|text| Words::cut([text.as_str()]).satisfy(&terms)))
            .map(|place| place.to_string())
            .collect();
        let query = org.query().filter(Filter::words(terms)).limit(1_000).total(TotalMode::Exact);
        let page = org.page(query).await;
        assert_eq!(super::fixture::labels(&page), expected, "{typed}");
        assert_eq!(page.total.map(|total| total.count), Some(expected.len() as u64));
    }
}
