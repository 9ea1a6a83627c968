//! From plans to queries and tallies.

use chrono_tz::Tz;

use super::compare::Side;
use super::plan::{Figure, Question, Shape, Sort};
use super::play::Player;
use super::pools::{kind, text, typed};
use crate::storage::{
    Bound, FieldRef, FieldType, Filter, Group, KindSpec, Measure, Query, Scope, Tally, TotalMode, Unit,
};

/// The fields of a kind that may be asked for: those of a rollup, or all, declared and built in.
fn fields(of: &KindSpec, rollup: Option<u8>) -> Vec<&'static str> {
    if let Some(rollup) = rollup
        && !of.rollups.is_empty()
    {
        return of.rollups[usize::from(rollup) % of.rollups.len()].to_vec();
    }
    // When a job was last written is the store's own affair.
    let built_in = if of.name == "job" {
        &["id", "number", "created_at"][..]
    } else {
        &["id", "number", "created_at", "updated_at"]
    };
    of.fields.iter().map(|field| field.name).chain(built_in.iter().copied()).collect()
}

fn many(of: &KindSpec, name: &str) -> bool {
    of.position(name).is_some_and(|place| of.fields[place].many)
}

/// One of the fields for which `fits` holds.
fn field(
    of: &KindSpec,
    rollup: Option<u8>,
    place: u8,
    fits: impl Fn(&str, FieldType) -> bool,
) -> Option<&'static str> {
    let ty = |name: &str| of.field(name).map(|field: FieldRef| of.type_of(field));
    let fitting: Vec<_> =
        fields(of, rollup).into_iter().filter(|name| ty(name).is_some_and(|ty| fits(name, ty))).collect();
    (!fitting.is_empty()).then(|| fitting[usize::from(place) % fitting.len()])
}

impl Player {
    pub(super) fn query(&self, question: &Question, side: Side) -> Query {
        let (of, scope) = (kind(question.sort), self.scope(question.org));
        let mut query = Query::new(of, scope).limit(usize::from(question.limit));
        if let Some(shape) = &question.shape {
            query = query.filter(self.filter(shape, (of, question.rollup), scope, side));
        }
        if let Some(index) = question.index
            && !of.indexes.is_empty()
        {
            let names = of.indexes[usize::from(index.place) % of.indexes.len()];
            let (held, ordered) = names.split_at(usize::from(index.held) % names.len());
            for name in held {
                query = query.filter(Filter::equals(name, self.compared(of, name, scope, index.place, side)));
            }
            for (place, name) in ordered.iter().enumerate() {
                let turned = index.mixed && place + 1 == ordered.len();
                query =
                    if index.descending ^ turned { query.descending(name) } else { query.ascending(name) };
            }
            if index.mixed && ordered.len() == 1 {
                query = if index.descending { query.descending("number") } else { query.ascending("number") };
            }
        }
        for (place, descending) in &question.order {
            let Some(field) = field(of, None, *place, |name, _| !many(of, name)) else { continue };
            query = if *descending { query.descending(field) } else { query.ascending(field) };
        }
        query.total(match question.total {
            None => TotalMode::None,
            Some(0) => TotalMode::Exact,
            Some(most) => TotalMode::UpTo(u64::from(most) - 1),
        })
    }

    fn filter(
        &self,
        shape: &Shape,
        asked @ (of, rollup): (&'static KindSpec, Option<u8>),
        scope: Scope,
        side: Side,
    ) -> Filter {
        let any = |place: u8| field(of, rollup, place, |_, _| true).unwrap_or("id");
        let value = |name: &str, byte: u8| self.compared(of, name, scope, byte, side);
        match shape {
            Shape::OneOf(place, bytes) => {
                let name = any(*place);
                Filter::one_of(name, bytes.iter().map(|byte| value(name, *byte)))
            }
            Shape::Range(place, low, high) => {
                let name = any(*place);
                let bound = |bound: &Option<(u8, bool)>| match bound {
                    None => Bound::Open,
                    Some((byte, true)) => Bound::Included(value(name, *byte)),
                    Some((byte, false)) => Bound::Excluded(value(name, *byte)),
                };
                Filter::range(name, bound(low), bound(high))
            }
            Shape::Prefix(place, byte) => match field(of, rollup, *place, |_, ty| ty == FieldType::Text) {
                Some(name) => Filter::prefix(name, text(*byte)),
                None => Filter::none(),
            },
            Shape::Null(place) => Filter::null(any(*place)),
            Shape::Words(byte) if of.searched && rollup.is_none() => Filter::words(typed(*byte)),
            Shape::Words(_) => Filter::all(),
            Shape::And(a, b) => self.filter(a, asked, scope, side).and(self.filter(b, asked, scope, side)),
            Shape::Or(a, b) => self.filter(a, asked, scope, side).or(self.filter(b, asked, scope, side)),
            Shape::Not(inner) => self.filter(inner, asked, scope, side).not(),
        }
    }

    pub(super) fn tally(&self, figure: &Figure, side: Side) -> Tally {
        let (of, scope) = (kind(figure.sort), self.scope(figure.org));
        let mut tally = Tally::new(of, scope);
        if let Some(shape) = &figure.shape {
            tally = tally.filter(self.filter(shape, (of, figure.rollup), scope, side));
        }
        // Numbers differ from store to store, so they can be neither keys nor figures here.
        let field = |place, fits: &dyn Fn(&str, FieldType) -> bool| field(of, figure.rollup, place, fits);
        for (place, period) in &figure.groups {
            let time = field(*place, &|_, ty| ty == FieldType::Time);
            let group = match (period, time) {
                (Some(period), Some(time)) => {
                    let units = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month];
                    let zones = [Tz::UTC, Tz::Europe__Berlin, Tz::America__New_York, Tz::Asia__Kolkata];
                    let period = usize::from(*period);
                    Group::Period(time, units[period % 4], zones[period / 4 % 4])
                }
                _ => Group::Field(field(*place, &|name, _| name != "number").unwrap_or("id")),
            };
            tally = tally.by(group);
        }
        for (sort, place) in &figure.measures {
            let number = |name: &str, ty| {
                matches!(ty, FieldType::Int | FieldType::Real) && name != "number" && !many(of, name)
            };
            let single = |name: &str, _| name != "number" && !many(of, name);
            let measure = match sort {
                1 => field(*place, &number).map(Measure::Sum),
                2 => field(*place, &number).map(Measure::Average),
                3 => field(*place, &single).map(Measure::Least),
                4 => field(*place, &single).map(Measure::Greatest),
                _ => None,
            };
            tally = tally.measure(measure.unwrap_or(Measure::Count));
        }
        tally
    }
}

/// Every sort of record there is, for a last look at all of them.
pub(super) const SORTS: [Sort; 7] =
    [Sort::Item, Sort::Shelf, Sort::Badge, Sort::Reading, Sort::Presence, Sort::Event, Sort::Job];

/// The plainest question about all records of a sort.
pub(super) fn everything(sort: Sort, org: bool) -> Question {
    Question {
        sort,
        org,
        shape: None,
        rollup: None,
        index: None,
        order: Vec::new(),
        limit: 255,
        start: super::plan::Start::First,
        total: Some(0),
    }
}
