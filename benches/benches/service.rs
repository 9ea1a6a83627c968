//! The services: making a ticket, from the actor's call to the committed batch.
//!
//! `cargo bench -p helpdesk-benches --bench service`

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use helpdesk_benches::{World, now, sizes};
use helpdesk_core::Actor;
use helpdesk_core::tickets::NewTicket;

fn service(c: &mut Criterion) {
    let mut world = World::new();
    for size in sizes() {
        world.grow_to(size);
        let system = Actor::system(world.organisation);
        let request = NewTicket {
            subject: "The accounting program crashes on save".into(),
            description: "It began yesterday; please have a look. ".repeat(8),
            requester: Some(world.people[3]),
            category: Some("Software".into()),
            subcategory: Some("General".into()),
            ..NewTicket::default()
        };
        c.bench_with_input(BenchmarkId::new("create a ticket", size), &request, |b, request| {
            b.iter(|| now(world.desk.tickets().create(&system, request.clone())).expect("a ticket"));
        });
    }
}

criterion_group! { name = benches; config = Criterion::default().sample_size(30); targets = service }
criterion_main!(benches);
