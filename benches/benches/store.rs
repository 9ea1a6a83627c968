//! The embedded store: reading one, pages with totals, committing, and what it all weighs.
//!
//! `cargo bench -p helpdesk-benches --bench store`; `HELPDESK_BENCH_SIZES=10000` for a quick look.

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use helpdesk_benches::{World, memory, now, sizes};
use helpdesk_core::storage::{
    Entity as _, EntityId as _, Filter, From, Query, Storage as _, Term, TotalMode,
};
use helpdesk_core::tickets::Ticket;

fn store(c: &mut Criterion) {
    let mut world = World::new();
    let indexes = Ticket::SPEC.indexes.len();
    let counted = Ticket::SPEC.fields.iter().filter(|field| field.counted).count();
    eprintln!("tickets have {counted} counted fields, {indexes} declared indexes and full text");
    for size in sizes() {
        let before = memory();
        world.grow_to(size);
        if let (Some(before), Some(after)) = (before, memory()) {
            eprintln!("{size} tickets: {after} MB in use, {before} before");
        }
        let scope = world.scope();
        let storage = world.storage.clone();

        c.bench_with_input(BenchmarkId::new("get", size), &size, |b, _| {
            b.iter_batched(
                || world.any_ticket(),
                |id| now(storage.get(Ticket::SPEC, scope, &[id])).expect("a ticket"),
                BatchSize::SmallInput,
            );
        });

        let alive = || Filter::equals("deleted", false);
        let open = || alive().and(Filter::equals("status", "open"));
        let newest = |filter| Query::new(Ticket::SPEC, scope).filter(filter).descending("number");
        let requester = world.people[7].uuid();
        let pages = [
            ("newest of one status", newest(open())),
            ("newest of one requester", newest(alive().and(Filter::equals("requester", requester)))),
            (
                "newest of status, department and priority",
                newest(
                    open()
                        .and(Filter::equals("department", "IT Department"))
                        .and(Filter::equals("priority", 3_i64)),
                ),
            ),
            ("by priority", Query::new(Ticket::SPEC, scope).filter(open()).descending("priority")),
            (
                "lately changed of one status",
                Query::new(Ticket::SPEC, scope).filter(open()).descending("updated_at"),
            ),
            ("a hundred pages on", newest(open()).from(From::Offset(2_000.min(size as u64 / 20)))),
            ("search of two words", newest(alive().and(Filter::words(Term::typed("printer case77"))))),
        ];
        for (name, query) in pages {
            let query = query.limit(20).total(TotalMode::Exact);
            c.bench_with_input(
                BenchmarkId::new(format!("page with total, {name}"), size),
                &query,
                |b, query| {
                    b.iter(|| now(storage.find(query)).expect("a page"));
                },
            );
        }

        c.bench_with_input(BenchmarkId::new("commit of ticket, event and job", size), &size, |b, _| {
            b.iter_batched(
                || world.ticket(true),
                |batch| now(storage.commit(batch)).expect("committed"),
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group! { name = benches; config = Criterion::default().sample_size(30); targets = store }
criterion_main!(benches);
