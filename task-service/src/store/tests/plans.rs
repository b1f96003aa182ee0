//! Lists are walks along an index, however they are sorted, and searches use theirs.

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait, QuerySelect, QueryTrait, Select,
    Statement,
};
use shared::auth::Owner;

use super::world::{World, after, every_user, first_page, in_state, owner, titled};
use crate::{
    domain::{
        due::Due,
        task::{Tags, Task},
        timestamp::Timestamp,
        zone::Zone,
    },
    entity::task::{ActiveModel, Entity},
    query::{
        filter::Filter,
        page::PageRequest,
        sort::{Sort, SortField},
    },
    store::{
        row::whole,
        system_queries::{expired_trash, outdated},
    },
};

on_both_databases!(
    every_list_is_one_walk_along_an_index,
    a_search_is_answered_by_the_full_text_index,
    what_is_outdated_has_an_index_of_its_own,
    the_expired_trash_is_read_by_the_index_of_the_trash,
);

const SORTS: [(SortField, &str); 6] = [
    (SortField::Created, "task_by_age"),
    (SortField::Updated, "task_by_update"),
    (SortField::Due, "task_by_due"),
    (SortField::Priority, "task_by_priority"),
    (SortField::Title, "task_by_title"),
    (SortField::Position, "task_by_position"),
];

impl World {
    /// As many tasks as make a look at all of them dearer than a walk along an index.
    #[expect(clippy::disallowed_methods, reason = "rows of many users at once")]
    async fn fill(&self, alice: &Owner) {
        for owner in (0..20).map(|n| owner(&format!("user {n}"))).chain([alice.clone()]) {
            let user_id = owner.user().as_str();
            let rows = (0..500).map(|n| {
                let now = Timestamp::from_micros(n);
                let mut task = Task::new(user_id, titled(&format!("filler {n}")), now, n, 0);
                task.completed_at = (n % 3 == 0).then_some(now);
                let moment = Timestamp::from_micros(n * 1_000_000);
                task.content.due = (n % 2 == 0).then_some(Due::At { moment, zone: Zone::UTC });
                task.content.tags = Tags::parse(vec![format!("tag {}", n % 50)]).expect("a tag");
                task.deleted_at = (n % 3 == 1).then_some(now);
                ActiveModel { user_id: Set(user_id.to_owned()), ..whole(&task) }
            });
            let insert = Entity::insert_many(rows);
            insert.exec_without_returning(self.database.writer()).await.expect("inserted");
        }
        let analyze = match self.database.backend() {
            // What was inserted last has a place of its own until then, which is dear.
            DbBackend::Postgres => "VACUUM ANALYZE task",
            _ => "ANALYZE",
        };
        self.database.writer().execute_unprepared(analyze).await.expect("analyzed");
    }

    async fn plan(&self, selection: Select<Entity>) -> String {
        self.plan_of(selection.limit(21).build(self.database.backend())).await
    }

    async fn plan_of(&self, mut explain: Statement) -> String {
        let backend = self.database.backend();
        let (words, column) = match backend {
            DbBackend::Postgres => ("EXPLAIN", 0),
            _ => ("EXPLAIN QUERY PLAN", 3),
        };
        explain.sql = format!("{words} {}", explain.sql);
        let rows = self.database.reader().query_all_raw(explain).await.expect("a plan");
        let lines = rows.iter().map(|row| row.try_get_by_index::<String>(column));
        let mut lines = lines.collect::<Result<Vec<_>, _>>().expect("text");
        // Unfinished imports are read once, and apart.
        lines.retain(|line| !line.contains("task_import"));
        lines.join("\n")
    }

    /// The plans of the first page of `first`, and of one in the middle.
    async fn plans(&self, owner: &Owner, first: PageRequest) -> Vec<String> {
        let page = self.tasks.list(owner, &first).await.expect("a page");
        let mut plans = Vec::new();
        for request in [first.clone(), after(owner.user().as_str(), &page, &first)] {
            let view = self
                .tasks
                .view(self.database.reader(), owner, &request.filter, request.sort.by, 1_000)
                .await
                .expect("a view");
            for walk in view.walks(&request) {
                plans.push(self.plan(walk.select(None)).await);
            }
        }
        plans
    }
}

async fn every_list_is_one_walk_along_an_index(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    world.fill(&alice).await;
    let trash = Filter { deleted: true, ..Filter::default() };
    let lists = SORTS
        .map(|(by, index)| (by, Filter::default(), index))
        .into_iter()
        .chain(
            [true, false].map(|state| (SortField::Created, in_state(Some(state)), "task_by_state")),
        )
        .chain([(SortField::Deleted, trash, "task_by_deletion")]);
    for (by, filter, index) in lists {
        for descending in [false, true] {
            let sort = Sort { by, descending };
            let first = PageRequest { size: 20, filter: filter.clone(), sort, ..first_page() };
            let plans = world.plans(&alice, first).await;
            assert_eq!(plans.len(), if by == SortField::Due { 4 } else { 2 });
            for plan in plans {
                assert!(plan.contains(index), "{sort:?}: {plan}");
                for detour in ["Seq Scan", "Sort", "SCAN", "TEMP B-TREE"] {
                    assert!(!plan.contains(detour), "{sort:?}: {plan}");
                }
            }
        }
    }
}

async fn a_search_is_answered_by_the_full_text_index(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    world.fill(&alice).await;
    let index = match world.database.backend() {
        DbBackend::Postgres => "Bitmap Index Scan on task_by_words",
        _ => "SCAN task_words VIRTUAL TABLE",
    };
    let (text, tag) = (vec!["42".to_owned()], vec!["tag 7".to_owned()]);
    let unspaced = ["中", "中文", "在中文里"].map(|text| vec![text.to_owned()]);
    for filter in [
        Filter { words: text.clone(), ..Filter::default() },
        Filter { words: unspaced[0].clone(), ..Filter::default() },
        Filter { words: unspaced[1].clone(), ..Filter::default() },
        Filter { words: unspaced[2].clone(), ..Filter::default() },
        Filter { tags_any: tag.clone(), ..Filter::default() },
        Filter { tags_all: tag, words: text, ..in_state(Some(false)) },
    ] {
        let stores = [world.tasks.clone(), world.distributed().tasks];
        for (tasks, (by, _)) in stores.iter().flat_map(|tasks| SORTS.map(|sort| (tasks, sort))) {
            let sort = Sort { by, descending: false };
            let request = PageRequest { size: 20, filter: filter.clone(), sort, ..first_page() };
            let view = tasks
                .view(world.database.reader(), &alice, &request.filter, by, 1_000)
                .await
                .expect("a view");
            for walk in view.walks(&request) {
                let plan = world.plan(walk.select(None)).await;
                assert!(plan.contains(index), "{sort:?}: {plan}");
                assert!(!plan.contains("Seq Scan") && !plan.contains("SCAN task\n"), "{plan}");
            }
        }
    }
}

async fn what_is_outdated_has_an_index_of_its_own(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.fill(&owner("alice")).await;
    let plan =
        world.plan_of(outdated(every_user(), 100).into_statement(world.database.backend())).await;
    assert!(plan.contains("task_outdated"), "{plan}");
    assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{plan}");
}

async fn the_expired_trash_is_read_by_the_index_of_the_trash(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.fill(&owner("alice")).await;
    let expired = expired_trash(every_user(), 5, 100);
    let plan = world.plan_of(expired.into_statement(world.database.backend())).await;
    assert!(plan.contains("task_by_deletion"), "{plan}");
}
