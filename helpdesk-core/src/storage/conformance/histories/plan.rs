//! What histories are made of.

use std::fmt;

use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;

/// The most steps of a history; the average is half as many.
const STEPS: usize = 120;
/// As many bytes as the kind with the most fields has.
pub(super) const FIELDS: usize = 16;

/// A choice among what there is when the step comes.
pub(super) type Pick = u8;

/// What happens, step by step.
#[derive(Clone)]
pub(super) struct History(pub(super) Vec<Step>);

impl fmt::Debug for History {
    /// One line for each step, for there is much in a step.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(place, step)| write!(f, "\n{place}: {step:?}"))
    }
}

/// One step of a history.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Commit(Plan),
    /// Sends a batch of before once more.
    Again(Pick),
    Outcome(Pick),
    Get(Sort, bool, Vec<Pick>),
    Find(Question),
    /// Turns from a page of before to the next, or back.
    Turn(Pick, bool),
    Tally(Figure),
    Claim {
        wait: u8,
        limit: u8,
    },
    Log,
}

/// The kinds that are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sort {
    Item,
    Shelf,
    Badge,
    Reading,
    Presence,
    Event,
    Job,
}

/// A batch.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Seconds that have passed.
    pub(super) wait: u8,
    pub(super) parts: Vec<Part>,
}

/// What fields are set to: a place in the pool of each, 0 for none.
pub(super) type Values = [u8; FIELDS];

/// A part of a batch. `org` says in which of two organisations.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Insert {
        sort: Sort,
        org: bool,
        values: Values,
        words: Option<u8>,
        taken: Option<Pick>,
    },
    Update {
        sort: Sort,
        org: bool,
        pick: Pick,
        values: Values,
        words: Option<u8>,
        slip: Slip,
    },
    Delete {
        sort: Sort,
        org: bool,
        pick: Pick,
        slip: Slip,
    },
    Require {
        sort: Sort,
        org: bool,
        pick: Pick,
        absent: bool,
        slip: Slip,
    },
    /// Many plain items at once.
    Fill {
        org: bool,
        count: u8,
        seed: u16,
    },
    /// A change to one in so many items.
    Sweep {
        org: bool,
        every: u8,
        seed: u16,
    },
    Draw {
        org: bool,
        series: u8,
    },
    Event {
        org: bool,
        pick: Pick,
        action: u8,
    },
    Enqueue {
        org: bool,
        key: u8,
        due: i8,
    },
    Move {
        org: bool,
        key: u8,
        due: i8,
    },
    Cancel {
        org: bool,
        key: u8,
    },
    Finish {
        lease: Pick,
        end: u8,
        due: i8,
    },
}

/// Whether a part expects what is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slip {
    None,
    Version,
    Gone,
}

/// A query.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) sort: Sort,
    pub(super) org: bool,
    pub(super) shape: Option<Shape>,
    /// Which of the kind's rollups should be of use.
    pub(super) rollup: Option<u8>,
    /// Which of the kind's indexes should be of use.
    pub(super) index: Option<Index>,
    pub(super) order: Vec<(u8, bool)>,
    pub(super) limit: u8,
    pub(super) start: Start,
    pub(super) total: Option<u8>,
}

/// An order that an index has, behind fields that are held at one value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Index {
    pub(super) place: u8,
    /// How many fields are held.
    pub(super) held: u8,
    /// Whether the order falls, and whether its last field goes the other way.
    pub(super) descending: bool,
    pub(super) mixed: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    First,
    Offset(u8),
    After(Pick),
    Before(Pick),
}

/// A filter: fields and values are places in lists.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    OneOf(u8, Vec<u8>),
    Range(u8, Option<(u8, bool)>, Option<(u8, bool)>),
    Prefix(u8, u8),
    Null(u8),
    Words(u8),
    And(Box<Shape>, Box<Shape>),
    Or(Box<Shape>, Box<Shape>),
    Not(Box<Shape>),
}

/// A tally.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) sort: Sort,
    pub(super) org: bool,
    pub(super) shape: Option<Shape>,
    /// Which of the kind's rollups should be of use.
    pub(super) rollup: Option<u8>,
    pub(super) groups: Vec<(u8, Option<u8>)>,
    pub(super) measures: Vec<(u8, u8)>,
}

pub(super) fn history() -> impl Strategy<Value = History> {
    vec(step(), 1..=STEPS).prop_map(History)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => plan().prop_map(Step::Commit),
        2 => any::<Pick>().prop_map(Step::Again),
        1 => any::<Pick>().prop_map(Step::Outcome),
        4 => (sort(), org(), vec(any::<Pick>(), 0..4)).prop_map(|(sort, org, ids)| Step::Get(sort, org, ids)),
        25 => question().prop_map(Step::Find),
        8 => (any::<Pick>(), any::<bool>()).prop_map(|(page, back)| Step::Turn(page, back)),
        12 => figure().prop_map(Step::Tally),
        8 => (0..4_u8, 0..6_u8).prop_map(|(wait, limit)| Step::Claim { wait, limit }),
        1 => Just(Step::Log),
    ]
}

/// Most of a history happens in one organisation, so that there is something in it.
fn org() -> impl Strategy<Value = bool> + Clone {
    weighted(0.2)
}

