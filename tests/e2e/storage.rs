//! A full disk: the refusals of both services on both
//! wires, and what goes on.

use fixtures::Backend;
use proto::auth::v1::SignOutRequest;
use tonic::Code;

use crate::{
    answer::Refused,
    caller::{PASSWORD, SignedIn, Stranger, application},
    file_pair::FilePair,
    wire::{Transport, Wire},
    world::World,
};

const FULL: (Code, &str) = (Code::ResourceExhausted, "STORAGE_FULL");

/// What stores more is refused.
async fn assert_nothing_is_stored(ways: &Stranger, ada: &SignedIn) {
    let late = application("late@example.com", PASSWORD);
    ways.accounts().sign_up(late).await.refused(FULL.0, FULL.1);
    let again = ways.try_sign_in("ada@example.com", PASSWORD).await;
    again.map(drop).refused(FULL.0, FULL.1);
    ada.tasks().create_task(ada.new_task("three")).await.refused(FULL.0, FULL.1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_the_floor_nothing_more_is_stored_and_the_rest_goes_on() {
    let pair = FilePair::new("storage");
    let server = pair.serve(&[("STORAGE_MIN_FREE", "off")]);
    let ways = Stranger::new(server.channel(), server.channel());
    let ada = ways.sign_up("ada@example.com").await;
    let others = [ways.sign_in("ada@example.com").await, ways.sign_in("ada@example.com").await];
    let made = [ada.create("one").await.id, ada.create("two").await.id];
    server.kill();

    let server = pair.serve(&[("STORAGE_MIN_FREE", "1000000TiB")]);
    let both = [Transport::Grpc(server.channel()), Transport::Http(server.http_address())];
    for ((way, other), id) in both.into_iter().zip(others).zip(&made) {
        let ways = Stranger::new(way.clone(), way);
        let [ada, other] = [&ada, &other].map(|one| SignedIn { ways: ways.clone(), ..one.clone() });
        assert_nothing_is_stored(&ways, &ada).await;
        assert_eq!(ada.get(id).await.expect("it is read").id, *id);
        ada.delete(id).await.expect("a deletion makes room");
        other.sessions().sign_out(SignOutRequest {}).await.expect("signs out");
        assert!(!other.session_lives().await && ada.session_lives().await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_postgresql_server_without_space_is_reported_as_full() {
    for wire in [Wire::Grpc, Wire::Http] {
        let Some(world) = World::start(Backend::Postgres, wire).await else { return };
        let ada = world.stranger().sign_up("ada@example.com").await;
        let one = ada.create("one").await.id;
        let tables = [world.auth_table("session").await, world.task_table("task").await];
        for table in &tables {
            table.refuse_inserts("53100").await;
        }
        assert_nothing_is_stored(&world.stranger(), &ada).await;
        assert_eq!(ada.get(&one).await.expect("it is read").id, one);
        for table in &tables {
            table.allow_inserts().await;
        }
        world.stranger().sign_up("late@example.com").await;
        assert_eq!(ada.create("three").await.title, "three");
        world.stop().await;
    }
}
