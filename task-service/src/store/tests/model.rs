//! The model test: random steps of several users on several replicas. After each step the
//! lists, and the copies kept by sync and by watch, equal a model in memory.

mod expected;
mod steps;

use std::collections::BTreeMap;

use fixtures::{FreshDatabase, on_both_databases};
use shared::auth::Owner;
use uuid::Uuid;

use self::{
    expected::{Expected, Seen},
    steps::{Random, step},
};
use super::world::{World, after, first_page, owner};
use crate::{
    domain::task::Task,
    query::{
        page::PageRequest,
        sync::{SyncCursor, SyncRequest},
    },
    store::StoredEvent,
};

on_both_databases!(whatever_is_done_lists_syncs_and_watches_agree_with_the_model);

const USERS: [&str; 3] = ["alice", "bob", "Alice"];
const STEPS: usize = 250;

/// The copy of a client that syncs.
#[derive(Default)]
struct Copy {
    tasks: BTreeMap<Uuid, Task>,
    cursor: Option<SyncCursor>,
}

impl Copy {
    async fn catch_up(&mut self, world: &World, owner: &Owner, size: usize) {
        loop {
            let request = SyncRequest { size, after: self.cursor };
            let changes = world.tasks.sync(owner, &request).await.expect("changes");
            for task in changes.tasks {
                if task.deleted_at.is_some() {
                    self.tasks.remove(&task.id);
                } else {
                    self.tasks.insert(task.id, task);
                }
            }
            self.cursor = Some(changes.next);
            if !changes.more {
                return;
            }
        }
    }
}

/// The copy of a client that watches.
#[derive(Default)]
struct Watched {
    tasks: BTreeMap<Uuid, Task>,
    cursor: Option<SyncCursor>,
}

impl Watched {
    async fn hear(&mut self, world: &World, owner: &Owner, size: usize) {
        let mut cursor = match self.cursor {
            Some(cursor) => cursor,
            None => world.tasks.beginning(owner).await.expect("a cursor"),
        };
        loop {
            let page = world.tasks.events_by(owner, cursor, size).await.expect("events");
            for (behind, event) in page.events {
                assert!(cursor.order() < behind.order(), "in order, and nothing twice");
                cursor = behind;
                let StoredEvent::Changed(task) = event else { panic!("nobody is reminded") };
                if task.deleted_at.is_some() {
                    self.tasks.remove(&task.id);
                } else {
                    self.tasks.insert(task.id, *task);
                }
            }
            cursor = page.next;
            if !page.more {
                self.cursor = Some(cursor);
                return;
            }
        }
    }
}

/// All tasks of `owner`, page by page.
async fn listed(world: &World, owner: &Owner, size: usize) -> Vec<Task> {
    let mut request = PageRequest { size, ..first_page() };
    let mut seen = Vec::new();
    loop {
        let page = world.tasks.list(owner, &request).await.expect("a page");
        let next = page.next.is_some().then(|| after(owner.user().as_str(), &page, &request));
        seen.extend(page.tasks);
        match next {
            Some(next) => request = next,
            None => return seen,
        }
    }
}

async fn whatever_is_done_lists_syncs_and_watches_agree_with_the_model(fresh: FreshDatabase) {
    let replicas = [World::on(&fresh).await, World::on(&fresh).await];
    let mut random = Random::new(0x5eed);
    let mut models: Vec<Expected> = USERS.iter().map(|_| Expected::default()).collect();
    let mut copies: Vec<Copy> = USERS.iter().map(|_| Copy::default()).collect();
    let mut views: Vec<Watched> = USERS.iter().map(|_| Watched::default()).collect();
    for number in 0..STEPS {
        let (user, replica) = (random.below(USERS.len()), random.below(2));
        if random.below(4) == 0 {
            for world in &replicas {
                world.later(1);
            }
        }
        let strangers: Vec<Uuid> = models
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != user)
            .flat_map(|(_, model)| model.ids())
            .collect();
        let who = owner(USERS[user]);
        let what = step(&replicas[replica], &who, &mut models[user], &strangers, &mut random).await;
        for (index, name) in USERS.iter().enumerate() {
            let (owner, model) = (owner(name), &models[index]);
            let world = &replicas[random.below(2)];
            let sizes = [1 + random.below(7), 1 + random.below(7)];
            let list = listed(world, &owner, sizes[0]).await;
            assert!(list.iter().all(|task| task.user_id == *name), "{number}: {what}");
            assert!(
                list.is_sorted_by(|a, b| (a.created_at, a.id) > (b.created_at, b.id)),
                "{number}: {what}"
            );
            let copy = &mut copies[index];
            copy.catch_up(world, &owner, sizes[1]).await;
            let kept: Vec<_> = copy.tasks.values().cloned().collect();
            let watcher = &mut views[index];
            watcher.hear(world, &owner, sizes[0]).await;
            let deliver: Vec<_> = watcher.tasks.values().cloned().collect();
            for (source, tasks) in [("list", list), ("copy", kept), ("watch", deliver)] {
                let mut seen: Vec<Seen> = tasks.iter().map(Seen::of).collect();
                seen.sort_by(|a, b| a.stands.cmp(&b.stands));
                let seen: Vec<_> = seen.into_iter().map(Seen::without_place).collect();
                assert_eq!(seen, model.live(), "{source} of {name} after {number}: {what}");
            }
        }
    }
}