fn written() -> impl Strategy<Value = Sort> + Clone {
    prop_oneof![
        6 => Just(Sort::Item),
        2 => Just(Sort::Shelf),
        1 => Just(Sort::Badge),
        1 => Just(Sort::Reading),
        1 => Just(Sort::Presence),
    ]
}

fn sort() -> impl Strategy<Value = Sort> {
    prop_oneof![8 => written(), 1 => Just(Sort::Event), 2 => Just(Sort::Job)]
}

fn slip() -> impl Strategy<Value = Slip> + Clone {
    prop_oneof![40 => Just(Slip::None), 1 => Just(Slip::Version), 1 => Just(Slip::Gone)]
}

fn plan() -> impl Strategy<Value = Plan> {
    (0..3_u8, vec(part(), 1..8)).prop_map(|(wait, parts)| Plan { wait, parts })
}

fn part() -> impl Strategy<Value = Part> {
    let values = || any::<Values>();
    let words = || option::of(0..8_u8);
    let pick = any::<Pick>;
    prop_oneof![
        16 => (written(), org(), values(), words(), option::weighted(0.02, pick()))
            .prop_map(|(sort, org, values, words, taken)| Part::Insert { sort, org, values, words, taken }),
        12 => (written(), org(), pick(), values(), words(), slip())
            .prop_map(|(sort, org, pick, values, words, slip)| Part::Update { sort, org, pick, values, words, slip }),
        5 => (written(), org(), pick(), slip())
            .prop_map(|(sort, org, pick, slip)| Part::Delete { sort, org, pick, slip }),
        2 => (written(), org(), pick(), any::<bool>(), slip())
            .prop_map(|(sort, org, pick, absent, slip)| Part::Require { sort, org, pick, absent, slip }),
        2 => (org(), 20..40_u8, any::<u16>()).prop_map(|(org, count, seed)| Part::Fill { org, count, seed }),
        1 => (org(), 1..6_u8, any::<u16>()).prop_map(|(org, every, seed)| Part::Sweep { org, every, seed }),
        2 => (org(), 0..3_u8).prop_map(|(org, series)| Part::Draw { org, series }),
        3 => (org(), pick(), 0..4_u8).prop_map(|(org, pick, action)| Part::Event { org, pick, action }),
        4 => (org(), 0..6_u8, -3..12_i8).prop_map(|(org, key, due)| Part::Enqueue { org, key, due }),
        1 => (org(), 0..6_u8, -3..12_i8).prop_map(|(org, key, due)| Part::Move { org, key, due }),
        1 => (org(), 0..6_u8).prop_map(|(org, key)| Part::Cancel { org, key }),
        3 => (pick(), 0..6_u8, -3..12_i8).prop_map(|(lease, end, due)| Part::Finish { lease, end, due }),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let bound = || option::of((any::<u8>(), any::<bool>()));
    let leaf = prop_oneof![
        4 => (any::<u8>(), vec(any::<u8>(), 1..=1)).prop_map(|(field, values)| Shape::OneOf(field, values)),
        2 => (any::<u8>(), vec(any::<u8>(), 0..4)).prop_map(|(field, values)| Shape::OneOf(field, values)),
        3 => (any::<u8>(), bound(), bound()).prop_map(|(field, low, high)| Shape::Range(field, low, high)),
        1 => (any::<u8>(), any::<u8>()).prop_map(|(field, text)| Shape::Prefix(field, text)),
        2 => any::<u8>().prop_map(Shape::Null),
        2 => any::<u8>().prop_map(Shape::Words),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        let pair = || (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        prop_oneof![
            2 => pair().prop_map(|(a, b)| Shape::And(a, b)),
            1 => pair().prop_map(|(a, b)| Shape::Or(a, b)),
            1 => inner.clone().prop_map(|inner| Shape::Not(Box::new(inner))),
        ]
    })
}

fn rollup() -> impl Strategy<Value = Option<u8>> {
    option::weighted(0.3, any::<u8>())
}

fn question() -> impl Strategy<Value = Question> {
    let start = prop_oneof![
        3 => Just(Start::First),
        1 => (0..12_u8).prop_map(Start::Offset),
        1 => any::<Pick>().prop_map(Start::After),
        1 => any::<Pick>().prop_map(Start::Before),
    ];
    let limit = prop_oneof![1 => Just(0_u8), 6 => 1..6_u8, 3 => Just(100)];
    let order = vec((any::<u8>(), any::<bool>()), 0..4);
    let index = (any::<u8>(), 0..3_u8, any::<bool>(), weighted(0.2))
        .prop_map(|(place, held, descending, mixed)| Index { place, held, descending, mixed });
    let index = option::weighted(0.3, index);
    let shape = (option::weighted(0.6, shape()), rollup());
    (sort(), org(), shape, index, order, limit, start, option::of(0..8_u8)).prop_map(
        |(sort, org, (shape, rollup), index, order, limit, start, total)| Question {
            sort,
            org,
            shape,
            rollup,
            index,
            order,
            limit,
            start,
            total,
        },
    )
}

fn figure() -> impl Strategy<Value = Figure> {
    let groups = vec((any::<u8>(), option::weighted(0.2, any::<u8>())), 0..3);
    let measures = vec((0..5_u8, any::<u8>()), 0..3);
    (sort(), org(), option::of(shape()), rollup(), groups, measures).prop_map(
        |(sort, org, shape, rollup, groups, measures)| Figure { sort, org, shape, rollup, groups, measures },
    )
}
